"""From a video with its truth, and a tracker's table of it, to what can be scored."""

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
from steadymark.engine.metrics.landmark_correspondence import in_our_numbers, scored_landmarks
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
    """A video to score trackers on.

    source: as `open_source` takes it, None where only the truth is known. frames: how many it has,
    None where nothing tells. truth: (T, K, 2), NaN in frames that do not count: those without
    truth and, of a table whose video is known, those in which a landmark lies beyond the picture,
    since no tracker can see it. What people annotated (.pts) counts as it is, as is usual.
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
) -> ScoredVideo:
    """Read a video's truth and ask the video for its size and length. read: the truth, if it is.

    Raises:
        UsageError: they do not belong together, or there is nothing to compare.
        SourceError, LandmarkFileError: one of them cannot be read.
    """
    scored = scored_landmarks(schema, chosen)
    info = None
    if video.source is not None:
        if is_live(video.source):
            raise UsageError(
                "{source} is live: name a recorded video with --data", source=video.source
            )
        source = open_source(video.source)
        info = source.info
        source.close()
    if video.truth is None:
        return ScoredVideo(
            video.name, video.source, info.frames if info else None, None, schema, scored
        )
    found = read_truth(video.truth) if read is None else read
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
            "{truth} has no face wholly in the picture: nothing to compare", truth=video.truth
        )
    return ScoredVideo(video.name, video.source, frames, truth, schema, scored)


def followed(table: LandmarkTable, video: ScoredVideo, *, name: str) -> TrackedVideo:
    """What a tracker's table says of the video; where it follows several faces, of one of them.

    It is the face nearest to the true one or, without truth, that with most rows. A table of a
    part of the video (--start, --end) is scored on that part. `name`: for messages.

    Raises:
        UsageError: the table is of another video or of other landmarks, or is empty.
    """
    if not len(table):
        raise UsageError("{name} holds no rows: there is nothing to compare", name=name)
    if table.xy_px.shape[1] != video.schema.count:
        raise UsageError(
            "{name} has {given} landmarks: only tables with the {count} of {schema} can be scored",
            name=name,
            given=table.xy_px.shape[1],
            count=video.schema.count,
            schema=video.schema.name,
        )
    first, count = _span(table, video.frames, name)
    truth = None if video.truth is None else video.truth[first : first + count]
    if truth is not None and not has_truth(truth, video.scored).any():
        raise UsageError(
            "{name} covers no frame that has truth: there is nothing to compare", name=name
        )
    points = _one_face(table, first, count, truth, video.scored)
    return tracked_video(points, video, fps=_fps(table), first=first)


def tracked_video(
    points: Values, video: ScoredVideo, *, fps: float, first: int = 0, known: Mask | None = None
) -> TrackedVideo:
    """What one face's points (T, K, 2) from frame `first` on, NaN where it is not, say of a video.

    known: (T,), frames that were looked at; the others do not count.
    """
    truth = None if video.truth is None else video.truth[first : first + len(points)]
    calm = points if truth is None else truth
    size_px = float(mean_of_finite(eye_length(video.schema)(calm)))
    still = still_frames(calm[:, list(video.scored)], fps, size_px)
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
    video: ScoredVideo, models: OpenModels, settings: TrackSettings, *, on_progress: Progress
) -> tuple[LandmarkTable, tuple[str, ...]]:
    """The table that `steadymark track` writes of the video, and notes of what was passed over.

    Raises:
        TrackingError: the video cannot be tracked to its end.
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
            taken=set(),
            stop=Event(),
            on_progress=on_progress,
        )
        if job.error:
            raise TrackingError("{why}", why=job.error)
        return read_landmarks(job.outputs[0]), job.notes


def _cut_off(truth: Values, width: int, height: int) -> Mask:
    """(T,): frames in which some landmark lies beyond the picture. NaN lies nowhere."""
    with np.errstate(invalid="ignore"):
        outside = (truth < 0) | (truth > (width - 1, height - 1))
    return np.asarray(outside.any((1, 2)))


def _span(table: LandmarkTable, frames: int | None, name: str) -> tuple[int, int]:
    """Number of the first frame that the table is of, and how many."""
    first, end = int(table.frame.min()), int(table.frame.max()) + 1
    if frames is None:
        return first, end - first
    written = len(np.unique(table.frame))
    part = _is_part(table)
    if end > frames or (end < frames and written == end and not part):
        raise UsageError(
            "{name} has {end} frames, the video has {frames}: it is of another one",
            name=name,
            end=end,
            frames=frames,
        )
    return (first, end - first) if part else (0, frames)


def _is_part(table: LandmarkTable) -> bool:
    """Whether the table says that it was made with --start or --end."""
    settings = table.header.get("settings")
    if not isinstance(settings, dict):
        return False
    return any(settings.get(key) is not None for key in ("start_s", "end_s"))


def _one_face(
    table: LandmarkTable, first: int, count: int, truth: Values | None, scored: tuple[int, ...]
) -> Values:
    """(T, K, 2), NaN in frames without a face."""
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
    """Frames a second, from the times of frames that follow each other."""
    frames, at = np.unique(table.frame, return_index=True)
    with np.errstate(invalid="ignore"):
        steps_s = np.diff(table.timestamp_s[at])[np.diff(frames) == 1]
    steps_s = steps_s[steps_s > 0]
    return float(1 / np.median(steps_s)) if len(steps_s) else USUAL_FPS
