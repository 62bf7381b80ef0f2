"""How far stabilized landmarks stray: from the raw ones, and from where these slowly go.

A video is points (T, K, 2), NaN in frames without the face; distances are in % of the reference's
mean outer-eye distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite, outer_eye_distance
from steadymark.engine.stabilizers.butterworth import Butterworth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Real, Values

SLOW_HZ = 3.0  # what raw points do up to here is motion of the face, above it is mostly noise
_SAME_PX = 1e-3  # a distance below this is rounding


class Deviation(NamedTuple):
    """Of all points of a video, in % of the outer-eye distance. most: the 98th percentile."""

    mean: float
    most: float


def distances(points: Real, reference: Real) -> Values:
    """(T, K): from each point to that of the reference, in % of the reference's eye distance.

    points, reference: (T, 68, 2).
    """
    size = float(mean_of_finite(outer_eye_distance(reference)))
    apart: Values = np.linalg.norm(points.astype(np.float64) - reference, axis=-1)
    return apart / size * 100


def furthest_point(points: Real, reference: Real) -> float:
    """The largest distance of one landmark in one frame from the reference; NaN without frames.

    reference: the raw points, or the true ones.
    """
    apart = distances(points, reference)
    return float(np.nanmax(apart)) if np.isfinite(apart).any() else float("nan")


def slow_course(raw: Real, times_s: Real, low_hz: float = SLOW_HZ) -> Values:
    """Raw points (T, K, 2) at (T,) seconds after a low pass without lag: where they slowly go."""
    return Butterworth(low_hz).smooth(raw, times_s)


def deviation(points: Real, course: Real) -> Deviation:
    """How far points lie from a course, both (T, 68, 2), such as that of `slow_course`."""
    apart = distances(points, course)
    there = apart[np.isfinite(apart)]
    if not len(there):
        return Deviation(float("nan"), float("nan"))
    return Deviation(float(there.mean()), float(np.percentile(there, 98)))


def restarts(
    raw: Real, stabilized: Real, detected: NDArray[np.bool_], cuts: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """(T,): frames in which a stabilizer began anew.

    That is where the stabilized points are exactly the raw ones after they had differed in the
    frame before, where the face was detected anew, and where the tracker declared a scene cut.
    The first frame with a face is none. raw, stabilized: (T, K, 2); detected, cuts: (T,).
    """
    there = np.asarray(np.isfinite(raw).all((1, 2)))
    with np.errstate(invalid="ignore"):
        apart = np.abs(stabilized.astype(np.float64) - raw)
        same = np.asarray((apart < _SAME_PX).all((1, 2)))
    differed = np.zeros(len(there), np.bool_)
    differed[1:] = (there & ~same)[:-1]
    anew = there & ((same & differed) | detected)
    if cuts is not None:
        anew |= there & cuts
    if there.any():
        anew[: int(np.argmax(there)) + 1] = False
    return np.asarray(anew)
