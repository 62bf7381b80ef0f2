"""Deviation of stabilized landmarks from the raw landmarks and from their low-pass course.

A video is an array of landmarks (T, K, 2) with NaN in frames without the face. Distances are in
percent of the reference's mean outer-eye distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite, outer_eye_distance
from steadymark.engine.stabilizers.butterworth import Butterworth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Real, Values

SLOW_HZ = 3.0  # Raw motion below this frequency is mostly the face's; above it is mostly noise.
_SAME_PX = 1e-3  # A distance below this is a rounding error.


class Deviation(NamedTuple):
    """Deviation of all landmarks of a video, in percent of the outer-eye distance.

    Attributes:
        mean: Mean over frames and landmarks.
        most: 98th percentile over frames and landmarks.
    """

    mean: float
    most: float


def distances(points: Real, reference: Real) -> Values:
    """Return the distance of each landmark from the reference, in percent of the eye distance.

    Args:
        points: Landmarks, (T, 68, 2), in pixels.
        reference: Reference landmarks, (T, 68, 2), in pixels; their mean outer-eye distance is the
            unit.

    Returns:
        Distances, (T, K), in percent.
    """
    size = float(mean_of_finite(outer_eye_distance(reference)))
    distance: Values = np.linalg.norm(points.astype(np.float64) - reference, axis=-1)
    return distance / size * 100


def furthest_point(points: Real, reference: Real) -> float:
    """Return the largest distance of any landmark in any frame from the reference.

    Args:
        points: Landmarks, (T, 68, 2), in pixels.
        reference: The raw or the true landmarks, (T, 68, 2), in pixels.

    Returns:
        The distance, in percent of the outer-eye distance; NaN when no frame has a face.
    """
    distance = distances(points, reference)
    return float(np.nanmax(distance)) if np.isfinite(distance).any() else float("nan")


def slow_course(raw: Real, times_s: Real, low_hz: float = SLOW_HZ) -> Values:
    """Return the raw landmarks after a zero-phase low-pass filter.

    Args:
        raw: Raw landmarks, (T, K, 2), in pixels.
        times_s: Time of each frame, (T,), in seconds.
        low_hz: Cut-off frequency, in Hz.

    Returns:
        Filtered landmarks, (T, K, 2), in pixels.
    """
    return Butterworth(low_hz).smooth(raw, times_s)


def deviation(points: Real, course: Real) -> Deviation:
    """Return how far landmarks lie from a reference course, such as that of `slow_course`.

    Args:
        points: Landmarks, (T, 68, 2), in pixels.
        course: Reference landmarks, (T, 68, 2), in pixels.

    Returns:
        Mean and 98th percentile of the distances; both are NaN when no distance is known.
    """
    distance = distances(points, course)
    finite = distance[np.isfinite(distance)]
    if not len(finite):
        return Deviation(float("nan"), float("nan"))
    return Deviation(float(finite.mean()), float(np.percentile(finite, 98)))


def restarts(
    raw: Real, stabilized: Real, detected: NDArray[np.bool_], cuts: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return the frames in which the stabilizer restarted.

    A stabilizer restarted where the stabilized landmarks equal the raw ones after they had differed
    in the previous frame, where the face was detected anew, and where the tracker reported a scene
    cut. The first frame with a face does not count as a restart.

    Args:
        raw: Raw landmarks, (T, K, 2), in pixels.
        stabilized: Stabilized landmarks, (T, K, 2), in pixels.
        detected: Whether the face came from the detector in each frame, (T,).
        cuts: Whether the tracker reported a scene cut in each frame, (T,); None for no cuts.

    Returns:
        A mask, (T,), that is True in frames with a restart.
    """
    has_face = np.asarray(np.isfinite(raw).all((1, 2)))
    with np.errstate(invalid="ignore"):
        difference = np.abs(stabilized.astype(np.float64) - raw)
        equals_raw = np.asarray((difference < _SAME_PX).all((1, 2)))
    differed_before = np.zeros(len(has_face), np.bool_)
    differed_before[1:] = (has_face & ~equals_raw)[:-1]
    restarted = has_face & ((equals_raw & differed_before) | detected)
    if cuts is not None:
        restarted |= has_face & cuts
    if has_face.any():
        restarted[: int(np.argmax(has_face)) + 1] = False
    return np.asarray(restarted)
