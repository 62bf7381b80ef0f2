"""The figures of each tracker on each clip, and their medians."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.compare.comparison import is_same_face
from steadymark.engine.metrics.accuracy import mean_of_finite, point_errors
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rigid_motion import RIGID, eye_distance, motion_beyond_rigid
from steadymark.engine.metrics.stability import allan_variance, lag_frames, lag_of_steps, mav
from steadymark.engine.metrics.video_ground_truth import find_videos, read_truth
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.compare.comparison import ComparedClip, PeerClip
    from steadymark.engine.metrics.accuracy import Values

WARM_UP = 10  # frames at the start of each clip whose times do not count
INNER_FROM = 17  # the landmarks before are the contour of the face
_COUNT = load_schema(IBUG68).count


@dataclass(frozen=True, slots=True)
class PeerRow:
    """Figures of one tracker on one clip. A value is NaN where it is not defined.

    Attributes:
        clip: File name of the clip.
        peer: Name of the tracker.
        frames: Number of frames.
        cpu_ms: Median CPU time of a frame.
        wall_ms: Median time of a frame by the clock.
        p95_ms: 95th percentile of the time of a frame by the clock.
        lost: Share of the frames without a face, in percent; with ground truth, of its frames.
        other: Share of the frames in which the face is not that of the first tracker, in percent.
        nrmse: Mean error against the ground truth, in percent of the outer-eye distance.
        nrmse_inner: The same without the contour of the face.
        mav: Allan variance, of the error where there is ground truth, else where the face is at
            rest, in (percent)².
        lag: Lag in frames, behind the ground truth or else behind the motion in the image.
        motion: Motion of nose ridge and eye corners besides the motion of the head, in percent per
            frame.
        motion_all: The same of all landmarks that all trackers have.
    """

    clip: str
    peer: str
    frames: int
    cpu_ms: float
    wall_ms: float
    p95_ms: float
    lost: float
    other: float
    nrmse: float
    nrmse_inner: float
    mav: float
    lag: float
    motion: float
    motion_all: float


FIGURES = tuple(PeerRow.__slots__[3:])


def common_landmarks(clips: Sequence[ComparedClip]) -> tuple[int, ...]:
    """Return the numbers of the landmarks that every tracker finds; only these are compared."""
    common = np.ones(_COUNT, np.bool_)
    for clip in clips:
        for found in clip.found.values():
            known = np.isfinite(np.array(found.points)).all(-1)
            if known.any():
                common &= known.any(0)
    return tuple(int(i) for i in np.flatnonzero(common))


def true_landmarks(clip: str, frames: int) -> Values | None:
    """Return the ground truth beside a clip, (T, 68, 2); None if there is none of 68 landmarks.

    Args:
        clip: The clip as `open_source` takes it.
        frames: Number of its frames that are compared.

    Raises:
        UsageError: The ground truth cannot be used.
        LandmarkFileError: It cannot be read.
    """
    path = Path(clip)
    if not path.is_file() or (beside := find_videos(path)[0].truth) is None:
        return None
    truth = read_truth(beside)
    if truth.shape[1] != _COUNT:
        return None
    whole = np.full((frames, _COUNT, 2), np.nan)
    whole[: len(truth)] = truth[:frames]
    return whole


def score_clip(clip: ComparedClip, truth: Values | None, common: tuple[int, ...]) -> list[PeerRow]:
    """Compute the figures of all trackers on one clip.

    Args:
        clip: The clip.
        truth: True landmarks, (T, 68, 2), or None.
        common: The landmarks that are compared.

    Returns:
        A row for each tracker.
    """
    first = next(iter(clip.found.values())).points
    return [_score(clip, name, found, first, truth, common) for name, found in clip.found.items()]


def _score(
    clip: ComparedClip,
    name: str,
    found: PeerClip,
    first: Sequence[Values],
    truth: Values | None,
    common: tuple[int, ...],
) -> PeerRow:
    points = np.full((len(found.points), _COUNT, 2), np.nan)
    points[:, common] = np.array(found.points)[:, common]
    there = np.isfinite(points[:, common]).all((1, 2))
    other = _other_face(points, np.array(first), there)
    same = points.copy()
    same[other] = np.nan
    judged = there if truth is None else there[np.isfinite(truth).all((1, 2))]
    wall, cpu = _times(found.wall_ms), _times(found.cpu_ms)
    eyes_px = eye_distance(same)
    return PeerRow(
        clip=Path(clip.clip).name,
        peer=name,
        frames=len(points),
        cpu_ms=float(np.median(cpu)),
        wall_ms=float(np.median(wall)),
        p95_ms=float(np.percentile(wall, 95)) if len(wall) > 1 else math.nan,
        lost=100 * float(1 - judged.mean()) if len(judged) else math.nan,
        other=100 * float(other.mean()),
        nrmse=_error(points, truth, common),
        nrmse_inner=_error(points, truth, tuple(i for i in common if i >= INNER_FROM)),
        mav=_jitter(clip, same, truth, common),
        lag=_lag(clip, same, truth, common),
        motion=motion_beyond_rigid(
            same, clip.rigid, eyes_px, landmarks=[i for i in RIGID if i in common]
        ),
        motion_all=motion_beyond_rigid(same, clip.rigid, eyes_px, landmarks=common),
    )


def _times(values: Sequence[float]) -> Values:
    """Return the times without the warm-up; a short clip keeps its last frame at least."""
    return np.array(values[min(WARM_UP, len(values) - 1) :], np.float64)


def _other_face(points: Values, first: Values, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the frames, (T,), in which the face is another one than the first tracker's."""
    both = there & np.isfinite(first).any((1, 2))
    other = np.zeros(len(points), np.bool_)
    for t in np.flatnonzero(both):
        other[t] = not is_same_face(points[t], first[t])
    return other


def _error(points: Values, truth: Values | None, landmarks: tuple[int, ...]) -> float:
    if truth is None or not landmarks:
        return math.nan
    errors = point_errors(points, truth)[:, list(landmarks)].mean(-1)
    return float(mean_of_finite(errors))


def _jitter(
    clip: ComparedClip, points: Values, truth: Values | None, common: tuple[int, ...]
) -> float:
    if truth is not None:
        return allan_variance(points, truth, landmarks=common)
    return mav([points[part] for part in segments(clip.still, clip.fps)], landmarks=common)


def _lag(
    clip: ComparedClip, points: Values, truth: Values | None, common: tuple[int, ...]
) -> float:
    kept = points[:, common]
    if truth is not None:
        return lag_frames(kept, truth[:, common])
    moved = np.einsum("tij,tkj->tki", clip.rigid[:, :, :2], kept[:-1])
    true = moved + clip.rigid[:, None, :, 2] - kept[:-1]
    return lag_of_steps(np.diff(kept, axis=0), true)


def median_rows(rows: Sequence[PeerRow]) -> dict[str, dict[str, float]]:
    """Return the median of each figure over the clips in which it is defined, by tracker."""
    medians: dict[str, dict[str, float]] = {}
    for peer in dict.fromkeys(row.peer for row in rows):
        own = [asdict(row) for row in rows if row.peer == peer]
        medians[peer] = {}
        for figure in FIGURES:
            known = [row[figure] for row in own if math.isfinite(row[figure])]
            medians[peer][figure] = float(np.median(known)) if known else math.nan
    return medians
