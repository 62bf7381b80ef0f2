"""Fakes of the networks that can be held at a frame, so that no test depends on who is faster."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from support.videos.square_video import square_models

if TYPE_CHECKING:
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Prediction


@dataclass
class Gate:
    """reached: something waits at it. Closed until `open`."""

    reached: Event = field(default_factory=Event)
    _opened: Event = field(default_factory=Event)

    def open(self) -> None:
        self._opened.set()

    def pass_through(self) -> None:
        self.reached.set()
        assert self._opened.wait(30), "nobody opened the gate"


class GatedNetwork:
    """The fakes' network, which waits at the gate after so many looks."""

    def __init__(self, gate: Gate, after: int) -> None:
        self._gate, self._left = gate, after
        self._network = square_models().network
        self.card, self.device = self._network.card, "cpu"

    def step(self, crops: Image, state: object = None, moved: object = None) -> Prediction:
        if self._left == 0:
            self._gate.pass_through()
        self._left -= 1
        return self._network.step(crops)


def gated_models(gate: Gate, *, after: int) -> OpenModels:
    """Fakes of the networks; after: looks at a face."""
    return replace(square_models(), network=GatedNetwork(gate, after))  # type: ignore[arg-type]


class SlowNetwork:
    """The fakes' network, too slow to come to the end of a film before somebody stops it."""

    def __init__(self) -> None:
        self._network = square_models().network
        self.card, self.device = self._network.card, "cpu"

    def step(self, crops: Image, state: object = None, moved: object = None) -> Prediction:
        time.sleep(0.05)
        return self._network.step(crops)


def slow_models(_: TrackSettings) -> OpenModels:
    """Fakes of the networks, for processes."""
    return replace(square_models(), network=SlowNetwork())  # type: ignore[arg-type]
