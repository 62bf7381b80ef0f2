"""Every measure of one tracker on videos, with their ground truth or without."""

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
    """One video as one tracker followed it.

    points: (T, K, 2), NaN in frames without the face. truth: (T, K, 2), NaN in frames that do not
    count and in landmarks that it lacks; None where there is none. first: number of the first of
    the T frames. source: the video, None where only its landmarks are known. tracked: (T,), frames
    with any face. still: (T,), frames in which the face is still.
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
        """The frames that have truth; None where there is none."""
        if self.truth is None:
            return None
        frames = np.flatnonzero(has_truth(self.truth, self.scored))
        places = [FacePlace(self.name, self.source or "", int(t) + self.first) for t in frames]
        return LandmarkComparison(
            tuple(places), self.points[frames], self.truth[frames], self.schema, self.scored
        )

    def errors(self) -> Values:
        """(T,): NRMSE of each frame; NaN where there is no face or no truth."""
        errors = np.full(len(self.points), np.nan)
        compared = self.compared()
        if compared is not None:
            errors[[(p.frame or 0) - self.first for p in compared.places]] = compared.errors()
        return errors


@dataclass(frozen=True, slots=True)
class StabilityScores:
    """How steadily videos were followed; NaN is what cannot be told.

    of: `error`, where there is truth, or `still`, where mav and mcv are of still segments.
    frames, tracked: of all frames, the share with a face. lost_spans: how often none was there.
    mav: eqs. 11, in (% of the outer-eye distance)²; mcv: eq. 10, in %. still_frames, still_motion:
    frames in which the face is still, and the motion that landmarks show there, in % of the
    outer-eye distance a frame. lag_frames: how many frames landmarks come late. nrmse_fast,
    nrmse_rest: error on the fastest tenth of the frames, and on the others. All but counts are
    means over videos.
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
    """All measures of stability of one or more videos."""
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
    """(T, K, 2) → (T,): frames in which every landmark that counts is known."""
    return np.asarray(np.isfinite(truth[:, list(scored)]).all((1, 2)))


def alike_still(videos: Sequence[TrackedVideo]) -> Mask | None:
    """Frames that every tracker's landmarks of one video call still; None if they differ in length.

    Without truth each tracker has its own idea of when the face is still; only in frames common to
    all can they be compared.
    """
    if len({(v.first, len(v.points)) for v in videos}) > 1:
        return None
    return np.asarray(np.stack([v.still for v in videos]).all(0))


def _with_truth(video: TrackedVideo) -> dict[str, float]:
    truth = np.full_like(video.points, np.nan) if video.truth is None else video.truth
    points = np.where(has_truth(truth, video.scored)[:, None, None], video.points, np.nan)
    unscored = np.setdiff1d(np.arange(points.shape[1]), video.scored)
    points[:, unscored] = np.nan
    errors = video.errors()
    fast, rest = fast_and_slow_error(errors, truth)
    still = segments(video.still, video.fps)
    return {
        "mav": allan_variance(points, truth),
        "mcv": mcv([errors]),
        "lag_frames": lag_frames(points, truth),
        "nrmse_fast": fast,
        "nrmse_rest": rest,
        "still_motion": _mean([mean_motion(points[s], truth[s]) for s in still]),
    }


def _without_truth(video: TrackedVideo) -> dict[str, float]:
    still = [video.points[s] for s in segments(video.still, video.fps)]
    nothing = float("nan")
    return {
        "mav": mav(still),
        "mcv": mcv_still(still),
        "lag_frames": nothing,
        "nrmse_fast": nothing,
        "nrmse_rest": nothing,
        "still_motion": _mean([mean_motion(points) for points in still]),
    }


def _spans(mask: Mask) -> int:
    """Runs of True."""
    return int((np.diff(mask.astype(np.int8), prepend=0) == 1).sum())


def _mean(values: list[float]) -> float:
    return float(mean_of_finite(np.array(values, np.float64)))
