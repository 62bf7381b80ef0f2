"""Accuracy measures of landmarks: NRMSE, failure rate and area under the curve.

NRMSE here is what most papers call NME (normalised mean error): the mean distance between the
predicted and the true landmarks of a face, in percent of a reference length of that face.
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
FAILURE_ERROR = 8.0  # error in % from which a face counts as failed, as in FR8
CURVE_END = 10.0  # where cumulative error curves end, in % of the outer-eye distance
_EYES = (slice(36, 42), slice(42, 48))


def outer_eye_distance(points: Real, corners: tuple[int, int] = EYE_CORNERS) -> Values:
    """Return the distance between the outer eye corners, a reference length for NRMSE.

    Args:
        points: Landmarks, (..., K, 2).
        corners: Indices of the two outer eye corners.

    Returns:
        Distances, (...), in the unit of `points`.
    """
    return _distance(points[..., corners[0], :], points[..., corners[1], :])


def inter_pupil_distance(points: Real) -> Values:
    """Return the distance between the centres of the two eyes.

    The centre of an eye is the mean of its six contour landmarks.

    Args:
        points: Landmarks of the 68-point schema, (..., 68, 2).

    Returns:
        Distances, (...), in the unit of `points`.
    """
    right, left = (points[..., eye, :].mean(-2, dtype=np.float64) for eye in _EYES)
    return _distance(right, left)


def box_diagonal(points: Real) -> Values:
    """Return the diagonal of the landmarks' axis-aligned bounding box.

    Args:
        points: Landmarks, (..., K, 2).

    Returns:
        Diagonals, (...), in the unit of `points`.
    """
    return np.hypot(*_extent(points))


def box_size(points: Real) -> Values:
    """Return √(width · height) of the landmarks' axis-aligned bounding box.

    Args:
        points: Landmarks, (..., K, 2).

    Returns:
        Sizes, (...), in the unit of `points`.
    """
    width, height = _extent(points)
    return np.sqrt(width * height)


def point_errors(predicted: Real, truth: Real, length: Length = outer_eye_distance) -> Values:
    """Return the error of each landmark, in percent of a reference length of the true face.

    Args:
        predicted: Predicted landmarks, (..., K, 2), in pixels.
        truth: True landmarks, (..., K, 2), in pixels.
        length: Function that computes the reference length from the true landmarks.

    Returns:
        Errors, (..., K), in percent. An error is NaN where either landmark is NaN, and where the
        reference length is 0, as that of the eyes of a face that is seen from the side may be.

    Raises:
        ValueError: The shapes of `predicted` and `truth` differ.
    """
    lengths = length(truth)[..., None]
    known = np.where(lengths > 0, lengths, np.nan)
    errors: Values = _distance(predicted, truth) / known * 100
    return errors


def nrmse(predicted: Real, truth: Real, length: Length = outer_eye_distance) -> Values:
    """Return the mean landmark error of each face, in percent of a reference length (NME).

    Args:
        predicted: Predicted landmarks, (..., K, 2), in pixels.
        truth: True landmarks, (..., K, 2), in pixels.
        length: Function that computes the reference length from the true landmarks.

    Returns:
        Errors, (...), in percent. The error is NaN where the face was not found.

    Raises:
        ValueError: The shapes of `predicted` and `truth` differ.
    """
    error: Values = point_errors(predicted, truth, length).mean(-1)
    return error


def failure_rate(errors: Real, bound: float = 8.0) -> float:
    """Return the share of faces whose error is at or above a bound.

    Args:
        errors: Error of each face, (N,), in percent, with N ≥ 1. NaN means that the face was not
            found, which counts as a failure.
        bound: Smallest error that counts as a failure, in percent.

    Returns:
        The share of failures, in [0, 1].

    Raises:
        ValueError: `errors` is empty or not one-dimensional.
    """
    return float(1 - np.mean(_some(errors) < bound))


def auc(errors: Real, bound: float = 8.0) -> float:
    """Return the normalised area under the cumulative error curve from 0 to a bound.

    The curve gives the share of faces whose error is at most x. Each face contributes the distance
    from its error to the bound, so the area is exact and needs no bins.

    Args:
        errors: Error of each face, (N,), in percent, with N ≥ 1. A NaN error contributes 0.
        bound: Upper end of the curve, in percent.

    Returns:
        The area divided by the bound, in [0, 1].

    Raises:
        ValueError: `errors` is empty or not one-dimensional.
    """
    return float(np.mean(np.clip(1 - np.nan_to_num(_some(errors), nan=np.inf) / bound, 0, 1)))


def cumulative_curve(errors: Real, bounds: Sequence[float] | Real) -> Values:
    """Return the cumulative error curve: the share of faces with an error up to each bound.

    Args:
        errors: Error of each face, (N,), in percent, with N ≥ 1.
        bounds: Errors at which the curve is evaluated, (M,), in percent.

    Returns:
        Shares, (M,), in [0, 1].

    Raises:
        ValueError: `errors` is empty or not one-dimensional.
    """
    ordered = np.sort(_some(errors))  # NaN is sorted to the end
    shares: Values = np.searchsorted(ordered, np.asarray(bounds), side="right") / len(ordered)
    return shares


def mean_of_finite(values: Real, axis: int | None = None) -> Values:
    """Return the mean of the finite values, or NaN where there are none.

    Args:
        values: Values of any shape.
        axis: Axis along which the mean is taken; None takes the mean of all values.

    Returns:
        The mean, without the given axis.
    """
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        mean: Values = np.where(finite, values, 0.0).sum(axis) / finite.sum(axis)
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
