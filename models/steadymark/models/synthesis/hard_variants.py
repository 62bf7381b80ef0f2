"""Harder versions of labelled face photos, with exact landmarks, to evaluate face detectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import Crop, cut, fit_crop, transform
from steadymark.models.face.landmark_boxes import landmark_box
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.conditions.face_occlusion import cover_box
from steadymark.models.synthesis.faces.head_rotation import turn_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from steadymark.models.face.crop import Image, Points

_ROTATED_SIZE = 1.5  # side of a rotated image, as a multiple of the photo's longer side
_SMALL_PX = 40.0  # longer side of the landmarks' extent in the variant "40 px"
_FRAME = (480, 640)  # height and width of the frame that holds the small face


def rolled(image: Image, points: Points, roll_deg: float) -> tuple[Image, Points]:
    """Rotate a photo about the centre of its face.

    Args:
        image: (H, W, 3) uint8 BGR.
        points: (K, 2) landmarks in pixels of the image.
        roll_deg: Angle in degrees, clockwise on the screen.

    Returns:
        A square image, which is black beyond the photo's edges, and the landmarks (K, 2) in it.
    """
    left, top, right, bottom = landmark_box(points)
    side = _ROTATED_SIZE * max(image.shape[:2])
    size = round(side)
    crop = Crop(float(left + right) / 2, float(top + bottom) / 2, side, -roll_deg)
    rotated = cut(image, crop.matrix_to_image(size), size)
    return rotated, transform(crop.matrix_from_image(size), points).astype(np.float32)


def _random_roll(image: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    return rolled(image, points, float(rng.uniform(45, 315)))


def _profiled(image: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    """Turn the head by 30 to 55 degrees further to the side that it faces, and pitch it."""
    left, right = (float(np.linalg.norm(points[30] - points[i])) for i in (2, 14))
    side = 1 if left > right else -1
    return turn_head(image, points, side * rng.uniform(30, 55), rng.uniform(-30, 30))


def _occluded(image: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    covered = image.copy()
    roll = fit_crop(points, load_schema(IBUG68).mean_shape, margin=1).roll_deg
    cover_box(covered, landmark_box(points), roll, rng)
    return covered, points


def _dark(image: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    """Reduce the light to 5 to 15 %, and add a colour cast and sensor noise."""
    light = image * (rng.uniform(0.05, 0.15) * np.exp(rng.uniform(-0.3, 0.3, 3)))
    noise = rng.normal(0, rng.uniform(1, 4), image.shape)
    return (light + noise).clip(0, 255).astype(np.uint8), points


def _small(image: Image, points: Points, rng: Generator) -> tuple[Image, Points]:
    """Shrink the face to 40 pixels, put it into a plain 640x480 frame, and compress it as JPEG."""
    scale = _SMALL_PX / float(np.ptp(points, axis=0).max())
    shrunk = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = shrunk.shape[:2]
    frame = np.full((*_FRAME, 3), rng.integers(30, 220, 3), np.uint8)
    top, left = (
        int(rng.integers(0, limit - size))
        for limit, size in zip(_FRAME, (height, width), strict=True)
    )
    frame[top : top + height, left : left + width] = shrunk
    encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 80))])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    moved_points = (points + 0.5) * scale - 0.5 + (left, top)
    return decoded.astype(np.uint8, copy=False), moved_points.astype(np.float32)


VERSIONS: dict[str, Callable[[Image, Points, Generator], tuple[Image, Points]]] = {
    "rolled": _random_roll,
    "profiled": _profiled,
    "occluded": _occluded,
    "dark": _dark,
    "40 px": _small,
}


def hard_version(kind: str, image: Image, points: Points, seed: int) -> tuple[Image, Points]:
    """Make one of the `VERSIONS` of a photo.

    Args:
        kind: A key of `VERSIONS`.
        image: (H, W, 3) uint8 BGR.
        points: (68, 2) iBUG landmarks in pixels of the image.
        seed: Seed of all random choices; the same seed gives the same result.

    Returns:
        The image and its landmarks (68, 2). Landmarks that a turned head hides lie on the outline
        of the visible face.
    """
    return VERSIONS[kind](image, points, np.random.default_rng(seed))


def roll_of(points: Points) -> float:
    """Return the roll of landmarks (68, 2) in degrees, from -180 to 180.

    The roll is that of the mean shape fitted to the landmarks.
    """
    roll = fit_crop(points, load_schema(IBUG68).mean_shape, margin=1).roll_deg
    return math.remainder(roll, 360)
