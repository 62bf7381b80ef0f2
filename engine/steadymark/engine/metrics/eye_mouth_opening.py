"""How far eyes and mouth open: what a stabilizer must leave as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import outer_eye_distance
from steadymark.engine.metrics.stability import lag_frames

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values

_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))
_LIPS = ((61, 67), (62, 66), (63, 65))
MOVES = 2.0  # % of the outer-eye distance: an opening of less amplitude is noise, and called still


def eye_opening(points: Real) -> Values:
    """(T, 68, 2) → (T,): mean distance of upper and lower lids, % of the outer-eye distance."""
    return _apart(points, _LIDS)


def mouth_opening(points: Real) -> Values:
    """(T, 68, 2) → (T,): mean distance of the inner lips, % of the outer-eye distance."""
    return _apart(points, _LIPS)


def amplitude(opening: Values) -> float:
    """How far an opening goes over a video: its 98th percentile over its 2nd; NaN not counted."""
    there = opening[np.isfinite(opening)]
    if len(there) < 2:
        return float("nan")
    low, high = np.percentile(there, (2, 98))
    return float(high - low)


def kept_amplitude(opening: Values, reference: Values) -> float:
    """Amplitude of an opening (T,) divided by that of the true or raw one (T,); 1: all is kept.

    Frames in which either is NaN count for neither. NaN where the reference goes by less than
    MOVES.
    """
    there = np.isfinite(opening) & np.isfinite(reference)
    whole = amplitude(reference[there])
    return amplitude(opening[there]) / whole if whole >= MOVES else float("nan")


def opening_lag(opening: Values, reference: Values) -> float:
    """By how many frames an opening (T,) comes after the true or raw one (T,), see `lag_frames`."""
    return lag_frames(opening[:, None, None], reference[:, None, None])


def _apart(points: Real, pairs: tuple[tuple[int, int], ...]) -> Values:
    a, b = (points[:, [pair[i] for pair in pairs]].astype(np.float64) for i in (0, 1))
    distance: Values = np.linalg.norm(a - b, axis=-1).mean(-1)
    return distance / outer_eye_distance(points) * 100
