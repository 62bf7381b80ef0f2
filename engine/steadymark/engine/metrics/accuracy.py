"""How far landmarks lie from where they should: NRMSE, failure rate, area under the curve.

NRMSE is what others call NME: the mean distance of a face's points, in % of a length of the face.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Real = NDArray[np.floating]
Values = NDArray[np.float64]
Length = Callable[[Real], Values]

EYE_CORNERS = (36, 45)
_EYES = (slice(36, 42), slice(42, 48))


def outer_eye_distance(points: Real, corners: tuple[int, int] = EYE_CORNERS) -> Values:
    """points: (..., K, 2) → (...), the distance of the outer eye corners."""
    return _distance(points[..., corners[0], :], points[..., corners[1], :])


def inter_pupil_distance(points: Real) -> Values:
    """points: (..., 68, 2) → (...), the distance of the eyes' centres."""
    right, left = (points[..., eye, :].mean(-2, dtype=np.float64) for eye in _EYES)
    return _distance(right, left)


def box_diagonal(points: Real) -> Values:
    """points: (..., K, 2) → (...), the diagonal of their upright box."""
    return np.hypot(*_extent(points))


def box_size(points: Real) -> Values:
    """points: (..., K, 2) → (...), √(width · height) of their upright box."""
    width, height = _extent(points)
    return np.sqrt(width * height)


def point_errors(predicted: Real, truth: Real, length: Length = outer_eye_distance) -> Values:
    """Distance of each point, in % of a length of the true face.

    predicted, truth: (..., K, 2) → (..., K). NaN where either is.
    """
    errors: Values = _distance(predicted, truth) / length(truth)[..., None] * 100
    return errors


def nrmse(predicted: Real, truth: Real, length: Length = outer_eye_distance) -> Values:
    """Mean distance of the points of each face, in % of a length of the true face.

    predicted, truth: (..., K, 2) → (...). NaN where the face was not found.
    """
    error: Values = point_errors(predicted, truth, length).mean(-1)
    return error


def failure_rate(errors: Real, bound: float = 8.0) -> float:
    """Share of faces whose error reaches the bound, in [0, 1]; a face not found (NaN) fails.

    errors: (N,) in %, N ≥ 1. bound: in %.
    """
    return float(1 - np.mean(_some(errors) < bound))


def auc(errors: Real, bound: float = 8.0) -> float:
    """Area under the cumulative error curve from 0 to the bound, divided by the bound.

    The curve is the share of faces with an error up to x, so each face adds what lies between its
    error and the bound: exact, without bins. errors: (N,) in %, N ≥ 1; NaN adds nothing.
    """
    return float(np.mean(np.clip(1 - np.nan_to_num(_some(errors), nan=np.inf) / bound, 0, 1)))


def cumulative_curve(errors: Real, bounds: Sequence[float] | Real) -> Values:
    """Share of faces with an error up to each bound. errors: (N,) %, bounds: (M,) % → (M,)."""
    ordered = np.sort(_some(errors))  # NaN last
    shares: Values = np.searchsorted(ordered, np.asarray(bounds), side="right") / len(ordered)
    return shares


def mean_of_finite(values: Real, axis: int | None = None) -> Values:
    """Mean of what is finite, along an axis or of everything; NaN of nothing."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        mean: Values = np.where(there, values, 0.0).sum(axis) / there.sum(axis)
    return mean


def _some(errors: Real) -> Real:
    if errors.ndim != 1 or not len(errors):
        raise ValueError(f"errors are {errors.shape}, not (N,) with N ≥ 1")
    return errors


def _distance(a: Real, b: Real) -> Values:
    if a.shape != b.shape:
        raise ValueError(f"points {a.shape} against {b.shape}")
    distance: Values = np.linalg.norm(a.astype(np.float64) - b, axis=-1)
    return distance


def _extent(points: Real) -> tuple[Values, Values]:
    extent = np.ptp(points.astype(np.float64), axis=-2)
    return extent[..., 0], extent[..., 1]
