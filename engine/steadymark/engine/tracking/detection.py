"""Faces in a whole frame: face_net's rows become boxes in frame pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import FaceBox
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.landmark_boxes import overlaps
from steadymark.models.runtime.detector_input import ENLARGE, LONGEST_SIDE, fit_frame

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import OnnxSession

Rows = NDArray[np.float32]
Row = NDArray[np.float32]


class FaceNetSession(Protocol):
    """Runs face_net: (1, 3, H, W) uint8 BGR, H and W multiples of 32 → (N, 6) float32.

    A row: left, top, right, bottom in input pixels, score in [0, 1], roll_deg.
    """

    def __call__(self, image: Image) -> Rows: ...


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How to read face_net.

    threshold: the least score. nms_iou: boxes that overlap a better one by more are dropped.
    longest_side: pixels, what frames are resized to, but enlarged at most `enlarge` times.
    sure: boxes that score less are doubtful, down to `doubt` under the threshold: they are looked
    at again, cut out upright so that the face is `again_face` pixels in a picture of
    `again_size`, and count by what they score then. What is no face seldom looks like one twice.
    again_iou: overlap with the box found then.
    min_face_px: frame pixels, the least longer side of a box. limit: the most faces given.
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


def open_face_net(runner: OnnxSession) -> FaceNetSession:
    """face_net by an opened ONNX file."""

    def run(image: Image) -> Rows:
        rows: Rows = runner(image=image)[0]
        return rows

    return run


class FaceNetDetector:
    """A FaceDetector of ports.py. Boxes may reach beyond the frame's edge: faces do, too."""

    def __init__(self, runner: FaceNetSession, config: DetectorConfig | None = None) -> None:
        self._run = runner
        self.config = config or DetectorConfig()

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """image: (H, W, 3) uint8 BGR → boxes in its pixels, best first."""
        if min(image.shape[:2]) < 1:
            return ()
        rows = self._look(image)
        for place in np.flatnonzero(rows[:, 4] < self.config.sure):
            rows[place, 4] = self._score_again(image, rows[place])
        rows = rows[rows[:, 4] >= self.config.threshold]
        return tuple(_box(row) for row in rows[np.argsort(-rows[:, 4], kind="stable")])

    def _look(self, image: Image) -> Rows:
        """Rows of the whole frame, in its pixels, without overlaps, best first."""
        config = self.config
        fitted = fit_frame(image, config.longest_side, config.enlarge)
        rows = self._run(fitted.planes)
        rows = rows[(rows[:, 4] >= config.threshold - config.doubt) & np.isfinite(rows).all(1)]
        rows[:, :4] = fitted.to_frame(rows[:, :4])
        sides = rows[:, 2:4] - rows[:, :2]
        rows = rows[sides.max(1, initial=0) >= config.min_face_px]
        kept: Rows = rows[suppress(rows, config.nms_iou)[: config.limit]]
        return kept

    def _score_again(self, image: Image, row: Row) -> float:
        """The best score near a box, seen at the size at which faces are known best."""
        size, face = self.config.again_size, self.config.again_face
        centre = (row[:2] + row[2:4]) / 2
        side = float((row[2:4] - row[:2]).max()) * size / face
        crop = Crop(float(centre[0]), float(centre[1]), side, float(row[5]))  # the face upright
        part = cut(image, crop.to_picture(size), size)
        rows = self._run(fit_frame(part, size, 1.0).planes)
        half = (row[2:4] - row[:2]) / 2 * size / side
        middle = (size - 1) / 2
        box = np.concatenate((middle - half, middle + half)).astype(np.float32)
        near = rows[overlaps(box, rows[:, :4]) >= self.config.again_iou, 4]
        return float(near.max(initial=0.0))


def suppress(rows: Rows, most_iou: float) -> list[int]:
    """Greedy non-maximum suppression: (n, 6) rows → indices of those kept, best first."""
    left = np.argsort(-rows[:, 4], kind="stable")
    kept: list[int] = []
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[overlaps(rows[best], rows[left]) <= most_iou]
    return kept


def _box(row: Rows) -> FaceBox:
    left, top, right, bottom, score, roll_deg = (float(v) for v in row)
    return FaceBox(left, top, right - left, bottom - top, score, roll_deg)
