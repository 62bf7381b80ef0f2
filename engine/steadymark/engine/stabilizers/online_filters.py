"""Online filters of landmarks. Networks that stabilize contain their filter in their graph."""

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
    """A stabilizer that returns the raw landmarks unchanged."""

    def start(self) -> None:
        """Return the initial state; there is none."""

    def step(self, points: Landmarks, t_s: float, state: None) -> tuple[Landmarks, None]:
        """Return the same landmarks."""
        return points, None


@dataclass(frozen=True, slots=True, eq=False)
class OneEuroState:
    """State of the 1€ filter after a frame.

    Attributes:
        t_s: Time of the frame, in seconds.
        xy: Smoothed landmarks, (K, 2), in pixels; None before the first frame.
        speed: Smoothed speed, (K, 2), in pixels per second; None before the first frame.
    """

    t_s: float = -1.0
    xy: Array | None = None
    speed: Array | None = None


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The 1€ filter (Casiez, Roussel and Vogel, CHI 2012), applied to each coordinate.

    The speed is divided by the face's size (root mean square distance of its landmarks from their
    centre), so that one setting fits every size.

    Attributes:
        min_cutoff_hz: Cut-off frequency at rest, in Hz.
        beta: How fast the cut-off rises with speed.
        derivative_cutoff_hz: Cut-off frequency of the speed's own low-pass filter, in Hz.

    Raises:
        UsageError: A parameter is out of range.
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
        """Return the state before the first frame."""
        return OneEuroState()

    def step(
        self, points: Landmarks, t_s: float, state: OneEuroState
    ) -> tuple[Landmarks, OneEuroState]:
        """Filter one frame.

        The filter restarts, and the landmarks pass through, if the frame is not later than the
        previous one or follows after a second or more.

        Args:
            points: Raw landmarks of the frame.
            t_s: Time of the frame, in seconds.
            state: State after the previous frame.

        Returns:
            The filtered landmarks and the new state.
        """
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
    """Return the weight of the new value in a first-order low-pass filter."""
    turn = 2 * np.pi * cutoff_hz * gap_s
    return turn / (turn + 1)


@dataclass(frozen=True, slots=True, eq=False)
class GuardedStabilizerState:
    """State of a guarded stabilizer.

    Attributes:
        inner: State of the guarded filter.
        raw: History of the raw landmarks; None before the first frame.
    """

    inner: Any
    raw: RawHistory | None = None


@dataclass(frozen=True, slots=True)
class GuardedStabilizer:
    """A filter that restarts from the raw landmarks when it contradicts them.

    Attributes:
        inner: The guarded filter.
    """

    inner: Stabilizer[Any]

    def start(self) -> GuardedStabilizerState:
        """Return the state before the first frame."""
        return GuardedStabilizerState(self.inner.start())

    def step(
        self, points: Landmarks, t_s: float, state: GuardedStabilizerState
    ) -> tuple[Landmarks, GuardedStabilizerState]:
        """Filter one frame; see `divergence_guard.contradicts`.

        Args:
            points: Raw landmarks of the frame.
            t_s: Time of the frame, in seconds.
            state: State after the previous frame.

        Returns:
            The filtered landmarks and the new state.
        """
        steady, memory = self.inner.step(points, t_s, state.inner)
        if contradicts(steady, points, state.raw):
            steady, memory = self.inner.step(points, t_s, self.inner.start())
        return steady, GuardedStabilizerState(memory, update_history(state.raw, points))


AUTO = "auto"  # The model's own stabilizer, or else flow.
OFFLINE = "butterworth"  # For whole recordings; see butterworth.py.
CELLS = (FLOW, "refine", "convlstm")  # Recurrent networks; see zoo.stabilized.
ONE_EURO = "one-euro"
STABILIZERS = (AUTO, "none", *CELLS, ONE_EURO, OFFLINE)


def make_stabilizer(name: str, one_euro: OneEuro | None = None) -> Stabilizer[Any]:
    """Return the filter that is applied outside the network for a stabilizer.

    Args:
        name: Name of the stabilizer.
        one_euro: Settings of the 1€ filter; None for the defaults.

    Returns:
        The filter; `NoStabilizer` where the network stabilizes or nothing is filtered online.

    Raises:
        UsageError: The name is unknown.
    """
    if name not in STABILIZERS:
        raise UsageError(
            "unknown stabilizer '{name}': choose one of {known}",
            name=name,
            known=", ".join(STABILIZERS),
        )
    return GuardedStabilizer(one_euro or OneEuro()) if name == ONE_EURO else NoStabilizer()
