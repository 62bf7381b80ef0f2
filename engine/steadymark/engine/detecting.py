"""Faces in a whole frame: face_net's rows become boxes in frame pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.types import FaceBox
from steadymark.models.frames import ENLARGE, LONGEST_SIDE, fit_frame

if TYPE_CHECKING:
    from steadymark.models.cropping import Image
    from steadymark.models.runtime import Runner

Rows = NDArray[np.float32]


class FaceNetRunner(Protocol):
    """Runs face_net: (1, 3, H, W) uint8 BGR, H and W multiples of 32 → (N, 6) float32.

    A row: left, top, right, bottom in input pixels, score in [0, 1], roll_deg.
    """

    def __call__(self, image: Image) -> Rows: ...


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """How to read face_net.

    threshold: the least score. nms_iou: boxes that overlap a better one by more are dropped.
    longest_side: pixels, what frames are resized to, but enlarged at most `enlarge` times.
    second_look: the longest side for another try where nothing was found; the network sees faces
    of more than half of 640 pixels better there; 0 for none. second_least: the least longer side
    of a box found then, as a share of the frame's. min_face_px: frame pixels, the least
    longer side of a box. limit: the most faces given.
    """

    threshold: float = 0.53
    nms_iou: float = 0.4
    longest_side: int = LONGEST_SIDE
    enlarge: float = ENLARGE
    second_look: int = 256
    second_least: float = 0.3
    min_face_px: float = 12.0
    limit: int = 100


def face_net_runner(runner: Runner) -> FaceNetRunner:
    """face_net by an opened ONNX file."""

    def run(image: Image) -> Rows:
        rows: Rows = runner(image=image)[0]
        return rows

    return run


class FaceNetDetector:
    """A FaceDetector of ports.py. Boxes may reach beyond the frame's edge: faces do, too."""

    def __init__(self, runner: FaceNetRunner, config: DetectorConfig | None = None) -> None:
        self._run = runner
        self.config = config or DetectorConfig()

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """image: (H, W, 3) uint8 BGR → boxes in its pixels, best first."""
        if min(image.shape[:2]) < 1:
            return ()
        config = self.config
        found = self._look(image, config.longest_side)
        if not found and 0 < config.second_look < min(config.longest_side, max(image.shape[:2])):
            least_px = config.second_least * max(image.shape[:2])
            found = self._look(image, config.second_look)
            found = tuple(box for box in found if max(box.width, box.height) >= least_px)
        return found

    def _look(self, image: Image, longest_side: int) -> tuple[FaceBox, ...]:
        """Detect at one size."""
        fitted = fit_frame(image, longest_side, self.config.enlarge)
        rows = self._run(fitted.planes)
        rows = rows[(rows[:, 4] >= self.config.threshold) & np.isfinite(rows).all(1)]
        rows[:, :4] = fitted.to_frame(rows[:, :4])
        sides = rows[:, 2:4] - rows[:, :2]
        rows = rows[sides.max(1, initial=0) >= self.config.min_face_px]
        kept = suppress(rows, self.config.nms_iou)[: self.config.limit]
        return tuple(_box(row) for row in rows[kept])


def suppress(rows: Rows, most_iou: float) -> list[int]:
    """Greedy non-maximum suppression: (n, 6) rows → indices of those kept, best first."""
    left = np.argsort(-rows[:, 4], kind="stable")
    area = (rows[:, 2:4] - rows[:, :2]).clip(0).prod(1)
    kept: list[int] = []
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        sides = np.minimum(rows[best, 2:4], rows[left, 2:4])
        sides = (sides - np.maximum(rows[best, :2], rows[left, :2])).clip(0)
        both = sides.prod(1)
        left = left[both <= most_iou * (area[best] + area[left] - both)]
    return kept


def _box(row: Rows) -> FaceBox:
    left, top, right, bottom, score, roll_deg = (float(v) for v in row)
    return FaceBox(left, top, right - left, bottom - top, score, roll_deg)
