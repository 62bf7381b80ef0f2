"""How still landmarks are, and how late: MAV, MCV, NMF, frame-to-frame motion, lag.

Equations are those of the ConvLSTM paper (`papers/convlstm_jitter_pdc.txt`). A video is points
(T, K, 2), NaN in frames without the face; such frames, and steps into or out of them, do not count.
Where a source dropped frames, `with_dropped_frames` puts such frames in their places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite, outer_eye_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Real, Values

_LONGEST_GAP = 10  # frames


def mean_motion(points: Real, truth: Real | None = None) -> float:
    """Mean motion from frame to frame, in % of the video's mean outer-eye distance.

    points, truth: (T, 68, 2); the eye distance is the truth's where there is one. What a still
    face shows of it is jitter. NaN without two frames in a row.
    """
    steps = _steps(_in_percent(points, points if truth is None else truth))
    return _mean(np.linalg.norm(steps, axis=-1))


def allan_variance(
    points: Real, truth: Real | None = None, *, landmarks: Sequence[int] | None = None
) -> float:
    """Allan variance of a video, eq. 11, mean over landmarks and both axes.

    Coordinates are % of the video's mean outer-eye distance (the truth's where there is one).
    With the truth (T, 68, 2), of the error, so that true motion is no jitter; without it, points
    (T, 68, 2) must be a segment in which the face is still. landmarks: only of these. NaN without
    two frames in a row.
    """
    u = _in_percent(points, points) if truth is None else _in_percent(points - truth, truth)
    if landmarks is not None:
        u = u[:, list(landmarks)]
    return _mean(_steps(u) ** 2) / 2


def mav(
    videos: Sequence[Real],
    truths: Sequence[Real] | None = None,
    *,
    landmarks: Sequence[int] | None = None,
) -> float:
    """Mean Allan variance: the mean of `allan_variance` over videos (those where it exists)."""
    truth = [None] * len(videos) if truths is None else truths
    each = zip(videos, truth, strict=True)
    values = [allan_variance(v, t, landmarks=landmarks) for v, t in each]
    return _mean(np.array(values))


def allan_variance_of_positions(points: Real) -> float:
    """Allan variance as the ConvLSTM paper writes it, eq. 11: of positions, in square pixels.

    u_t is a landmark's location, so its step is squared over x and y together; the mean is over
    landmarks. True motion counts, and a larger face has a larger value. points: (T, K, 2). NaN
    without two frames in a row.
    """
    return _mean(np.square(_steps(points)).sum(-1)) / 2


def mav_of_positions(videos: Sequence[Real]) -> float:
    """MAV as the ConvLSTM paper writes it: mean of `allan_variance_of_positions` over videos."""
    return _mean(np.array([allan_variance_of_positions(video) for video in videos]))


def nmf(points: Real, truth: Real) -> float:
    """Normalised mean flicker (LDEQ, arXiv 2304.00600) of a video, in % of the eye distance.

    The mean over frames and landmarks of the length by which the error vector changes between
    neighbouring frames, divided by the video's mean true outer-eye distance. points, truth:
    (T, 68, 2). NaN without two frames in a row.
    """
    return _mean(np.linalg.norm(_steps(_in_percent(points - truth, truth)), axis=-1))


def coefficient_of_variation(samples: Real) -> Values:
    """Standard deviation over mean along the first axis, eq. 9 (with N - 1); NaN not counted.

    samples: (N, ...) → (...), NaN where there are fewer than two or their mean is 0.
    """
    samples = samples.astype(np.float64)
    there = np.isfinite(samples)
    count = there.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, samples, 0).sum(0) / count
        square = (np.where(there, samples - mean, 0) ** 2).sum(0) / (count - 1)
        variation: Values = np.where((count > 1) & (mean > 0), np.sqrt(square) / mean, np.nan)
    return variation


def mcv(errors: Sequence[Real]) -> float:
    """Mean coefficient of variation, eq. 10, in %, of the NRMSE (T,) of each video's frames."""
    values = [float(coefficient_of_variation(e)) for e in errors]
    return _mean(np.array(values)) * 100


def mcv_of_positions(videos: Sequence[Real]) -> float:
    """MCV as the ConvLSTM paper writes it, eqs. 9 and 10, of positions, in %.

    The samples of eq. 9 are a landmark's coordinate in all frames of a video; the mean is over
    landmarks and both axes, then over videos (T, K, 2). It depends on where the picture has its
    origin, and true motion counts.
    """
    values = [_mean(coefficient_of_variation(video)) for video in videos]
    return _mean(np.array(values)) * 100


def mcv_still(segments: Sequence[Real]) -> float:
    """Mean coefficient of variation, eq. 10, in %, without truth, of still segments (T, K, 2).

    Of each landmark's distance to its mean position in the segment; mean over landmarks, then
    over segments.
    """
    values = []
    for points in segments:
        there = points[np.isfinite(points).all((1, 2))].astype(np.float64)
        if len(there) > 1:
            distance = np.linalg.norm(there - there.mean(0), axis=-1)  # (T, K)
            values.append(_mean(coefficient_of_variation(distance)))
    return _mean(np.array(values)) * 100


def lag_frames(points: Real, truth: Real, *, most: int = 5) -> float:
    """By how many frames the motion of `points` comes after the true one.

    The shift, within ± `most` frames, that maximises the correlation of predicted and true motion
    (from frame to frame, all landmarks and axes together), refined to parts of a frame by the
    parabola through the best shift and its neighbours. points, truth: (T, K, 2). NaN where
    nothing moves or the video is too short.
    """
    predicted, true = _steps(points), _steps(truth)
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
    """The video with a row of NaN for each frame that its source dropped, so that no step skips it.

    A frame takes the median of all steps in time. points: (T, K, 2), times_s: (T,), rising. At most
    ten rows are put into one gap: no measure looks further.
    """
    if len(points) < 2:
        return points.astype(np.float64)
    steps_s = np.diff(times_s.astype(np.float64))
    taken = np.rint(steps_s / np.median(steps_s)).clip(1, _LONGEST_GAP + 1).astype(np.int64)
    at = np.concatenate(([0], np.cumsum(taken)))
    whole = np.full((int(at[-1]) + 1, *points.shape[1:]), np.nan)
    whole[at] = points
    return whole


def fast_and_slow_error(errors: Real, truth: Real, *, share: float = 0.1) -> tuple[float, float]:
    """Mean error on the frames with the fastest true motion, and on the rest.

    A smoother that lags shows in the first. errors: (T,), truth: (T, 68, 2), NaN in landmarks
    that it lacks; a frame's motion is that from the frame before, the first frame and frames
    without error do not count.
    """
    steps = np.linalg.norm(_steps(_in_percent(truth, truth)), axis=-1)  # (T - 1, 68)
    speed = mean_of_finite(steps, -1)
    errors = errors[1:].astype(np.float64)
    there = np.isfinite(speed) & np.isfinite(errors)
    speed, errors = speed[there], errors[there]
    if len(speed) < 2:
        return float("nan"), float("nan")
    order = np.argsort(speed, kind="stable")
    fast = min(max(1, round(share * len(speed))), len(speed) - 1)
    return _mean(errors[order[-fast:]]), _mean(errors[order[:-fast]])


def _in_percent(values: Real, points: Real) -> Values:
    """(T, K, 2) in % of the mean outer-eye distance of `points` (T, 68, 2)."""
    return values.astype(np.float64) / _mean(outer_eye_distance(points)) * 100


def _steps(points: Real) -> Values:
    """(T, K, 2) → (T - 1, K, 2), from each frame to the next."""
    return np.diff(points.astype(np.float64), axis=0)


def _mean(values: Real) -> float:
    return float(mean_of_finite(values))


def _correlation(predicted: Values, true: Values, shift: int) -> float:
    """Pearson's correlation of predicted[t + shift] and true[t]."""
    length = len(true) - abs(shift)
    if length < 2:
        return float("nan")
    a = predicted[max(shift, 0) :][:length].ravel()
    b = true[max(-shift, 0) :][:length].ravel()
    there = np.isfinite(a) & np.isfinite(b)
    if there.sum() < 2:
        return float("nan")
    a, b = a[there] - a[there].mean(), b[there] - b[there].mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else float("nan")
