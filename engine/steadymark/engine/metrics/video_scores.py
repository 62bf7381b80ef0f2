"""All measures of one tracker on videos, with or without ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.accuracy_scores import FacePlace, LandmarkComparison
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.stability import (
    allan_variance,
    fast_and_slow_error,
    lag_frames,
    mav,
    mcv,
    mcv_still,
    mean_motion,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.metrics.rest_detection import Mask
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True, eq=False)
class TrackedVideo:
    """One video with the landmarks that one tracker found in it.

    Attributes:
        name: Name of the video, for display.
        source: The video as `open_source` takes it; None when only its landmarks are known.
        points: Landmarks, (T, K, 2), in pixels; NaN in frames without the face.
        truth: True landmarks, (T, K, 2), in pixels; NaN in frames that do not count and for
            landmarks that it lacks; None without ground truth.
        tracked: Mask of the frames with a face, (T,).
        still: Mask of the frames in which the face is at rest, (T,).
        fps: Frames per second.
        schema: Landmark schema with K landmarks.
        scored: Indices of the landmarks that count in the scores.
        first: Number of the first of the T frames in the video.
    """

    name: str
    source: str | None
    points: Values
    truth: Values | None
    tracked: Mask
    still: Mask
    fps: float
    schema: LandmarkSchema
    scored: tuple[int, ...]
    first: int = 0

    def compared(self) -> LandmarkComparison | None:
        """Return the frames that have ground truth; None if the video has no ground truth."""
        if self.truth is None:
            return None
        frames = np.flatnonzero(has_truth(self.truth, self.scored))
        places = [FacePlace(self.name, self.source or "", int(t) + self.first) for t in frames]
        return LandmarkComparison(
            tuple(places), self.points[frames], self.truth[frames], self.schema, self.scored
        )

    def errors(self) -> Values:
        """Return the NRMSE of each frame, (T,), in percent; NaN without a face or ground truth."""
        errors = np.full(len(self.points), np.nan)
        compared = self.compared()
        if compared is not None:
            errors[[(p.frame or 0) - self.first for p in compared.places]] = compared.errors()
        return errors


@dataclass(frozen=True, slots=True)
class StabilityScores:
    """Stability scores of one tracker on videos. A value is NaN where it is not defined.

    All values except counts and `tracked` are means over videos.

    Attributes:
        of: "error" where there is ground truth, or "still" where mav and mcv are measured in
            segments in which the face is at rest.
        videos: Number of videos.
        frames: Number of frames in all videos.
        tracked: Share of all frames with a face.
        lost_spans: How often the face was lost: number of spans of frames without it.
        mav: Mean Allan variance, eq. 11, in (percent of the outer-eye distance)².
        mcv: Mean coefficient of variation, eq. 10, in percent.
        still_frames: Number of frames in which the face is at rest.
        still_motion: Motion of the landmarks in these frames, in percent of the outer-eye distance
            per frame.
        lag_frames: Lag of the landmarks, in frames.
        nrmse_fast: Error on the tenth of the frames with the fastest motion, in percent.
        nrmse_rest: Error on the other frames, in percent.
    """

    of: str
    videos: int
    frames: int
    tracked: float
    lost_spans: int
    mav: float
    mcv: float
    still_frames: int
    still_motion: float
    lag_frames: float
    nrmse_fast: float
    nrmse_rest: float


def stability_of(videos: Sequence[TrackedVideo]) -> StabilityScores:
    """Compute all stability scores of one or more tracked videos.

    Args:
        videos: Videos that the same tracker has tracked.

    Returns:
        The scores.
    """
    each = [_with_truth(v) if v.truth is not None else _without_truth(v) for v in videos]
    frames = sum(len(v.points) for v in videos)
    return StabilityScores(
        of="error" if any(v.truth is not None for v in videos) else "still",
        videos=len(videos),
        frames=frames,
        tracked=sum(int(v.tracked.sum()) for v in videos) / frames,
        lost_spans=sum(_spans(~v.tracked) for v in videos),
        still_frames=sum(s.stop - s.start for v in videos for s in segments(v.still, v.fps)),
        **{name: _mean([e[name] for e in each]) for name in each[0]},
    )


def has_truth(truth: Values, scored: tuple[int, ...]) -> Mask:
    """Return the frames in which every scored landmark is known.

    Args:
        truth: True landmarks, (T, K, 2).
        scored: Indices of the scored landmarks.

    Returns:
        A mask, (T,).
    """
    return np.asarray(np.isfinite(truth[:, list(scored)]).all((1, 2)))


def shared_still_frames(videos: Sequence[TrackedVideo]) -> Mask | None:
    """Return the frames that are at rest according to every tracker of one video.

    Without ground truth, each tracker's landmarks define their own still frames, so trackers can
    only be compared in the frames that all share.

    Args:
        videos: The same video, tracked by different trackers.

    Returns:
        A mask, (T,); None if the trackers cover different frames.
    """
    if len({(v.first, len(v.points)) for v in videos}) > 1:
        return None
    return np.asarray(np.stack([v.still for v in videos]).all(0))


def _with_truth(video: TrackedVideo) -> dict[str, float]:
    truth = np.full_like(video.points, np.nan) if video.truth is None else video.truth
    points = np.where(has_truth(truth, video.scored)[:, None, None], video.points, np.nan)
    unscored = np.setdiff1d(np.arange(points.shape[1]), video.scored)
    points[:, unscored] = np.nan
    errors, eyes = video.errors(), video.schema.eyes
    fast, rest = fast_and_slow_error(errors, truth, eyes=eyes)
    still = segments(video.still, video.fps)
    return {
        "mav": allan_variance(points, truth, eyes=eyes),
        "mcv": mcv([errors]),
        "lag_frames": lag_frames(points, truth),
        "nrmse_fast": fast,
        "nrmse_rest": rest,
        "still_motion": _mean([mean_motion(points[s], truth[s], eyes=eyes) for s in still]),
    }


def _without_truth(video: TrackedVideo) -> dict[str, float]:
    still = [video.points[s] for s in segments(video.still, video.fps)]
    nothing = float("nan")
    return {
        "mav": mav(still, eyes=video.schema.eyes),
        "mcv": mcv_still(still),
        "lag_frames": nothing,
        "nrmse_fast": nothing,
        "nrmse_rest": nothing,
        "still_motion": _mean([mean_motion(points, eyes=video.schema.eyes) for points in still]),
    }


def _spans(mask: Mask) -> int:
    """Return the number of runs of True."""
    return int((np.diff(mask.astype(np.int8), prepend=0) == 1).sum())


def _mean(values: list[float]) -> float:
    return float(mean_of_finite(np.array(values, np.float64)))
