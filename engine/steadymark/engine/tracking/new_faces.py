"""Aligns detected faces that are not tracked yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steadymark.engine.core.protocols import CandidateFaceDetector, DoubtingFaceDetector
from steadymark.engine.tracking.face_pass import (
    FaceOutput,
    LandmarkModel,
    TrackerConfig,
    align_faces,
)
from steadymark.engine.tracking.geometry import box_of_landmarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.core.types import FaceBox
    from steadymark.models.face.crop import Image
    from steadymark.models.face.schema import LandmarkSchema

BOX_KNOWN = 0.3  # overlap from which a detected box belongs to a tracked face
_MOST_DOUBTFUL = 16  # doubtful boxes that are aligned in one frame
FACE_KNOWN = 0.5  # the same for the overlap of landmark extents
# Face score that the face in a doubtful box must reach. On 900 photos without faces, thorough
# searches find 12 false faces above 0.97 and 2 above this, and boxes that the detector's second
# look refuses hold 8 false faces above 0.97 and none above this. Almost all turned faces are above
# it, and 15 of 21 faces in galleries that the second look refuses.
DOUBTFUL_FIND_FROM = 0.9995
SMALL_FACE_PX = (18.0, 60.0)  # least and largest longer side of the box of a small face
# Box score from which a small face needs a face score of `TrackerConfig.lose_below` only. Small
# faces often have low face scores, and the detector tells them better from other things. See
# docs/decisions/detector_training.md.
SMALL_BOX_FROM = 0.6


def find_boxes(
    detector: FaceDetector, image: Image
) -> tuple[tuple[FaceBox, ...], tuple[FaceBox, ...]]:
    """Detect faces.

    Args:
        detector: The face detector.
        image: (H, W, 3) uint8 BGR.

    Returns:
        The detected boxes, and the doubtful ones, both best first.
    """
    if isinstance(detector, DoubtingFaceDetector):
        return detector.detect_with_doubtful(image)
    return detector.detect(image), ()


def unlikely_boxes(
    detector: FaceDetector, network: LandmarkModel, image: Image
) -> tuple[FaceBox, ...]:
    """Return places that the detector hardly takes for faces, if the network can judge them.

    Args:
        detector: The face detector.
        network: The landmark network, see `ModelCard.judges_candidates`.
        image: (H, W, 3) uint8 BGR.

    Returns:
        Boxes, best first; none if the network cannot judge them.
    """
    if network.card.judges_candidates and isinstance(detector, CandidateFaceDetector):
        return detector.candidates(image)
    return ()


@dataclass(frozen=True, slots=True)
class FaceAligner:
    """Runs the landmark networks on boxes; for the attributes, see `Tracker`."""

    network: LandmarkModel
    follower: LandmarkModel
    schema: LandmarkSchema
    config: TrackerConfig

    def new_faces(
        self,
        image: Image,
        boxes: Sequence[FaceBox],
        doubtful: Sequence[FaceBox],
        known: Sequence[FaceBox],
    ) -> list[FaceOutput]:
        """Align boxes that are not tracked yet, until `max_faces` faces are found.

        Small faces whose face scores are low come last, see `SMALL_BOX_FROM`.

        Args:
            image: (H, W, 3) uint8 BGR frame.
            boxes: The detected boxes, those to be tried first at the front.
            doubtful: Boxes whose faces must reach `DOUBTFUL_FIND_FROM`. They are tried last, and
                the faces with the highest face scores are taken.
            known: Extents of the landmarks of the tracked faces.

        Returns:
            The faces.
        """
        extents = list(known)
        strict = replace(self.config, find_from=max(self.config.find_from, DOUBTFUL_FIND_FROM))
        found, small = self._align(image, boxes, extents)
        found += self._align_best(image, doubtful, extents, strict)
        return found + _not_known(small, extents, self.config.max_faces)

    def _align_best(
        self,
        image: Image,
        boxes: Sequence[FaceBox],
        extents: list[FaceBox],
        config: TrackerConfig,
    ) -> list[FaceOutput]:
        """Align all boxes, return the likeliest faces, and add their extents to `extents`."""
        if config.max_faces <= len(extents):
            return []
        boxes = [box for box in boxes if not _overlaps(box, extents, BOX_KNOWN)][:_MOST_DOUBTFUL]
        aligned = align_faces(self.network, image, boxes, self.schema, config, self.follower)
        faces = [each for each in aligned if each is not None]
        best_first = sorted(faces, key=lambda face: -face.score)
        return _not_known(best_first, extents, config.max_faces)

    def _align(
        self, image: Image, boxes: Sequence[FaceBox], extents: list[FaceBox]
    ) -> tuple[list[FaceOutput], list[FaceOutput]]:
        """Return new faces, and add their extents to `extents`.

        The second list holds small faces with low face scores, whose extents are not added.
        """
        left = [box for box in boxes if not _overlaps(box, extents, BOX_KNOWN)]
        found: list[FaceOutput] = []
        small: list[FaceOutput] = []
        least = self.config.find_from
        config = replace(self.config, find_from=min(least, self.config.lose_below))
        while left and (places := self.config.max_faces - len(extents)) > 0:
            chunk, left = left[:places], left[places:]
            chunk = [box for box in chunk if not _overlaps(box, extents, BOX_KNOWN)]
            aligned = align_faces(self.network, image, chunk, self.schema, config, self.follower)
            for box, face in zip(chunk, aligned, strict=True):
                if face is not None and face.score < least and _is_small(box):
                    small.append(face)
            sure = [face for face in aligned if face is not None and face.score >= least]
            found += _not_known(sure, extents, self.config.max_faces)
        return found, small


def _is_small(box: FaceBox) -> bool:
    least, largest = SMALL_FACE_PX
    return box.score >= SMALL_BOX_FROM and least <= max(box.width, box.height) <= largest


def _not_known(
    faces: Sequence[FaceOutput], extents: list[FaceBox], max_faces: int
) -> list[FaceOutput]:
    """Return the faces that are not known yet, in order, and add their extents to `extents`."""
    found = []
    for each in faces:
        extent = box_of_landmarks(each.raw.xy_px, score=each.score)
        if len(extents) < max_faces and not _overlaps(extent, extents, FACE_KNOWN):
            found.append(each)
            extents.append(extent)
    return found


def _overlaps(box: FaceBox, others: Sequence[FaceBox], least_iou: float) -> bool:
    return any(box.iou(other) > least_iou for other in others)
