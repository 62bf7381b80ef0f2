"""Fake networks that can be blocked at a frame, so that tests do not depend on timing."""

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
    """Blocks threads until `open` is called. reached: set when a thread waits at the gate."""

    reached: Event = field(default_factory=Event)
    _opened: Event = field(default_factory=Event)

    def open(self) -> None:
        self._opened.set()

    def pass_through(self) -> None:
        self.reached.set()
        assert self._opened.wait(30), "nobody opened the gate"


class GatedNetwork:
    """The fake network, which waits at the gate after `after` predictions."""

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
    """Fake networks that wait at the gate. after: predictions before that."""
    return replace(square_models(), network=GatedNetwork(gate, after))


class SlowNetwork:
    """The fake network, so slow that a video can be stopped before its end."""

    def __init__(self) -> None:
        self._network = square_models().network
        self.card, self.device = self._network.card, "cpu"

    def step(self, crops: Image, state: object = None, moved: object = None) -> Prediction:
        time.sleep(0.05)
        return self._network.step(crops)


def slow_models(_: TrackSettings) -> OpenModels:
    """Slow fake networks, for tests with processes."""
    return replace(square_models(), network=SlowNetwork())
