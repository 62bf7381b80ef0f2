"""The zero-lag Butterworth filter: for whole recordings, since it looks at frames to come."""

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

GAP_S = 0.5  # a longer pause between two frames divides a recording in two
_PASSES = 8  # of looking where to begin anew


@dataclass(frozen=True, slots=True)
class Butterworth:
    """A low pass run forwards and backwards (Winter, Biomechanics and Motor Control, ch. 3).

    cutoff_hz: where both runs together leave half of the power. order: of a single run.
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
        """(T, K, 2) at (T,) rising times → the same, smoothed; NaN stays and divides.

        Uneven times are filtered on an even grid of as many samples. Stretches of less than four
        frames, or of a rate too low for the cut-off, stay as they are.
        """
        out = points.astype(np.float64)
        for part in _stretches(points, times_s):
            out[part] = self._smooth(out[part], times_s[part].astype(np.float64))
        return out

    def _smooth(self, xy: NDArray[np.float64], t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(xy) < 4 or t_s[-1] <= t_s[0]:
            return xy
        rate = (len(xy) - 1) / (t_s[-1] - t_s[0])
        # two runs multiply: each is to leave the square root of the half (Winter, 1/C of p. 69)
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
    """What a filter makes of a recording where it does not contradict the raw landmarks.

    Where it does (see `guard.contradicted_frames`), it begins anew, at the largest step of the raw
    landmarks there: a scene cut or a jump of the detector is not smeared over the frames around it.
    Where even that does not help, the raw landmarks stay. Like the filter it has no lag.

    Args:
        low_pass: the filter.
        points: (T, K, 2) raw landmarks of one face, NaN where it is not seen.
        times_s: (T,), rising.
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
    steps = np.pad(landmark_ways(raw).max(-1), 1)  # to each frame; none to the first, nor the end
    for _ in range(_PASSES):
        steady = _in_parts(low_pass, raw, times_s, begins)
        wrong = contradicted_frames(steady, raw)
        if not wrong.any():
            return steady
        begins[_where_to_begin(wrong, np.where(begins, -1, steps))] = True
    for first, end in _runs(wrong):  # what lies beside raw landmarks ends and begins near them
        begins[[first, end]] = True
    steady = _in_parts(low_pass, raw, times_s, begins)
    wrong |= contradicted_frames(steady, raw)
    return np.where(wrong[:, None, None], raw, steady)


def _where_to_begin(wrong: NDArray[np.bool_], steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """The largest step of each run of wrong frames, smaller ones than half of all's left for later.

    A large one may be what makes the frames beside smaller ones wrong. steps: (T + 1,).
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
    """The filter, anew in each part. begins: (T + 1,), True at both ends."""
    edges = np.flatnonzero(begins).tolist()
    return np.concatenate([low_pass.smooth(raw[a:b], times_s[a:b]) for a, b in pairwise(edges)])


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frames and ends of the runs of True."""
    changes = np.flatnonzero(np.diff(np.pad(there, 1).astype(np.int8)))
    return [(int(a), int(b)) for a, b in changes.reshape(-1, 2)]


def _stretches(points: NDArray[np.floating], times_s: NDArray[np.floating]) -> list[slice]:
    """Runs of frames with all points, without a long pause."""
    there = np.isfinite(points).all((1, 2))
    breaks = np.flatnonzero(
        ~(there[1:] & there[:-1]) | ~(np.diff(times_s) > 0) | (np.diff(times_s) > GAP_S)
    )
    edges = [0, *(breaks + 1).tolist(), len(points)]
    return [slice(a, b) for a, b in pairwise(edges) if there[a:b].all()]


def _at(
    wanted: NDArray[np.float64], known: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(T, C) by straight lines between known times."""
    return np.stack([np.interp(wanted, known, column) for column in values.T], 1)
