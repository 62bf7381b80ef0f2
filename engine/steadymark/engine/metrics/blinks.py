"""Blinks, counted from the distance of the lids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.eye_mouth_opening import LEFT, RIGHT, eye_opening
from steadymark.engine.metrics.rest_detection import true_runs

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values

AROUND_S = 2.0  # time on either side from which the usual opening is taken
DEPTH = 0.35  # how far the lids close at least, as a share of the usual opening
LONGEST_S = 0.5  # eyes that stay shut for longer are closed or look down
_HALF = 0.5  # a blink lasts while the lids are closed by more than this share of its depth


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink.

    Attributes:
        start_s: Time at which the lids are half closed.
        end_s: Time at which they are half open again.
        deepest_s: Time of the smallest opening.
        depth: How far they closed, as a share of the usual opening.
    """

    start_s: float
    end_s: float
    deepest_s: float
    depth: float

    @property
    def duration_s(self) -> float:
        """Duration at half depth in seconds."""
        return self.end_s - self.start_s


def find_blinks(points: Real, times_s: Values, *, depth: float = DEPTH) -> list[Blink]:
    """Return the blinks of a face.

    The usual opening of an eye at a moment is the 80th percentile of its openings within two
    seconds. A blink is an interval of at most half a second in which the openings of both eyes
    fall by at least 35 % of it, and rise again. A wink of one eye is no blink.

    Args:
        points: Stabilized landmarks of the 68-point schema, (T, 68, 2), NaN without the face.
        times_s: Increasing times, (T,), in seconds.
        depth: The least depth of a blink, as a share of the usual opening.

    Returns:
        The blinks in order of time. Blinks of which the face is not seen before, during and after
        are left out.
    """
    closed = lid_closure(points, times_s)
    blinks: list[Blink] = []
    for run in true_runs(closed >= depth):
        peak = run.start + int(np.argmax(closed[run]))
        first, last = _half_depth(closed, peak)
        if first is None or last is None:
            continue
        begin, end = _crossing(closed, times_s, peak, first), _crossing(closed, times_s, peak, last)
        if end - begin <= LONGEST_S and not (blinks and begin <= blinks[-1].end_s):
            blinks.append(Blink(begin, end, float(times_s[peak]), float(closed[peak])))
    return blinks


def lid_closure(points: Real, times_s: Values) -> Values:
    """Return how far the lids of both eyes are closed: 0 as usual, towards 1 shut.

    Where one eye is more closed than the other, the other one counts.

    Args:
        points: Landmarks of the 68-point schema, (T, 68, 2).
        times_s: Increasing times, (T,), in seconds.

    Returns:
        (T,) closures; NaN without the face.
    """
    return np.minimum(*(_closure(eye_opening(points, eye), times_s) for eye in (RIGHT, LEFT)))


def _closure(opening: Values, times_s: Values) -> Values:
    """Return the closure of one eye from its opening in each frame, (T,)."""
    usual = np.full(len(opening), np.nan)
    starts = np.searchsorted(times_s, times_s - AROUND_S)
    stops = np.searchsorted(times_s, times_s + AROUND_S, side="right")
    for i, (start, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        near = opening[start:stop]
        known = near[np.isfinite(near)]
        if len(known):
            usual[i] = np.percentile(known, 80)
    with np.errstate(invalid="ignore", divide="ignore"):
        closure: Values = 1 - opening / usual
    return closure


def _half_depth(closed: Values, peak: int) -> tuple[int | None, int | None]:
    """Return the nearest frames before and after a peak that are less than half as deep."""
    half = _HALF * closed[peak]
    found: list[int | None] = []
    for step in (-1, 1):
        i = peak + step
        while 0 <= i < len(closed) and closed[i] >= half:
            i += step
        seen = 0 <= i < len(closed) and np.isfinite(closed[i])
        found.append(i if seen else None)
    return found[0], found[1]


def _crossing(closed: Values, times_s: Values, peak: int, outside: int) -> float:
    """Return when the closure crosses half the depth, between two frames."""
    inside = outside + (1 if outside < peak else -1)
    a, b = closed[outside], closed[inside]
    share = 0.5 if b == a else (_HALF * closed[peak] - a) / (b - a)
    return float(times_s[outside] + np.clip(share, 0, 1) * (times_s[inside] - times_s[outside]))
