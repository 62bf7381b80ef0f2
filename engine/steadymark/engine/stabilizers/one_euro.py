"""The 1€ filter, which uses no future frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.stabilizer_registry import StabilizerEntry, add_stabilizer
from steadymark.models.choice_registry import Parameter
from steadymark.models.user_text import UserText

Array = NDArray[np.float32]


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
    """

    min_cutoff_hz: float = 1.0
    beta: float = 1.5
    derivative_cutoff_hz: float = 1.0

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
        speed = state.speed + _smoothing_weight(gap_s, self.derivative_cutoff_hz) * (
            raw_speed - state.speed
        )
        cutoff_hz = self.min_cutoff_hz + self.beta * np.abs(speed) / size
        smooth = (state.xy + _smoothing_weight(gap_s, cutoff_hz) * (xy - state.xy)).astype(
            np.float32
        )
        return Landmarks(smooth, points.score), OneEuroState(t_s, smooth, speed.astype(np.float32))


def _smoothing_weight(gap_s: float, cutoff_hz: Any) -> Any:
    """Return the weight of the new value in a first-order low-pass filter."""
    ratio = 2 * np.pi * cutoff_hz * gap_s
    return ratio / (ratio + 1)


add_stabilizer(
    StabilizerEntry(
        "one-euro",
        label=UserText("One Euro filter"),
        caption=UserText("One Euro"),
        help=UserText(
            "A low-pass filter of the landmarks, whose cut-off frequency rises with their speed."
        ),
        parameters=(
            Parameter(
                "min_cutoff_hz",
                UserText("Cut-off at rest"),
                default=1.0,
                least=1e-6,
                shown_least=0.01,
                shown_most=30.0,
                unit="Hz",
                help=UserText("Cut-off frequency at rest: lower is stiller, and later."),
                tried=(0.1, 0.3, 1.0, 3.0, 10.0),
            ),
            Parameter(
                "beta",
                UserText("Beta"),
                default=1.5,
                least=0.0,
                shown_most=20.0,
                help=UserText(
                    "How fast the cut-off frequency rises with speed: higher means less lag when "
                    "the face moves."
                ),
                tried=(0.5, 1.5, 5.0, 15.0, 50.0, 150.0),
            ),
            Parameter(
                "derivative_cutoff_hz",
                UserText("Cut-off of the speed"),
                default=1.0,
                least=1e-6,
                shown_least=0.01,
                shown_most=30.0,
                unit="Hz",
                help=UserText("Cut-off frequency of the low-pass filter of the speed."),
                in_summary=False,
            ),
        ),
        make=OneEuro,
        always_recorded=True,
    )
)
