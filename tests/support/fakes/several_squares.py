"""Several bright squares as faces, and a detector that finds them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.types import FaceBox, Frame
from steadymark.models.runtime.onnx_session import Prediction
from support.fakes.fake_engine import FACE_GREY, SquareNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves

Square = tuple[float, float, float]  # x, y, side
LAYERS = (120, 200)  # grey values


def crowd_frame(index: int, *squares: Square, size: tuple[int, int] = (640, 360)) -> Frame:
    """A frame of (width, height) with these faces, 25 frames a second."""
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
    """Records the number of crops of each call."""

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
    """Gives a face score of 0.9 where the square is darker than FACE_GREY."""

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        prediction = super().step(crops, state, moved)
        dim = crops.max((1, 2, 3)) < FACE_GREY
        return prediction._replace(face=np.where(dim, 0.9, prediction.face).astype(np.float32))


def layered_frame(index: int, *squares: Square, size: tuple[int, int] = (640, 360)) -> Frame:
    """A frame with faces of different grey values; later ones cover earlier ones."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for (x, y, side), grey in zip(squares, LAYERS, strict=False):
        left, top = round(x - side / 2), round(y - side / 2)
        image[max(0, top) : top + round(side), max(0, left) : left + round(side)] = grey
    return Frame(image, index, index / 25)


class LayeredDetector:
    """Finds the faces of which more than half is visible."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        boxes = []
        for grey in LAYERS:
            rows, columns = np.nonzero(image[..., 0] == grey)
            if len(rows):
                width, height = float(np.ptp(columns)), float(np.ptp(rows))
                if min(width, height) > max(width, height) / 2:
                    left, top = float(columns.min()), float(rows.min())
                    boxes.append(FaceBox(left, top, width, height, 0.9))
        return tuple(boxes)


class LayeredNetwork(SquareNetwork):
    """Puts the mean shape onto the face with the largest visible area in the crop.

    Landmarks extend beyond the square, so that faces are close before one covers the other. Their
    score decreases with the visible part.
    """

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        points, scores, face = [], [], []
        for crop in crops:
            grey = max(LAYERS, key=lambda level: self._area(crop, level))
            has_face = self._area(crop, grey) > 40
            rows, columns = np.nonzero(self._is(crop, grey)) if has_face else ([24, 40], [24, 40])
            wide, high = np.ptp(columns), np.ptp(rows)
            middle = np.array([np.mean(columns), np.mean(rows)])
            points.append(self.schema.mean_shape * 1.25 * max(wide, high) + middle)
            scores.append(np.full(len(points[-1]), min(wide, high) / max(wide, high)))
            face.append(float(has_face))
        xy = np.array(points, np.float32)
        return Prediction(xy, xy, np.array(scores, np.float32), np.array(face, np.float32), ())

    def _area(self, crop: Image, grey: int) -> int:
        return int(self._is(crop, grey).sum())

    def _is(self, crop: Image, grey: int) -> NDArray[np.bool_]:
        close: NDArray[np.bool_] = np.abs(crop[..., 0].astype(int) - grey) < 10
        return close
