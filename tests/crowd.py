"""Several bright squares as faces, and a detector that finds them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from scenes import FACE_GREY, SquareNetwork
from steadymark.engine.types import FaceBox, Frame

if TYPE_CHECKING:
    from steadymark.models.cropping import Image
    from steadymark.models.runtime import Moves, Prediction

Square = tuple[float, float, float]  # x, y, side


def crowd_frame(index: int, *squares: Square, size: tuple[int, int] = (640, 360)) -> Frame:
    """A picture (width, height) with these faces, 25 frames a second."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x, y, side in squares:
        left, top = max(0, round(x - side / 2)), max(0, round(y - side / 2))
        image[top : round(y + side / 2), left : round(x + side / 2)] = FACE_GREY
    return Frame(image, index, index / 25)


class CrowdDetector:
    """Finds every bright square, the largest first."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        self.calls += 1
        bright = (image[..., 0] > FACE_GREY / 2).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        rows = sorted(stats[1:].tolist(), key=lambda row: -row[4])
        return tuple(FaceBox(x, y, w - 1, h - 1, 0.9) for x, y, w, h, _ in rows)


class CrowdNetwork(SquareNetwork):
    """Keeps how many faces it was shown in each run."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        self.batches.append(len(crops))
        return super().step(crops, state, moved)


class DoubtingNetwork(CrowdNetwork):
    """Is less sure of what is not quite as bright as a face."""

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        seen = super().step(crops, state, moved)
        dim = crops.max((1, 2, 3)) < FACE_GREY
        return seen._replace(face=np.where(dim, 0.9, seen.face).astype(np.float32))
