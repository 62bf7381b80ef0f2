"""Fakes of the parts of the engine, and images in which they find a bright square."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import FaceBox, Frame, SourceInfo
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.onnx_session import Moves, Prediction
from steadymark.models.runtime.zoo import ModelCard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import TrackResult
    from steadymark.models.face.crop import Image
    from steadymark.models.user_text import UserText

FACE_GREY = 200


def square_image(
    face: tuple[float, float, float] | None, *, width: int = 320, height: int = 240
) -> Image:
    """A black image with a bright square as the face (x, y, side), or without."""
    image = np.zeros((height, width, 3), np.uint8)
    if face is not None:
        x, y, side = face
        left, top = round(x - side / 2), round(y - side / 2)
        image[max(0, top) : top + round(side), max(0, left) : left + round(side)] = FACE_GREY
    return image


def frame(index: int, face: tuple[float, float, float] | None, *, fps: float = 25) -> Frame:
    """A frame with such an image."""
    return Frame(square_image(face), index, index / fps)


class SquareDetector:
    """Finds the bright square; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        self.calls += 1
        rows, columns = np.nonzero(image[..., 0] > FACE_GREY / 2)
        if not len(rows):
            return ()
        left, top = float(columns.min()), float(rows.min())
        return (FaceBox(left, top, columns.max() - left, rows.max() - top, 0.9),)


class SquareNetwork:
    """Puts the mean shape onto the bright part of the crop; face score 1, or 0 without one."""

    device = "cpu"

    def __init__(self) -> None:
        self.card = ModelCard("square", "landmarks", Path(), "0", "MIT", "ibug68", 64, 1.4)
        self.schema = load_schema()

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        points, face = [], []
        for crop in crops:
            rows, columns = np.nonzero(crop[..., 0] > FACE_GREY / 2)
            has_face = len(rows) > 40
            face.append(1.0 if has_face else 0.0)
            centre = (columns.mean(), rows.mean()) if has_face else (32, 32)
            side = max(np.ptp(columns), np.ptp(rows)) if has_face else 10
            points.append(self.schema.mean_shape * side + np.array(centre))
        xy = np.array(points, np.float32)
        scores = np.ones(xy.shape[:2], np.float32)
        return Prediction(xy, xy, scores, np.array(face, np.float32), ())


class ListSource:
    """Frames from memory; waits for `gate`, if given, before each."""

    def __init__(
        self, frames: list[Frame], *, live: bool = False, gate: Event | None = None
    ) -> None:
        self._frames, self._gate, self._closed = frames, gate, Event()
        self.problems: tuple[UserText, ...] = ()
        self.dropped = 0
        self.info = SourceInfo("list", "", 320, 240, 25.0, len(frames), live)

    def frames(self) -> Iterator[Frame]:
        for item in self._frames:
            while self._gate is not None and not self._gate.wait(0.05):
                if self._closed.is_set():
                    return
            if self._closed.is_set():
                return
            yield item

    def close(self) -> None:
        self._closed.set()


@dataclass
class ListSink:
    """Stores results; can be made to fail, or to wait for the event `held`."""

    fail_at: int | None = None
    fail_open: bool = False
    held: Event | None = None
    path: str = "memory"
    results: list[TrackResult] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    done: Event = field(default_factory=Event)

    def open(self, info: SourceInfo) -> None:
        if self.fail_open:
            raise SinkError("the sink cannot be opened")

    def write(self, result: TrackResult) -> None:
        if self.held is not None:
            self.held.wait(5)
        if len(self.results) == self.fail_at:
            raise SinkError("the disk is full")
        self.results.append(result)

    def close(self, *, complete: bool) -> None:
        self.closed.append(complete)
        self.done.set()
