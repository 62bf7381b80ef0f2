"""Face detection in a whole frame with the face_net network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import FaceBox
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.landmark_boxes import overlaps, suppress
from steadymark.models.runtime.detector_input import ENLARGE, LONGEST_SIDE, fit_frame

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import OnnxSession

Rows = NDArray[np.float32]
Row = NDArray[np.float32]


class FaceNetSession(Protocol):
    """Runs face_net on a (1, 3, H, W) uint8 BGR image; H and W are multiples of 32.

    The result is (N, 6) float32. A row holds left, top, right and bottom in input pixels, the score
    in [0, 1], and roll_deg.
    """

    def __call__(self, image: Image) -> Rows: ...


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """Settings of the face detector.

    A box with a score between `threshold - doubt` and `sure` is uncertain. It is cut out upright
    and scored a second time, because a false detection rarely gets a high score twice. The second
    score then counts.

    Attributes:
        threshold: Lowest score of a face.
        nms_iou: A box is dropped if its overlap with a better box is larger than this.
        longest_side: Frames are resized so that their longer side has this many pixels.
        enlarge: Largest factor by which a frame is enlarged.
        sure: Boxes with this score or more are not checked again.
        doubt: Boxes are checked again if their score is below `threshold` by at most this.
        again_size: Side of the second image in pixels.
        again_face: Size of the face in the second image in pixels.
        again_iou: Least overlap of the box with a box in the second image.
        min_face_px: Least longer side of a box, in frame pixels.
        limit: Largest number of boxes.
        least: Lowest score of the boxes of `candidates`.
    """

    threshold: float = 0.48
    nms_iou: float = 0.4
    longest_side: int = LONGEST_SIDE
    enlarge: float = ENLARGE
    sure: float = 0.65
    doubt: float = 0.1
    again_size: int = 160
    again_face: int = 80
    again_iou: float = 0.35
    min_face_px: float = 12.0
    limit: int = 100
    least: float = 0.05


def open_face_net(runner: OnnxSession) -> FaceNetSession:
    """Return a face_net session for an opened ONNX model."""

    def run(image: Image) -> Rows:
        rows: Rows = runner(["boxes"], image=image)[0]
        return rows

    return run


class FaceNetDetector:
    """A `FaceDetector` with face_net; boxes may extend beyond the frame, as faces do."""

    def __init__(self, runner: FaceNetSession, config: DetectorConfig | None = None) -> None:
        self._run = runner
        self.config = config or DetectorConfig()

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Detect faces.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Boxes in pixels of the image, best first.
        """
        return self.detect_with_doubtful(image)[0]

    def detect_with_doubtful(self, image: Image) -> tuple[tuple[FaceBox, ...], tuple[FaceBox, ...]]:
        """Detect faces, and return uncertain boxes that the second score refuses, too.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            The boxes that `detect` returns, and the refused ones, both best first.
        """
        if min(image.shape[:2]) < 1:
            return (), ()
        rows = self._detect_in_frame(image, self.config.threshold - self.config.doubt)
        again = rows[:, 4] < self.config.sure
        for place in np.flatnonzero(again):
            rows[place, 4] = self._score_again(image, rows[place])
        good = rows[:, 4] >= self.config.threshold
        return _boxes(rows[good]), _boxes(rows[again & ~good])

    def candidates(self, image: Image) -> tuple[FaceBox, ...]:
        """Return places that may hold a face, even if their scores are low.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Boxes, best first; few of them are faces.
        """
        if min(image.shape[:2]) < 1:
            return ()
        return _boxes(self._detect_in_frame(image, self.config.least))

    def _detect_in_frame(self, image: Image, least_score: float) -> Rows:
        """Return rows of the whole frame in frame pixels, without overlaps, best first."""
        config = self.config
        fitted = fit_frame(image, config.longest_side, config.enlarge)
        rows = self._run(fitted.planes)
        rows = rows[(rows[:, 4] >= least_score) & np.isfinite(rows).all(1)]
        rows[:, :4] = fitted.to_frame(rows[:, :4])
        sides = rows[:, 2:4] - rows[:, :2]
        rows = rows[sides.max(1, initial=0) >= config.min_face_px]
        kept: Rows = rows[suppress(rows, config.nms_iou)[: config.limit]]
        return kept

    def _score_again(self, image: Image, row: Row) -> float:
        """Return the best score near a box, with the face scaled to a size that suits face_net."""
        size, face = self.config.again_size, self.config.again_face
        centre = (row[:2] + row[2:4]) / 2
        side = float((row[2:4] - row[:2]).max()) * size / face
        # the crop is rotated so that the face is upright
        crop = Crop(float(centre[0]), float(centre[1]), side, float(row[5]))
        part = cut(image, crop.matrix_to_image(size), size)
        rows = self._run(fit_frame(part, size, 1.0).planes)
        half = (row[2:4] - row[:2]) / 2 * size / side
        middle = (size - 1) / 2
        box = np.concatenate((middle - half, middle + half)).astype(np.float32)
        near = rows[overlaps(box, rows[:, :4]) >= self.config.again_iou, 4]
        return float(near.max(initial=0.0))


def _boxes(rows: Rows) -> tuple[FaceBox, ...]:
    return tuple(_box(row) for row in rows[np.argsort(-rows[:, 4], kind="stable")])


def _box(row: Rows) -> FaceBox:
    left, top, right, bottom, score, roll_deg = (float(v) for v in row)
    return FaceBox(left, top, right - left, bottom - top, score, roll_deg)
