"""The fast part of the motion of landmarks, which also tells jitter while the face moves.

MAV and MCV need a face at rest. While it moves, jitter can still be told from the slow course of
the motion: jitter changes from frame to frame, and heads and lips mostly move more slowly than
5 Hz. What is left without the slow course is jitter and the fastest real motion (blinks, fast
nods), so the figure is read as a comparison of raw and stabilized landmarks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.stabilizers.guarded_filters import complete_segments

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.metrics.accuracy import Real, Values

SLOW_HZ = 5.0  # frequencies below this are the slow course
LEAST_FPS = 15.0  # frame rate below which the fast part cannot be told from the slow one
LEAST_S = 0.5  # duration of the shortest segment that is measured
_PART = 4000  # frames that are filtered at once, which limits the memory


def fast_motion(
    points: Real,
    times_s: Real,
    size_px: float,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> float:
    """Return the size of the motion that is faster than 5 Hz.

    The slow course is removed as by a Butterworth filter of second order that runs forwards and
    backwards, so it has no lag. The value is the distance from the slow course: in each frame the
    median over landmarks, so that blinks and speech, which move few landmarks, count little, and
    then the median over frames, so that scene cuts and short fast motion count little.

    Args:
        points: Landmarks, (T, K, 2), in pixels, with NaN in frames without the face.
        times_s: Increasing times, (T,), in seconds.
        size_px: Mean outer-eye distance, in pixels.
        stop: Is called between parts and returns whether the result is no longer wanted.

    Returns:
        The motion, in percent of the outer-eye distance; NaN if the frame rate is below 15 frames
            per second, or if no segment lasts half a second.
    """
    distances = []
    for part in _parts(points, times_s):
        if stop():
            break
        xy, t_s = points[part].astype(np.float64), times_s[part].astype(np.float64)
        if _is_measurable(t_s):
            fast = _fast_part(xy.reshape(len(xy), -1), t_s).reshape(xy.shape)
            distances.append(np.median(np.linalg.norm(fast, axis=-1), axis=1))
    if not distances or not size_px > 0:
        return float("nan")
    return float(np.median(np.concatenate(distances)) / size_px * 100)


def _fast_part(values: Values, times_s: Values) -> Values:
    """Return values (T, C) without their slow course; uneven times are made even.

    It works in the frequency domain, since SciPy's filters take a second to import.
    """
    count, rate = len(values), (len(values) - 1) / (times_s[-1] - times_s[0])
    even = np.linspace(times_s[0], times_s[-1], count)
    if np.abs(even - times_s).max() > 0.02 / rate:
        values = np.stack([np.interp(even, times_s, column) for column in values.T], 1)
    pad = min(count - 1, round(2 * rate / SLOW_HZ))
    before = 2 * values[:1] - values[pad:0:-1]
    after = 2 * values[-1:] - values[-2 : -pad - 2 : -1]
    padded = np.concatenate((before, values, after))
    line = np.linspace(0, 1, len(padded))[:, None]
    padded -= padded[:1] + line * (padded[-1:] - padded[:1])  # both ends meet for the transform
    frequency = np.fft.rfftfreq(len(padded), 1 / rate)[:, None]
    fourth = (frequency / SLOW_HZ) ** 4
    spectrum = np.fft.rfft(padded, axis=0) * (fourth / (1 + fourth))
    fast: Values = np.fft.irfft(spectrum, len(padded), axis=0)[pad : pad + count]
    return fast


def _parts(points: Real, times_s: Real) -> list[slice]:
    """Return the segments in which the face is followed, divided into parts of similar length."""
    parts = []
    for segment in complete_segments(points, times_s):
        count = max(1, -(-(segment.stop - segment.start) // _PART))
        edges = np.linspace(segment.start, segment.stop, count + 1).round().astype(int)
        parts += [slice(int(a), int(b)) for a, b in pairwise(edges)]
    return parts


def _is_measurable(times_s: Real) -> bool:
    duration_s = float(times_s[-1] - times_s[0])
    return duration_s >= LEAST_S and (len(times_s) - 1) / duration_s >= LEAST_FPS
