"""Prepare a video with ground truth and a tracker's landmark table of it for scoring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import TrackingError, UsageError
from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.accuracy_scores import eye_length
from steadymark.engine.metrics.landmark_correspondence import (
    correspondence_with_truth,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.engine.metrics.rest_detection import still_frames
from steadymark.engine.metrics.video_ground_truth import check_length, read_truth
from steadymark.engine.metrics.video_scores import TrackedVideo, has_truth
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.pipeline.job import OutputSettings, run_job
from steadymark.engine.sources import open_source
from steadymark.engine.sources.resolve_input import is_live

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.metrics.landmark_correspondence import Correspondence
    from steadymark.engine.metrics.rest_detection import Mask
    from steadymark.engine.metrics.video_ground_truth import LabelledVideo
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.face.schema import LandmarkSchema

    Progress = Callable[[SourceInfo, PipelineReport], None]

USUAL_FPS = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class ScoredVideo:
    """A video on which trackers are scored.

    Attributes:
        name: Name of the video, for display.
        source: The video as `open_source` takes it; None when only the ground truth is known.
        frames: Number of frames; None when it is unknown.
        truth: True landmarks, (T, K, 2), in pixels; None without ground truth. It is NaN in frames
            that do not count: frames without ground truth and, when the truth is a table whose
            video is known, frames in which a landmark lies outside the image, where no tracker can
            see it. Manual annotations (.pts files) count even outside the image, as is usual.
        schema: Landmark schema of the scored landmarks.
        scored: Indices of the landmarks that count in the scores.
    """

    name: str
    source: str | None
    frames: int | None
    truth: Values | None
    schema: LandmarkSchema
    scored: tuple[int, ...]


def prepare_video(
    video: LabelledVideo,
    schema: LandmarkSchema,
    chosen: Correspondence | None = None,
    *,
    read: Values | None = None,
    truth_schema: str = "",
) -> ScoredVideo:
    """Read the ground truth of a video and check that it fits the video's length and size.

    Args:
        video: The video and the path of its ground truth.
        schema: Landmark schema of the trackers.
        chosen: Which landmarks are scored, and their numbers in the ground truth; None scores those
            that the schemas share, see `correspondence_with_truth`.
        read: The ground truth, (T, K', 2), if it has been read already.
        truth_schema: Schema of the ground truth, if it is known.

    Returns:
        The video, ready for scoring.

    Raises:
        UsageError: The video is live, ground truth and video do not belong together, or there is
            nothing to compare.
        SourceError: The video cannot be read.
        LandmarkFileError: The ground truth cannot be read.
    """
    info = None
    if video.source is not None:
        if is_live(video.source):
            raise UsageError(
                "{source} is live: give a recorded video with --data", source=video.source
            )
        source = open_source(video.source)
        info = source.info
        source.close()
    if video.truth is None:
        frames = info.frames if info else None
        scored = scored_landmarks(schema, chosen)
        return ScoredVideo(video.name, video.source, frames, None, schema, scored)
    found = read_truth(video.truth) if read is None else read
    if chosen is None:
        chosen = correspondence_with_truth(
            schema, found.shape[-2], str(video.truth), named=truth_schema
        )
    scored = scored_landmarks(schema, chosen)
    truth = in_our_numbers(found, schema, chosen, str(video.truth))
    frames = len(truth)
    if info is not None and info.frames is not None:
        check_length(truth, video.truth, info.frames)
        frames = info.frames
        missing = np.full((frames - len(truth), *truth.shape[1:]), np.nan)
        truth = np.concatenate((truth, missing))
    if info is not None and video.truth.is_file():
        truth[_cut_off(truth, info.width, info.height)] = np.nan
    if not has_truth(truth, scored).any():
        raise UsageError(
            "{truth} has no face that lies wholly in the image: there is nothing to compare",
            truth=video.truth,
        )
    return ScoredVideo(video.name, video.source, frames, truth, schema, scored)


def match_table(table: LandmarkTable, video: ScoredVideo, *, name: str) -> TrackedVideo:
    """Return one face of a tracker's table, aligned with the frames of a video.

    If the table holds several faces, it is in each frame the face nearest to the true one or,
    without ground truth, the face with the most rows. A table of a part of the video (--start,
    --end) is scored on that part.

    Args:
        table: The tracker's landmark table.
        video: The video that was tracked.
        name: Name of the table, for error messages.

    Returns:
        The tracked video.

    Raises:
        UsageError: The table is empty, or it belongs to another video or another landmark schema.
    """
    if not len(table):
        raise UsageError("{name} holds no rows: there is nothing to compare", name=name)
    if table.xy_px.shape[1] != video.schema.count:
        raise UsageError(
            "{name} has {given} landmarks: only tables with the {count} landmarks "
            "of {schema} can be scored",
            name=name,
            given=table.xy_px.shape[1],
            count=video.schema.count,
            schema=video.schema.name,
        )
    first, count = _span(table, video.frames, name)
    truth = None if video.truth is None else video.truth[first : first + count]
    if truth is not None and not has_truth(truth, video.scored).any():
        raise UsageError(
            "{name} covers no frame that has ground truth: there is nothing to compare", name=name
        )
    points = _one_face(table, first, count, truth, video.scored)
    return tracked_video(points, video, fps=_fps(table), first=first)


def tracked_video(
    points: Values, video: ScoredVideo, *, fps: float, first: int = 0, known: Mask | None = None
) -> TrackedVideo:
    """Combine the landmarks of one tracked face with the ground truth of a video.

    Args:
        points: Landmarks, (T, K, 2), in pixels, from frame `first` on, with NaN in frames without
            the face.
        video: The video that was tracked.
        fps: Frames per second.
        first: Number of the first frame in `points`.
        known: Frames that were tracked, (T,); other frames do not count. None for all.

    Returns:
        The tracked video with its still frames.
    """
    truth = None if video.truth is None else video.truth[first : first + len(points)]
    reference = points if truth is None else truth
    size_px = float(mean_of_finite(eye_length(video.schema)(reference)))
    still = still_frames(reference[:, list(video.scored)], fps, size_px)
    if known is not None:
        still &= known
        truth = None if truth is None else np.where(known[:, None, None], truth, np.nan)
    return TrackedVideo(
        video.name,
        video.source,
        points,
        truth,
        np.asarray(np.isfinite(points).all((1, 2))),
        still,
        fps,
        video.schema,
        video.scored,
        first,
    )


def track(
    video: ScoredVideo,
    models: OpenModels,
    settings: TrackSettings,
    *,
    on_progress: Progress,
    stop: Event | None = None,
) -> tuple[LandmarkTable, tuple[str, ...]]:
    """Track a video as `steadymark track` does.

    Args:
        video: The video to track.
        models: The opened models.
        settings: Tracking settings.
        on_progress: Called with the source's information and the report so far.
        stop: Ends tracking when it is set; the table then has only what was tracked.

    Returns:
        The landmark table, and notes on the source and on what was skipped.

    Raises:
        TrackingError: The video cannot be tracked to its end.
        ValueError: Only the ground truth of the video is known.
    """
    if video.source is None:
        raise ValueError(f"no video of {video.name} is known")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        output = OutputSettings(Path(folder))
        job = run_job(
            video.source,
            models,
            settings,
            output,
            used_stems=set(),
            stop=stop or Event(),
            on_progress=on_progress,
        )
        if job.error:
            raise TrackingError("{why}", why=job.error)
        return read_landmarks(job.outputs[0]), job.notes


def _cut_off(truth: Values, width: int, height: int) -> Mask:
    """Return the frames, (T,), in which a landmark lies outside the image; NaN is not outside."""
    with np.errstate(invalid="ignore"):
        outside = (truth < 0) | (truth > (width - 1, height - 1))
    return np.asarray(outside.any((1, 2)))


def _span(table: LandmarkTable, frames: int | None, name: str) -> tuple[int, int]:
    """Return the number of the first frame that the table covers, and the number of frames."""
    first, end = int(table.frame.min()), int(table.frame.max()) + 1
    if frames is None:
        return first, end - first
    written = len(np.unique(table.frame))
    part = _is_part(table)
    if end > frames or (end < frames and written == end and not part):
        raise UsageError(
            "{name} has {end} frames, the video has {frames}: it belongs to another video",
            name=name,
            end=end,
            frames=frames,
        )
    return (first, end - first) if part else (0, frames)


def _is_part(table: LandmarkTable) -> bool:
    """Return whether the table was made with --start or --end, as its header tells."""
    settings = table.header.get("settings")
    if not isinstance(settings, dict):
        return False
    return any(settings.get(key) is not None for key in ("start_s", "end_s"))


def _one_face(
    table: LandmarkTable, first: int, count: int, truth: Values | None, scored: tuple[int, ...]
) -> Values:
    """Return the landmarks of one face, (T, K, 2), with NaN in frames without it."""
    rows = np.flatnonzero(np.isfinite(table.xy_px).all((1, 2)))
    points = np.full((count, *table.xy_px.shape[1:]), np.nan)
    if not len(rows):
        return points
    frame, face, xy = table.frame[rows] - first, table.face_id[rows], table.xy_px[rows]
    ids, times = np.unique(face, return_counts=True)
    cost = (face != ids[np.argmax(times)]).astype(np.float64)
    if truth is not None:
        distance = np.linalg.norm(xy - truth[frame], axis=-1)[:, list(scored)].mean(-1)
        cost = np.where(np.isnan(distance), cost, distance)
    order = np.lexsort((cost, frame))
    frames, best = np.unique(frame[order], return_index=True)
    points[frames] = xy[order[best]]
    return points


def _fps(table: LandmarkTable) -> float:
    """Return the frames per second, from the times of consecutive frames."""
    frames, at = np.unique(table.frame, return_index=True)
    with np.errstate(invalid="ignore"):
        steps_s = np.diff(table.timestamp_s[at])[np.diff(frames) == 1]
    steps_s = steps_s[steps_s > 0]
    return float(1 / np.median(steps_s)) if len(steps_s) else USUAL_FPS
