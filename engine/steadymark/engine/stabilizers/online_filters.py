"""Stabilizers over points. Networks that stabilize carry theirs inside their graph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.divergence_guard import RawHistory, contradicts, update_history
from steadymark.models.runtime.zoo import FLOW

if TYPE_CHECKING:
    from steadymark.engine.core.protocols import Stabilizer

Array = NDArray[np.float32]


class NoStabilizer:
    """Points stay as they are given."""

    def start(self) -> None:
        """No memory."""

    def step(self, points: Landmarks, t_s: float, state: None) -> tuple[Landmarks, None]:
        """The same object."""
        return points, None


@dataclass(frozen=True, slots=True, eq=False)
class OneEuroState:
    """Of the last frame: its time, the smoothed points and their smoothed speed."""

    t_s: float = -1.0
    xy: Array | None = None
    speed: Array | None = None


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The 1€ filter (Casiez, Roussel and Vogel, CHI 2012), per coordinate, by time.

    min_cutoff_hz: cut-off at rest. beta: how fast it rises with speed. derivative_cutoff_hz: of
    the speed's own low pass. Coordinates are divided by the face's size (root mean square distance
    of its landmarks from their centre), so that one setting serves every size.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 1.5
    derivative_cutoff_hz: float = 1.0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("minimal cut-off", self.min_cutoff_hz, 1e-6),
            ("beta", self.beta, 0.0),
            ("derivative's cut-off", self.derivative_cutoff_hz, 1e-6),
        ):
            if not least <= value < math.inf:
                raise UsageError(
                    "one-euro's {name} must be {least:g} or more, not {value:g}",
                    name=name,
                    least=least,
                    value=value,
                )

    def start(self) -> OneEuroState:
        """Nothing seen yet."""
        return OneEuroState()

    def step(
        self, points: Landmarks, t_s: float, state: OneEuroState
    ) -> tuple[Landmarks, OneEuroState]:
        """Frames that are not later than the one before pass through and restart the filter."""
        xy = points.xy_px
        gap_s = t_s - state.t_s
        if state.xy is None or state.speed is None or not 0 < gap_s < 1:
            return points, OneEuroState(t_s, xy, np.zeros_like(xy))
        size = float(np.sqrt(np.mean(np.sum((xy - xy.mean(0)) ** 2, -1)))) or 1.0
        raw_speed = (xy - state.xy) / gap_s
        speed = state.speed + _share(gap_s, self.derivative_cutoff_hz) * (raw_speed - state.speed)
        cutoff_hz = self.min_cutoff_hz + self.beta * np.abs(speed) / size
        smooth = (state.xy + _share(gap_s, cutoff_hz) * (xy - state.xy)).astype(np.float32)
        return Landmarks(smooth, points.score), OneEuroState(t_s, smooth, speed.astype(np.float32))


def _share(gap_s: float, cutoff_hz: Any) -> Any:
    """Weight of the new value in a first-order low pass."""
    turn = 2 * np.pi * cutoff_hz * gap_s
    return turn / (turn + 1)


@dataclass(frozen=True, slots=True, eq=False)
class GuardedStabilizerState:
    """Memory of the filter itself, and the course of the raw points."""

    inner: Any
    raw: RawHistory | None = None


@dataclass(frozen=True, slots=True)
class GuardedStabilizer:
    """A filter over points that begins anew, from the raw ones, where it contradicts them."""

    inner: Stabilizer[Any]

    def start(self) -> GuardedStabilizerState:
        """Nothing seen yet."""
        return GuardedStabilizerState(self.inner.start())

    def step(
        self, points: Landmarks, t_s: float, state: GuardedStabilizerState
    ) -> tuple[Landmarks, GuardedStabilizerState]:
        """One frame: see `guard.contradicts`."""
        steady, memory = self.inner.step(points, t_s, state.inner)
        if contradicts(steady, points, state.raw):
            steady, memory = self.inner.step(points, t_s, self.inner.start())
        return steady, GuardedStabilizerState(memory, update_history(state.raw, points))


AUTO = "auto"  # what a model stabilizes itself by, else flow
OFFLINE = "butterworth"  # over whole recordings, see offline.py
CELLS = (FLOW, "refine", "convlstm")  # recurrent networks, see zoo.stabilized
ONE_EURO = "one-euro"
STABILIZERS = (AUTO, "none", *CELLS, ONE_EURO, OFFLINE)


def make_stabilizer(name: str, one_euro: OneEuro | None = None) -> Stabilizer[Any]:
    """What is done to the points outside the network, for the choice of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in STABILIZERS:
        raise UsageError(
            "unknown stabilizer '{name}': choose one of {known}",
            name=name,
            known=", ".join(STABILIZERS),
        )
    return GuardedStabilizer(one_euro or OneEuro()) if name == ONE_EURO else NoStabilizer()
