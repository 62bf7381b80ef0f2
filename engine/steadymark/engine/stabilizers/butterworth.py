"""The zero-phase Butterworth filter for whole recordings; it needs future frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.stabilizers.guarded_filters import complete_segments
from steadymark.engine.stabilizers.stabilizer_registry import StabilizerEntry, add_stabilizer
from steadymark.models.choice_registry import Parameter
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Butterworth:
    """A low-pass filter run forwards and backwards (Winter, Biomechanics and Motor Control, ch. 3).

    Attributes:
        cutoff_hz: Frequency at which both runs together leave half of the power, in Hz.
        order: Order of a single run.
    """

    cutoff_hz: float = 6.0
    order: int = 2

    def smooth(
        self, points: NDArray[np.floating], times_s: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Filter landmarks without lag.

        Unevenly timed frames are resampled to an even grid with the same number of samples, and
        back. Segments of fewer than four frames, or with a frame rate that is too low for the
        cut-off, stay unchanged.

        Args:
            points: Landmarks, (T, K, 2), in pixels. NaN stays NaN and separates segments.
            times_s: Increasing times, (T,), in seconds.

        Returns:
            Filtered landmarks, (T, K, 2), in pixels.
        """
        out = points.astype(np.float64)
        for part in complete_segments(points, times_s):
            out[part] = self._smooth(out[part], times_s[part].astype(np.float64))
        return out

    def _smooth(self, xy: NDArray[np.float64], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(xy) < 4 or t_s[-1] <= t_s[0]:
            return xy
        rate = (len(xy) - 1) / (t_s[-1] - t_s[0])
        # The two runs multiply, so each must leave √½ of the power (Winter, 1/C on p. 69).
        cutoff = self.cutoff_hz / (np.sqrt(2) - 1) ** (1 / (2 * self.order))
        if cutoff >= rate / 2:
            return xy
        from scipy.signal import butter, sosfiltfilt

        even = np.linspace(t_s[0], t_s[-1], len(xy))
        flat = xy.reshape(len(xy), -1)
        uneven = np.abs(even - t_s).max() > 0.02 / rate
        if uneven:
            flat = _interpolated(even, t_s, flat)
        sections = butter(self.order, cutoff, fs=rate, output="sos")
        pad = min(len(xy) - 1, round(2 * rate / self.cutoff_hz))
        flat = sosfiltfilt(sections, flat, axis=0, padlen=pad)
        if uneven:
            flat = _interpolated(t_s, even, flat)
        smooth: NDArray[np.float64] = flat.reshape(xy.shape)
        return smooth


def _interpolated(
    wanted: NDArray[np.float64], known: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate values (T, C) linearly between the known times."""
    return np.stack([np.interp(wanted, known, column) for column in values.T], 1)


add_stabilizer(
    StabilizerEntry(
        "butterworth",
        label=UserText("Butterworth, no lag"),
        caption=UserText("Butterworth"),
        help=UserText("A low-pass filter without lag, which needs the whole recording."),
        parameters=(
            Parameter(
                "cutoff_hz",
                UserText("Cut-off"),
                default=6.0,
                least=1e-6,
                shown_least=0.1,
                shown_most=60.0,
                step=0.5,
                unit="Hz",
                help=UserText("Cut-off frequency: lower is stiller, but fast motion is lost."),
                tried=(1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0),
            ),
            Parameter(
                "order",
                UserText("Order"),
                default=2,
                least=1,
                most=10,
                step=1,
                whole=True,
                help=UserText("Order of the filter: higher cuts off more sharply."),
                in_summary=False,
            ),
        ),
        make=Butterworth,
        needs_future=True,
        always_recorded=True,
    )
)
