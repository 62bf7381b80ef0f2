"""The zero-phase Butterworth filter for whole recordings; it needs future frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.divergence_guard import contradicted_frames, landmark_ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAP_S = 0.5  # A longer pause between two frames splits the recording.
_PASSES = 8  # Largest number of searches for restart positions.


@dataclass(frozen=True, slots=True)
class Butterworth:
    """A low-pass filter run forwards and backwards (Winter, Biomechanics and Motor Control, ch. 3).

    Attributes:
        cutoff_hz: Frequency at which both runs together leave half of the power, in Hz.
        order: Order of a single run.

    Raises:
        UsageError: The cut-off frequency is not positive and finite.
    """

    cutoff_hz: float = 6.0
    order: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.cutoff_hz < math.inf:
            raise UsageError(
                "butterworth's cut-off must be above 0 Hz, not {cutoff_hz:g}",
                cutoff_hz=self.cutoff_hz,
            )

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
        for part in _stretches(points, times_s):
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
            flat = _at(even, t_s, flat)
        sections = butter(self.order, cutoff, fs=rate, output="sos")
        pad = min(len(xy) - 1, round(2 * rate / self.cutoff_hz))
        flat = sosfiltfilt(sections, flat, axis=0, padlen=pad)
        if uneven:
            flat = _at(t_s, even, flat)
        smooth: NDArray[np.float64] = flat.reshape(xy.shape)
        return smooth


def smooth_guarded(
    low_pass: Butterworth, points: NDArray[np.floating], times_s: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Filter a recording, but keep the result from contradicting the raw landmarks.

    Where it does (see `divergence_guard.contradicted_frames`), the filter restarts at the largest
    step of the raw landmarks there. A scene cut or a jump of the detector is therefore not smeared
    over the neighbouring frames. Where a restart does not help, the raw landmarks are kept. The
    result has no lag.

    Args:
        low_pass: The filter.
        points: Raw landmarks of one face, (T, K, 2), in pixels; NaN in frames without it.
        times_s: Increasing times, (T,), in seconds.

    Returns:
        Filtered landmarks, (T, K, 2), in pixels.
    """
    out = points.astype(np.float64)
    for part in _stretches(points, times_s):
        out[part] = _guarded(low_pass, out[part], times_s[part])
    return out


def _guarded(
    low_pass: Butterworth, raw: NDArray[np.float64], times_s: NDArray[np.floating]
) -> NDArray[np.float64]:
    if len(raw) < 2:
        return raw
    begins = np.zeros(len(raw) + 1, np.bool_)
    begins[[0, -1]] = True
    steps = np.pad(landmark_ways(raw).max(-1), 1)  # Step to each frame; 0 at both ends.
    for _ in range(_PASSES):
        steady = _in_parts(low_pass, raw, times_s, begins)
        wrong = contradicted_frames(steady, raw)
        if not wrong.any():
            return steady
        begins[_where_to_begin(wrong, np.where(begins, -1, steps))] = True
    for first, end in _runs(wrong):  # The filter ends and restarts next to raw landmarks.
        begins[[first, end]] = True
    steady = _in_parts(low_pass, raw, times_s, begins)
    wrong |= contradicted_frames(steady, raw)
    return np.where(wrong[:, None, None], raw, steady)


def _where_to_begin(wrong: NDArray[np.bool_], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the largest step (T + 1,) in each run of wrong frames, if it is large enough.

    Steps of at most half of the largest one are left for a later pass, because the large step may
    be what makes the frames beside the smaller ones wrong.
    """
    chosen = np.array([a + int(steps[a : b + 1].argmax()) for a, b in _runs(wrong)], np.int64)
    largest: NDArray[np.int64] = chosen[steps[chosen] > steps[chosen].max() / 2]
    return largest


def _in_parts(
    low_pass: Butterworth,
    raw: NDArray[np.float64],
    times_s: NDArray[np.floating],
    begins: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Filter each part separately; `begins` (T + 1,) is True at the edges of the parts."""
    edges = np.flatnonzero(begins).tolist()
    return np.concatenate([low_pass.smooth(raw[a:b], times_s[a:b]) for a, b in pairwise(edges)])


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first frame and the end of each run of True."""
    changes = np.flatnonzero(np.diff(np.pad(there, 1).astype(np.int8)))
    return [(int(a), int(b)) for a, b in changes.reshape(-1, 2)]


def _stretches(points: NDArray[np.floating], times_s: NDArray[np.floating]) -> list[slice]:
    """Return the segments of frames with all landmarks and without a long pause."""
    there = np.isfinite(points).all((1, 2))
    breaks = np.flatnonzero(
        ~(there[1:] & there[:-1]) | ~(np.diff(times_s) > 0) | (np.diff(times_s) > GAP_S)
    )
    edges = [0, *(breaks + 1).tolist(), len(points)]
    return [slice(a, b) for a, b in pairwise(edges) if there[a:b].all()]


def _at(
    wanted: NDArray[np.float64], known: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate values (T, C) linearly between the known times."""
    return np.stack([np.interp(wanted, known, column) for column in values.T], 1)
