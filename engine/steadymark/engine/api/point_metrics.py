"""Metrics of accuracy and stability on landmark arrays: `sm.metrics`.

The results equal those of `steadymark evaluate`. Points are (…, K, 2) in pixels, and NaN if a face
was not found; a video is (T, K, 2). Distances are in % of a length of the true face, by default the
distance of its outer eye corners.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.inputs import (
    checked_number,
    checked_pair,
    checked_points,
    checked_times,
    checked_values,
    schema_of,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics import accuracy, eye_mouth_opening, stability
from steadymark.engine.metrics.accuracy_scores import eye_length
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rest_detection import still_frames as find_still
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from steadymark.engine.api.inputs import Array
    from steadymark.engine.metrics.accuracy import Length

    Values = NDArray[np.float64]

__all__ = [
    "amplitude",
    "auc",
    "cumulative_curve",
    "eye_opening",
    "failure_rate",
    "kept_amplitude",
    "lag",
    "mav",
    "mcv",
    "mcv_still",
    "mean_motion",
    "mouth_opening",
    "nme",
    "point_errors",
    "still_frames",
]

_IBUG_COUNT = 68
_LENGTHS = {
    "inter_pupil": accuracy.inter_pupil_distance,
    "box_diagonal": accuracy.box_diagonal,
    "box_size": accuracy.box_size,
}


def nme(
    points: ArrayLike,
    truth: ArrayLike,
    *,
    normalise: str = "outer_eyes",
    schema: str | None = None,
) -> Values:
    """Normalised mean error: the mean distance of a face's landmarks from the true ones.

    Args:
        points: (..., K, 2) landmarks that were found.
        truth: (..., K, 2) true landmarks.
        normalise: The length by which distances are divided: `outer_eyes` (300-W, WFLW),
            `inter_pupil`, `box_diagonal` or `box_size`, which is √(width · height) of the box
            around the true landmarks.
        schema: The landmark schema; None takes the usual one for the number of landmarks.

    Returns:
        (...,) errors in %; NaN if a face was not found.

    Raises:
        UsageError: The shapes differ, or the length is unknown or not defined for these
            landmarks.

    Example:
        >>> import steadymark as sm
        >>> float(sm.metrics.nme(face.landmarks, face.landmarks))
        0.0
    """
    a, b = checked_pair(points, truth, ndim=(2, 3, 4))
    return accuracy.nrmse(a, b, _length(a.shape[-2], normalise, schema))


def point_errors(
    points: ArrayLike,
    truth: ArrayLike,
    *,
    normalise: str = "outer_eyes",
    schema: str | None = None,
) -> Values:
    """Return the distance of each landmark from the true one, (..., K) in %.

    The arguments are those of `nme`.

    Raises:
        UsageError: See `nme`.
    """
    a, b = checked_pair(points, truth, ndim=(2, 3, 4))
    return accuracy.point_errors(a, b, _length(a.shape[-2], normalise, schema))


def failure_rate(errors: ArrayLike, *, bound: float = 8.0) -> float:
    """Return the share of faces whose error reaches a bound, 0 to 1.

    Args:
        errors: (N,) errors in %, as `nme` returns them; a face that was not found (NaN) counts
            as failed.
        bound: The error in % from which a face counts as failed.

    Returns:
        The share of failed faces.

    Raises:
        UsageError: There are no errors, or the bound is not above 0.

    Example:
        >>> import steadymark as sm
        >>> sm.metrics.failure_rate([1.0, 2.0, 9.0, float("nan")])
        0.5
    """
    return accuracy.failure_rate(checked_values(errors, name="errors"), _bound(bound))


def auc(errors: ArrayLike, *, bound: float = 8.0) -> float:
    """Return the area under the cumulative error curve from 0 to a bound, divided by the bound.

    Args:
        errors: (N,) errors in %, as `nme` returns them; a face that was not found (NaN) adds
            nothing.
        bound: The end of the curve in %.

    Returns:
        The area, 0 to 1.

    Raises:
        UsageError: There are no errors, or the bound is not above 0.

    Example:
        >>> import steadymark as sm
        >>> sm.metrics.auc([2.0, 4.0], bound=8)
        0.625
    """
    return accuracy.auc(checked_values(errors, name="errors"), _bound(bound))


def cumulative_curve(errors: ArrayLike, bounds: ArrayLike) -> Values:
    """Return the share of faces with an error up to each bound, 0 to 1.

    Args:
        errors: (N,) errors in %, as `nme` returns them.
        bounds: (M,) bounds in %.

    Returns:
        (M,) shares.

    Raises:
        UsageError: There are no errors or no bounds.
    """
    given = checked_values(errors, name="errors")
    return accuracy.cumulative_curve(given, checked_values(bounds, name="bounds"))


def mav(points: ArrayLike, truth: ArrayLike | None = None) -> float:
    """Mean Allan variance, which measures the jitter of landmarks (ConvLSTM stabilizer, eq. 11).

    Args:
        points: (T, 68, 2) landmarks of one video.
        truth: (T, 68, 2) true landmarks. With them, the variance is that of the error, so that
            true motion does not count as jitter. Without them, the face must be still in all T
            frames (see `still_frames`).

    Returns:
        (% of the mean outer-eye distance)²; smaller is more stable. NaN without two consecutive
        frames.

    Raises:
        UsageError: The arrays are not videos of 68 landmarks of the same shape.
    """
    return stability.allan_variance(*_video68(points, truth))


def mean_motion(points: ArrayLike, truth: ArrayLike | None = None) -> float:
    """Mean motion of a landmark from frame to frame, in % of the mean outer-eye distance.

    In frames in which the face is still, this motion is jitter. The arguments are those of `mav`.

    Raises:
        UsageError: See `mav`.
    """
    return stability.mean_motion(*_video68(points, truth))


def mcv(points: ArrayLike, truth: ArrayLike) -> float:
    """Mean coefficient of variation of the error, in % (ConvLSTM stabilizer, eqs. 9 and 10).

    Args:
        points: (T, K, 2) landmarks of one video.
        truth: (T, K, 2) true landmarks.

    Returns:
        The standard deviation of the frames' errors divided by their mean, in %.

    Raises:
        UsageError: The arrays are not videos of the same shape.
    """
    a, b = checked_pair(points, truth, ndim=(3,))
    return stability.mcv([nme(a, b)])


def mcv_still(points: ArrayLike) -> float:
    """Mean coefficient of variation without ground truth, in %, while the face is still.

    Args:
        points: (T, K, 2) landmarks of one span in which the face is still. The variation is
            that of each landmark's distance from its mean position.

    Returns:
        The coefficient in %.

    Raises:
        UsageError: The array is not a video.
    """
    return stability.mcv_still([checked_points(points, ndim=(3,))])


def lag(points: ArrayLike, truth: ArrayLike) -> float:
    """Return by how many frames the motion of landmarks is delayed against the true motion.

    The lag is the shift within ±5 frames that maximises the correlation of both motions, refined to
    fractions of a frame by a parabola.

    Args:
        points: (T, K, 2) landmarks, or a (T,) signal such as `mouth_opening`.
        truth: The ground truth of the same shape; raw landmarks can replace it.

    Returns:
        The lag in frames; NaN if nothing moves or the video is too short.

    Raises:
        UsageError: The shapes differ.
    """
    if np.ndim(points) == 1:
        a, b = _signals(points, truth)
        return eye_mouth_opening.opening_lag(a, b)
    return stability.lag_frames(*checked_pair(points, truth, ndim=(3,)))


def eye_opening(points: ArrayLike) -> Values:
    """Return how far the eyes are open: the mean distance of the lids in each frame.

    Args:
        points: (T, 68, 2) landmarks of one face.

    Returns:
        (T,) openings in % of the eye distance.

    Raises:
        UsageError: The array is not a video of 68 landmarks.
    """
    return eye_mouth_opening.eye_opening(_video68(points, None)[0])


def mouth_opening(points: ArrayLike) -> Values:
    """Return how far the mouth is open: the distance of the inner lips in each frame.

    Args:
        points: (T, 68, 2) landmarks of one face.

    Returns:
        (T,) openings in % of the eye distance.

    Raises:
        UsageError: The array is not a video of 68 landmarks.
    """
    return eye_mouth_opening.mouth_opening(_video68(points, None)[0])


def amplitude(opening: ArrayLike) -> float:
    """Return the amplitude of an opening: its 98th percentile minus its 2nd percentile.

    Args:
        opening: (T,) opening, as `eye_opening` and `mouth_opening` return it.

    Returns:
        The amplitude in the unit of the opening.

    Raises:
        UsageError: The signal is not (T,).

    Example:
        >>> import numpy as np, steadymark as sm
        >>> round(sm.metrics.amplitude(np.linspace(0, 10, 101)), 1)
        9.6
    """
    return eye_mouth_opening.amplitude(_signal(opening, "opening"))


def kept_amplitude(opening: ArrayLike, reference: ArrayLike) -> float:
    """Return the share of an opening's amplitude that a stabilizer keeps; 1 if it keeps all.

    Args:
        opening: (T,) opening of the stabilized landmarks.
        reference: (T,) opening of the true or the raw landmarks.

    Returns:
        The share; NaN if the amplitude of the reference is below 2 % of the eye distance.

    Raises:
        UsageError: The signals are not (T,), or differ in length.
    """
    return eye_mouth_opening.kept_amplitude(*_signals(opening, reference))


def still_frames(points: ArrayLike, timestamps_s: ArrayLike) -> list[slice]:
    """Return the spans of a video in which the face is still, where `mav` needs no ground truth.

    Args:
        points: (T, 68, 2) landmarks of one face.
        timestamps_s: (T,) increasing times in seconds.

    Returns:
        Slices of frames, each half a second or longer.

    Raises:
        UsageError: The arrays do not fit together.
    """
    xy, _ = _video68(points, None)
    times = checked_times(timestamps_s, len(xy))
    if len(times) < 2:
        return []
    fps = (len(times) - 1) / float(times[-1] - times[0])
    size_px = float(accuracy.mean_of_finite(accuracy.outer_eye_distance(xy)))
    return segments(find_still(xy, fps, size_px), fps)


def _length(count: int, normalise: str, schema: str | None) -> Length:
    name = schema_of(count, schema)
    if normalise == "outer_eyes":
        if not name:
            raise UsageError(
                "no schema of {count} landmarks is known, so their eye corners are not known: "
                "normalise by box_diagonal or box_size",
                count=count,
            )
        return eye_length(load_schema(name))
    if normalise not in _LENGTHS:
        raise UsageError(
            "unknown length '{given}': normalise by one of {known}",
            given=normalise,
            known=", ".join(("outer_eyes", *_LENGTHS)),
        )
    if normalise == "inter_pupil" and count != _IBUG_COUNT:
        raise UsageError("inter_pupil is defined for 68 landmarks, not {count}", count=count)
    return _LENGTHS[normalise]


def _video68(points: ArrayLike, truth: ArrayLike | None) -> tuple[Array, Any]:
    a = checked_points(points, ndim=(3,))
    b = None if truth is None else checked_pair(a, truth, ndim=(3,))[1]
    if a.shape[1] != _IBUG_COUNT:
        raise UsageError("points is {shape}: this measure needs (T, 68, 2)", shape=a.shape)
    return a, b


def _signal(values: ArrayLike, name: str) -> Values:
    return checked_values(values, name=name).astype(np.float64)


def _signals(a: ArrayLike, b: ArrayLike) -> tuple[Values, Values]:
    first, second = _signal(a, "the signal"), _signal(b, "the reference")
    if len(first) != len(second):
        raise UsageError(
            "the signal has {a} frames, but the reference has {b}", a=len(first), b=len(second)
        )
    return first, second


def _bound(bound: float) -> float:
    if checked_number(bound, name="bound") <= 0:
        raise UsageError("bound must be above 0, not {bound:g}", bound=bound)
    return bound
