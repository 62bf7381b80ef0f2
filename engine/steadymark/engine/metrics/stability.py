"""Stability measures of landmarks: MAV, MCV, NMF, frame-to-frame motion and lag.

Equation numbers are those of the ConvLSTM paper (`papers/convlstm_jitter_pdc.txt`). A video is an
array of landmarks (T, K, 2) with NaN in frames without the face; such frames, and steps into or out
of them, do not count. Use `with_dropped_frames` to insert NaN rows where the source dropped frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import EYE_CORNERS, mean_of_finite, outer_eye_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Real, Values

_LONGEST_GAP = 10  # Largest number of rows that are inserted into one gap.


def mean_motion(
    points: Real, truth: Real | None = None, *, eyes: tuple[int, int] = EYE_CORNERS
) -> float:
    """Return the mean frame-to-frame motion of landmarks. For a face at rest, it measures jitter.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        truth: True landmarks, (T, K, 2), in pixels, for the eye distance; None takes it from
            `points`.
        eyes: Indices of the outer eye corners.

    Returns:
        The motion, in percent of the video's mean outer-eye distance per frame; NaN without two
            consecutive frames.
    """
    steps = _steps(_in_percent(points, points if truth is None else truth, eyes))
    return _mean(np.linalg.norm(steps, axis=-1))


def allan_variance(
    points: Real,
    truth: Real | None = None,
    *,
    landmarks: Sequence[int] | None = None,
    eyes: tuple[int, int] = EYE_CORNERS,
) -> float:
    """Return the Allan variance of a video, eq. 11: mean over landmarks and both axes.

    With ground truth, it is the variance of the error, so true motion does not count as jitter.
    Without ground truth, `points` must be a segment in which the face is at rest.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        truth: True landmarks, (T, K, 2), in pixels, or None.
        landmarks: Indices of the landmarks that count; None for all.
        eyes: Indices of the outer eye corners.

    Returns:
        The variance, in (percent of the video's mean outer-eye distance)², with the truth's eye
            distance where there is one; NaN without two consecutive frames.
    """
    moved, known = (points, points) if truth is None else (points - truth, truth)
    u = _in_percent(moved, known, eyes)
    if landmarks is not None:
        u = u[:, list(landmarks)]
    return _mean(_steps(u) ** 2) / 2


def mav(
    videos: Sequence[Real],
    truths: Sequence[Real] | None = None,
    *,
    landmarks: Sequence[int] | None = None,
    eyes: tuple[int, int] = EYE_CORNERS,
) -> float:
    """Return the mean Allan variance (MAV): the mean of `allan_variance` over videos.

    Args:
        videos: Landmarks of each video, (T, K, 2), in pixels.
        truths: True landmarks of each video, (T, K, 2), in pixels, or None.
        landmarks: Indices of the landmarks that count; None for all.
        eyes: Indices of the outer eye corners.

    Returns:
        The mean over the videos whose variance is defined, in (percent of the outer-eye distance)².
    """
    truth = [None] * len(videos) if truths is None else truths
    each = zip(videos, truth, strict=True)
    values = [allan_variance(v, t, landmarks=landmarks, eyes=eyes) for v, t in each]
    return _mean(np.array(values))


def allan_variance_of_positions(points: Real) -> float:
    """Return the Allan variance of positions as the ConvLSTM paper writes it, eq. 11.

    u_t is a landmark's location, so the square of its step sums over x and y; the mean is over
    landmarks. True motion counts, and a larger face has a larger value.

    Args:
        points: Landmarks, (T, K, 2), in pixels.

    Returns:
        The variance, in px²; NaN without two consecutive frames.
    """
    return _mean(np.square(_steps(points)).sum(-1)) / 2


def mav_of_positions(videos: Sequence[Real]) -> float:
    """Return the MAV as the ConvLSTM paper writes it: mean of `allan_variance_of_positions`.

    Args:
        videos: Landmarks of each video, (T, K, 2), in pixels.

    Returns:
        The mean over the videos whose variance is defined, in px².
    """
    return _mean(np.array([allan_variance_of_positions(video) for video in videos]))


def nmf(points: Real, truth: Real) -> float:
    """Return the normalised mean flicker (NMF) of a video (LDEQ, arXiv 2304.00600).

    It is the mean, over frames and landmarks, of the length by which the error vector changes
    between neighbouring frames, divided by the video's mean true outer-eye distance.

    Args:
        points: Landmarks, (T, 68, 2), in pixels.
        truth: True landmarks, (T, 68, 2), in pixels.

    Returns:
        The flicker, in percent of the outer-eye distance; NaN without two consecutive frames.
    """
    return _mean(np.linalg.norm(_steps(_in_percent(points - truth, truth)), axis=-1))


def coefficient_of_variation(samples: Real) -> Values:
    """Return the standard deviation divided by the mean along the first axis, eq. 9.

    The standard deviation divides by N - 1. NaN samples are ignored.

    Args:
        samples: Samples, (N, ...).

    Returns:
        Coefficients, (...); NaN where there are fewer than two samples or the mean is not positive.
    """
    samples = samples.astype(np.float64)
    finite = np.isfinite(samples)
    count = finite.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(finite, samples, 0).sum(0) / count
        square = (np.where(finite, samples - mean, 0) ** 2).sum(0) / (count - 1)
        variation: Values = np.where((count > 1) & (mean > 0), np.sqrt(square) / mean, np.nan)
    return variation


def mcv(errors: Sequence[Real]) -> float:
    """Return the mean coefficient of variation (MCV), eq. 10, of the per-frame NRMSE.

    Args:
        errors: NRMSE of each frame, (T,), for each video.

    Returns:
        The mean over videos, in percent.
    """
    values = [float(coefficient_of_variation(e)) for e in errors]
    return _mean(np.array(values)) * 100


def mcv_of_positions(videos: Sequence[Real]) -> float:
    """Return the MCV of positions as the ConvLSTM paper writes it, eqs. 9 and 10.

    The samples of eq. 9 are one coordinate of a landmark in all frames of a video; the mean is over
    landmarks and both axes, then over videos. The value depends on the image's origin, and true
    motion counts.

    Args:
        videos: Landmarks of each video, (T, K, 2), in pixels.

    Returns:
        The mean over videos, in percent.
    """
    values = [_mean(coefficient_of_variation(video)) for video in videos]
    return _mean(np.array(values)) * 100


def mcv_still(segments: Sequence[Real]) -> float:
    """Return the MCV, eq. 10, of segments in which the face is at rest, without ground truth.

    The samples are each landmark's distances from its mean position in the segment; the mean is
    over landmarks, then over segments.

    Args:
        segments: Landmarks of each segment, (T, K, 2), in pixels.

    Returns:
        The mean over segments, in percent.
    """
    values = []
    for points in segments:
        finite = points[np.isfinite(points).all((1, 2))].astype(np.float64)
        if len(finite) > 1:
            distance = np.linalg.norm(finite - finite.mean(0), axis=-1)  # (T, K)
            values.append(_mean(coefficient_of_variation(distance)))
    return _mean(np.array(values)) * 100


def lag_frames(points: Real, truth: Real, *, most: int = 5) -> float:
    """Return by how many frames the motion of landmarks follows the true motion.

    The lag is the shift, within ± `most` frames, that maximises the correlation of predicted and
    true frame-to-frame motion (all landmarks and axes together). The parabola through the best
    shift and its neighbours refines it to fractions of a frame.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        truth: True landmarks, (T, K, 2), in pixels.
        most: Largest shift that is tried, in frames.

    Returns:
        The lag, in frames, positive when `points` are late; NaN where nothing moves or the video is
            too short.
    """
    return lag_of_steps(_steps(points), _steps(truth), most=most)


def lag_of_steps(predicted: Real, true: Real, *, most: int = 5) -> float:
    """Return by how many frames predicted motion follows true motion, see `lag_frames`.

    Args:
        predicted: Motion of the landmarks from each frame to the next, (T - 1, K, 2).
        true: True motion, (T - 1, K, 2); NaN where it is unknown.
        most: Largest shift that is tried, in frames.

    Returns:
        The lag, in frames, positive when the predicted motion is late; NaN where nothing moves.
    """
    shifts = range(-most, most + 1)
    scores = np.array([_correlation(predicted, true, shift) for shift in shifts])
    if np.isnan(scores).all():
        return float("nan")
    best = int(np.nanargmax(scores))
    if not 0 < best < len(scores) - 1 or np.isnan(scores[best - 1 : best + 2]).any():
        return float(best - most)
    before, peak, after = scores[best - 1 : best + 2]
    bend = before - 2 * peak + after
    return float(best - most + (0.5 * (before - after) / bend if bend < 0 else 0.0))


def with_dropped_frames(points: Real, times_s: Real) -> Values:
    """Insert a row of NaN for each frame that the source dropped, so that no step spans the gap.

    The duration of a frame is the median of all time steps. At most ten rows are inserted into one
    gap, because no measure looks further.

    Args:
        points: Landmarks, (T, K, 2), in pixels.
        times_s: Increasing times of the frames, (T,), in seconds.

    Returns:
        Landmarks, (T', K, 2), in pixels, with T' ≥ T.
    """
    if len(points) < 2:
        return points.astype(np.float64)
    steps_s = np.diff(times_s.astype(np.float64))
    frame_steps = np.rint(steps_s / np.median(steps_s)).clip(1, _LONGEST_GAP + 1).astype(np.int64)
    rows = np.concatenate(([0], np.cumsum(frame_steps)))
    filled = np.full((int(rows[-1]) + 1, *points.shape[1:]), np.nan)
    filled[rows] = points
    return filled


def fast_and_slow_error(
    errors: Real, truth: Real, *, share: float = 0.1, eyes: tuple[int, int] = EYE_CORNERS
) -> tuple[float, float]:
    """Return the mean error of the frames with the fastest true motion, and of the other frames.

    A filter that lags has a large error in the fast frames. The motion of a frame is measured from
    the previous frame; the first frame and frames without an error do not count.

    Args:
        errors: Error of each frame, (T,).
        truth: True landmarks, (T, K, 2), in pixels, with NaN for landmarks that it lacks.
        share: Share of the frames that count as fast.
        eyes: Indices of the outer eye corners.

    Returns:
        The mean error of the fast frames and of the others, in the unit of `errors`; both are NaN
            with fewer than two frames.
    """
    steps = np.linalg.norm(_steps(_in_percent(truth, truth, eyes)), axis=-1)  # (T - 1, K)
    speed = mean_of_finite(steps, -1)
    errors = errors[1:].astype(np.float64)
    finite = np.isfinite(speed) & np.isfinite(errors)
    speed, errors = speed[finite], errors[finite]
    if len(speed) < 2:
        return float("nan"), float("nan")
    order = np.argsort(speed, kind="stable")
    fast = min(max(1, round(share * len(speed))), len(speed) - 1)
    return _mean(errors[order[-fast:]]), _mean(errors[order[:-fast]])


def _in_percent(values: Real, points: Real, eyes: tuple[int, int] = EYE_CORNERS) -> Values:
    """Return values (T, K, 2) in percent of the mean outer-eye distance of `points` (T, K, 2)."""
    return values.astype(np.float64) / _mean(outer_eye_distance(points, eyes)) * 100


def _steps(points: Real) -> Values:
    """Return the motion from each frame to the next: (T, K, 2) → (T - 1, K, 2)."""
    return np.diff(points.astype(np.float64), axis=0)


def _mean(values: Real) -> float:
    return float(mean_of_finite(values))


def _correlation(predicted: Real, true: Real, shift: int) -> float:
    """Return Pearson's correlation of predicted[t + shift] and true[t]."""
    length = len(true) - abs(shift)
    if length < 2:
        return float("nan")
    a = predicted[max(shift, 0) :][:length].ravel()
    b = true[max(-shift, 0) :][:length].ravel()
    finite = np.isfinite(a) & np.isfinite(b)
    if finite.sum() < 2:
        return float("nan")
    a, b = a[finite] - a[finite].mean(), b[finite] - b[finite].mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else float("nan")
