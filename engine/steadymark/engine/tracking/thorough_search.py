"""Further searches for faces in a frame in which the detector finds none.

The frame is searched turned by 90, 180 and 270 degrees, because detectors are trained on upright
faces, and, if it is large, in overlapping tiles, because it is reduced before detection. A dark
frame is made brighter before. If the landmark network can judge them, places with low scores are
returned, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.protocols import CandidateFaceDetector
from steadymark.models.face.brightness import brighten_frame
from steadymark.models.runtime.detector_input import LONGEST_SIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.core.types import FaceBox
    from steadymark.models.face.crop import Image

    Detect = Callable[[Image], tuple[FaceBox, ...]]

_TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180)
_TILE = 2 * LONGEST_SIDE  # side of a tile in pixels
_OVERLAP = 160  # largest face in pixels that two tiles may divide
_SAME = 0.4  # overlap from which two boxes are one face
_SAME_ROLL_DEG = 45.0  # difference of the rolls up to which two candidates are one
_MOST_CANDIDATES = 16
_MOST_OF_TURN = 6  # candidates of one orientation


def thorough_search(
    detector: FaceDetector, image: Image, *, with_candidates: bool = False
) -> Iterator[tuple[FaceBox, ...]]:
    """Search a frame in further ways, one after the other.

    Args:
        detector: The face detector.
        image: (H, W, 3) uint8 BGR.
        with_candidates: Whether to return the places of a `CandidateFaceDetector`, too.

    Yields:
        The boxes that the turned images and then the tiles give, in pixels of the image, best
        first; never an empty tuple. With candidates, the upright image is among the turned ones.
    """
    image = brighten_frame(image)
    if with_candidates and isinstance(detector, CandidateFaceDetector):
        boxes = _candidates(detector, image)
    else:
        boxes = _best(_search_turned(detector.detect, image))
    if boxes:
        yield boxes
    if max(image.shape[:2]) > _TILE:
        boxes = _in_tiles(detector, image)
        if boxes:
            yield boxes


def _candidates(detector: CandidateFaceDetector, image: Image) -> tuple[FaceBox, ...]:
    """Return the best places in all orientations; one place may have several rolls."""

    def best(image: Image) -> tuple[FaceBox, ...]:
        return detector.candidates(image)[:_MOST_OF_TURN]

    found = [*best(image), *_search_turned(best, image)]
    kept: list[FaceBox] = []
    for box in sorted(found, key=lambda box: -box.score):
        if not any(
            box.iou(other) > _SAME and abs(_wrapped(box.roll_deg - other.roll_deg)) < _SAME_ROLL_DEG
            for other in kept
        ):
            kept.append(box)
    return tuple(kept[:_MOST_CANDIDATES])


def _search_turned(detect: Detect, image: Image) -> list[FaceBox]:
    """Search the turned images, and return all boxes in pixels of the image."""
    height, width = image.shape[:2]
    found: list[FaceBox] = []
    for turn in _TURNS:
        turned = np.asarray(cv2.rotate(image, turn), np.uint8)
        found += [_box_in_upright_image(box, turn, width, height) for box in detect(turned)]
    return found


def _box_in_upright_image(box: FaceBox, turn: int, width: int, height: int) -> FaceBox:
    """Return the box in the image before it was turned; width and height are that image's."""
    right, bottom = box.left + box.width, box.top + box.height
    if turn == cv2.ROTATE_180:
        left, top, roll = width - right, height - bottom, box.roll_deg + 180
        return replace(box, left=left, top=top, roll_deg=_wrapped(roll))
    if turn == cv2.ROTATE_90_CLOCKWISE:
        left, top, roll = box.top, height - right, box.roll_deg - 90
    else:
        left, top, roll = width - bottom, box.left, box.roll_deg + 90
    return replace(
        box, left=left, top=top, width=box.height, height=box.width, roll_deg=_wrapped(roll)
    )


def _wrapped(angle_deg: float) -> float:
    return (angle_deg + 180) % 360 - 180


def _in_tiles(detector: FaceDetector, image: Image) -> tuple[FaceBox, ...]:
    """Search overlapping tiles of a large image."""
    height, width = image.shape[:2]
    found: list[FaceBox] = []
    for top in _starts(height):
        for left in _starts(width):
            tile = np.ascontiguousarray(image[top : top + _TILE, left : left + _TILE])
            found += [
                replace(box, left=box.left + left, top=box.top + top)
                for box in detector.detect(tile)
            ]
    return _best(found)


def _best(found: list[FaceBox]) -> tuple[FaceBox, ...]:
    """Return the boxes without those that overlap a better one, best first."""
    kept: list[FaceBox] = []
    for box in sorted(found, key=lambda box: -box.score):
        if not any(box.iou(other) > _SAME for other in kept):
            kept.append(box)
    return tuple(kept)


def _starts(side: int) -> list[int]:
    """Return where the tiles of a side begin; the last one ends at the image's edge."""
    count = max(1, -(-(side - _OVERLAP) // (_TILE - _OVERLAP)))
    last = max(0, side - _TILE)
    return [round(i * last / max(1, count - 1)) for i in range(count)]
