"""Time spans and frame rates of lists of time stamps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import UsageError

Seconds = NDArray[np.float64]
_UNEVEN = 0.05


def frame_range(
    times_s: Seconds, start_s: float | None, end_s: float | None, name: str
) -> tuple[int, int]:
    """Return the first and the end index of the times in [start_s, end_s).

    Args:
        times_s: Increasing times, (N,), in seconds.
        start_s: Start, in seconds; None for the beginning.
        end_s: End, in seconds; None for the end.
        name: Name of the source, for error messages.

    Returns:
        First index and end index.

    Raises:
        UsageError: The start or end is invalid, or no time lies between them.
    """
    for given in (start_s, end_s):
        if given is not None and not (math.isfinite(given) and given >= 0):
            raise UsageError(
                "a start or end of {given} s is not possible: give seconds, 0 or more", given=given
            )
    first = 0 if start_s is None else int(np.searchsorted(times_s, start_s - 1e-9))
    end = len(times_s) if end_s is None else int(np.searchsorted(times_s, end_s - 1e-9))
    if first < end:
        return first, end
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise UsageError(
            "the start, {start_s:g} s, must be before the end, {end_s:g} s",
            start_s=start_s,
            end_s=end_s,
        )
    raise UsageError(
        "{name} has no frames in the requested part: its frames lie from "
        "{first_s:.3f} s to {last_s:.3f} s",
        name=name,
        first_s=times_s[0],
        last_s=times_s[-1],
    )


def mean_fps(times_s: Seconds) -> float | None:
    """Return the mean frame rate.

    Args:
        times_s: Increasing times, (N,), in seconds.

    Returns:
        Frames per second; None without two different times.
    """
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return None
    return float((len(times_s) - 1) / (times_s[-1] - times_s[0]))


def uneven_share(times_s: Seconds, tick_s: float) -> float:
    """Return the share of uneven intervals between frames.

    An interval is uneven if it differs from the median by more than 5 % and by more than rounding
    to ticks explains.

    Args:
        times_s: Times, (N,), in seconds.
        tick_s: Unit of the time stamps, in seconds.

    Returns:
        The share, in [0, 1].
    """
    if len(times_s) < 3:
        return 0.0
    gaps = np.diff(times_s)
    middle = float(np.median(gaps))
    return float(np.mean(np.abs(gaps - middle) > max(_UNEVEN * middle, 1.01 * tick_s)))
