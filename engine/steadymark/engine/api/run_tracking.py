"""Tracking of a whole video with opened networks, with the landmarks as arrays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from steadymark.engine.api.face_rows import rows_of
from steadymark.engine.api.inputs import checked_number
from steadymark.engine.api.video_landmarks import VideoLandmarks
from steadymark.engine.core.errors import TrackingError, UsageError
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST, Moments
from steadymark.engine.output.csv.whole_recording import finished_results
from steadymark.engine.pipeline.job import InputSettings, header
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.sources import open_source
from steadymark.engine.sources.resolve_input import is_live
from steadymark.engine.stabilizers.filter_runner import offline_filter
from steadymark.engine.tracking.settings import make_tracker, settings_for_images
from steadymark.models.user_text import join_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steadymark.engine.core.protocols import FrameSource
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.sources.frame_conversion import DecodeSettings
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

Progress: TypeAlias = bool | Callable[[int, int | None], None]
_REPORT_EVERY_S = 0.1


def run_tracking(
    source: str | Path,
    models: OpenModels,
    settings: TrackSettings,
    *,
    start_s: float | None,
    end_s: float | None,
    decoding: DecodeSettings,
    progress: Progress,
) -> VideoLandmarks:
    """Track a video with opened networks; see `sm.track_video`."""
    text = str(source)
    if is_live(text):
        raise UsageError(
            "{text} is live and has no end: read it with read_frames, and pass each frame to a "
            "tracker",
            text=text,
        )
    start_s, end_s = (
        None if value is None else checked_number(value, name=name)
        for name, value in (("start_s", start_s), ("end_s", end_s))
    )
    if end_s is not None and end_s <= (start_s or 0):
        raise UsageError(
            "end_s {end:g} is not after start_s {start:g}", end=end_s, start=start_s or 0
        )
    opened = open_source(text, start_s=start_s, end_s=end_s, decoding=decoding)
    settings = settings_for_images(settings, opened.info.image_order)
    try:
        input_settings = InputSettings(start_s, end_s, decoding=decoding)
        table_header = header(opened.info, models, settings, input_settings)
        results, problems = _results(opened, models, settings, progress)
    finally:
        opened.close()
    results = _finished(results, settings, of_recording=FACE_AT_REST in table_header.settings)
    return VideoLandmarks(
        rows_of(results, models.schema.count, opened.info.image_names),
        models.schema.name,
        table_header,
        camera=Intrinsics(opened.info.width, opened.info.height, settings.focal_px),
        source=opened.info.path,
        problems=problems,
    )


def _finished(
    results: list[TrackResult], settings: TrackSettings, *, of_recording: bool
) -> list[TrackResult]:
    """Return the results after what needs the whole video: a filter, and the 3D faces."""
    offline, moments = offline_filter(settings.chosen), Moments()
    for result in results if of_recording else ():
        moments.add_faces(result)
    if offline is None and not of_recording:
        return results
    return list(finished_results(results, offline, moments.identities()))


def _results(
    opened: FrameSource, models: OpenModels, settings: TrackSettings, progress: Progress
) -> tuple[list[TrackResult], tuple[str, ...]]:
    """Return the results of all frames, and what the source skipped."""
    results: list[TrackResult] = []
    pipeline = Pipeline(
        opened,
        make_tracker(models, settings),
        on_result=lambda result: results.append(result.without_image()),
    )
    pipeline.start()
    try:
        with _progress_callback(progress, opened.info.name) as report_progress:
            while not pipeline.wait(_REPORT_EVERY_S):
                report_progress(pipeline.report.frames, opened.info.frames)
            report = pipeline.report
            report_progress(report.frames, opened.info.frames)
    except BaseException:
        pipeline.stop()
        raise
    if report.state is PipelineState.FAILED:
        raise TrackingError(join_texts(report.faults))
    return results, (*opened.info.notes, *report.problems)


@contextmanager
def _progress_callback(
    progress: Progress, name: str
) -> Iterator[Callable[[int, int | None], None]]:
    """Provide a function that takes the number of tracked frames and the number of all frames."""
    if progress is False:
        yield lambda done, total: None
    elif progress is True:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import Progress as Bars

        with Bars(console=Console(stderr=True)) as bars:
            task = bars.add_task(escape(name), total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)
    else:
        yield progress
