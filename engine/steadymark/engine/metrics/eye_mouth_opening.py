"""Opening of eyes and mouth, whose amplitude and timing a stabilizer must preserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import outer_eye_distance
from steadymark.engine.metrics.stability import lag_frames

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values

RIGHT = ((37, 41), (38, 40))  # pairs of upper and lower lid of the person's right eye
LEFT = ((43, 47), (44, 46))
_LIPS = ((61, 67), (62, 66), (63, 65))
MOVES = 2.0  # Least amplitude that counts as motion, in % of the outer-eye distance; less is noise.


def eye_opening(points: Real, lids: tuple[tuple[int, int], ...] = (*RIGHT, *LEFT)) -> Values:
    """Return the mean distance between upper and lower eyelids.

    Args:
        points: Landmarks of the 68-point schema, (T, 68, 2).
        lids: Pairs of landmarks of the upper and lower lid, by default of both eyes.

    Returns:
        Openings, (T,), in percent of the outer-eye distance.
    """
    return _apart(points, lids)


def mouth_opening(points: Real) -> Values:
    """Return the mean distance between the inner edges of the upper and lower lips.

    Args:
        points: Landmarks of the 68-point schema, (T, 68, 2).

    Returns:
        Openings, (T,), in percent of the outer-eye distance.
    """
    return _apart(points, _LIPS)


def amplitude(opening: Values) -> float:
    """Return the amplitude of an opening: its 98th percentile minus its 2nd percentile.

    Args:
        opening: Opening in each frame, (T,); NaN values are ignored.

    Returns:
        The amplitude, in the unit of `opening`; NaN with fewer than two finite values.
    """
    finite = opening[np.isfinite(opening)]
    if len(finite) < 2:
        return float("nan")
    low, high = np.percentile(finite, (2, 98))
    return float(high - low)


def kept_amplitude(opening: Values, reference: Values) -> float:
    """Return the amplitude of an opening divided by the amplitude of a reference opening.

    Frames in which either opening is NaN are left out of both.

    Args:
        opening: Opening in each frame, (T,), in percent of the outer-eye distance.
        reference: True or raw opening in each frame, (T,), in percent of the outer-eye distance.

    Returns:
        The ratio, where 1 means that the amplitude is preserved; NaN where the reference's
            amplitude is below `MOVES`.
    """
    finite = np.isfinite(opening) & np.isfinite(reference)
    whole = amplitude(reference[finite])
    return amplitude(opening[finite]) / whole if whole >= MOVES else float("nan")


def opening_lag(opening: Values, reference: Values) -> float:
    """Return by how many frames an opening follows a reference opening; see `lag_frames`.

    Args:
        opening: Opening in each frame, (T,).
        reference: True or raw opening in each frame, (T,).

    Returns:
        The lag, in frames.
    """
    return lag_frames(opening[:, None, None], reference[:, None, None])


def _apart(points: Real, pairs: tuple[tuple[int, int], ...]) -> Values:
    a, b = (points[:, [pair[i] for pair in pairs]].astype(np.float64) for i in (0, 1))
    distance: Values = np.linalg.norm(a - b, axis=-1).mean(-1)
    return distance / outer_eye_distance(points) * 100
