"""Export of kept results to files, on a thread. Nothing is tracked again."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus
from steadymark.app.session.review.reviewed_faces import ReviewedFaces
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.protocols import more_paths
from steadymark.engine.core.types import TrackResult
from steadymark.engine.expressions.expression_settings import AS_MEASURED, ExpressionSettings
from steadymark.engine.output.output_paths import other_face_files
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.pipeline.job import InputSettings, header
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import SourceInfo, TrackedFace
    from steadymark.engine.output.csv.native_csv import Header
    from steadymark.engine.output.video.drawing import DrawOptions
    from steadymark.engine.review.project import Project
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

log = logging.getLogger(__name__)

_REPORT_EVERY = 16  # frames


class ExportKind(StrEnum):
    """What is written.

    SIDE: a video that shows both compared variants side by side. REVIEW: see `ReviewExport`.
    REPORT: a page about a review.
    """

    TABLE = "table"
    VIDEO = "video"
    SIDE = "side"
    REVIEW = "review"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported to which path.

    Attributes:
        kind: What is written.
        path: The file.
        draw: What is drawn into an annotated video.
        table: Name of the table's format, see `TABLE_FORMATS`.
        loop: The first and last frame to write; None writes all frames.
        expressions: Settings that apply to files of animations.
        project: The project that is applied to the landmarks: corrections, persons, and what is
            excluded, which is left out. None writes the landmarks as they were tracked.
    """

    kind: ExportKind
    path: Path
    draw: DrawOptions
    table: str = "native"
    loop: tuple[int, int] | None = None
    project: Project | None = None
    expressions: ExpressionSettings = AS_MEASURED

    def covers(self, frames: int) -> range:
        """Return the frames to write of a recording with this many frames."""
        first, last = self.loop or (0, frames - 1)
        return range(first, min(last + 1, frames))

    @property
    def whole_table(self) -> bool:
        """Whether this is a table of all frames as they were tracked."""
        table = self.kind is ExportKind.TABLE
        return table and self.loop is None and self.project is None


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The progress and the outcome of an export.

    Attributes:
        request: The request.
        source: The path of the recording.
        done: The number of frames that are written.
        of: The number of frames to write.
        running: Whether the export is still running.
        cancelled: Whether the user cancelled it.
        partial: Whether some frames were not tracked.
        path: The path of the file that was written.
        fault: A sentence that says what failed, or nothing.
        segment_count: The number of segments that were tracked separately.
        notes: Sentences about what could not be done of it.
    """

    request: ExportRequest
    source: str = ""
    done: int = 0
    total: int = 0
    running: bool = True
    cancelled: bool = False
    partial: bool = False
    path: str = ""
    fault: UserText = NOTHING
    segment_count: int = 1
    notes: tuple[UserText, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ExportSource:
    """The data of an export. Tracking may continue and filters may change in the meantime.

    Attributes:
        info: The recording.
        filtered_results: Returns the results to write, see
            `BackgroundTracking`. The export thread calls it.
        models: The networks that tracked the recording.
        settings: The settings that it was tracked with.
        compared: What a video of both variants shows. None means raw and stabilized points.
        header: The header of the table that the results come from; None if they were tracked.
    """

    info: SourceInfo
    filtered_results: Callable[[], Results]
    models: OpenModels
    settings: TrackSettings
    compared: ComparedPoints | None = None
    header: Header | None = None


def source_of(recording: OpenRecording, compared: ComparedPoints | None = None) -> ExportSource:
    """Return the data of exports of a recording; for `compared`, see `ExportSource`."""
    return ExportSource(
        recording.media.info,
        recording.tracking.filtered_results,
        recording.models,
        recording.settings,
        compared,
        None if recording.table is None else recording.table.header,
    )


def table_header(source: ExportSource, results: Results) -> Header:
    """Return the header of a table of these results.

    Raises:
        SourceError: The recording cannot be read.
    """
    if source.header is not None:
        return source.header
    head = header(source.info, source.models, source.settings, InputSettings())
    if not results.of_recording:
        head = head.while_tracking
    if (results.frame_status() == FrameStatus.UNKNOWN).any():
        # Frames that were not tracked yet must not look like damaged ones.
        head = replace(head, source_frames=None)
    if results.segment_count > 1:
        head = replace(head, settings={**head.settings, "pieces": results.segment_count})
    return head


class ExportCancelled(Exception):  # noqa: N818 - it is no error
    """The user cancelled an export of which no part can be kept."""


class BackgroundExport(ABC):
    """One export that runs once on a thread of its own, from `start` on.

    Args:
        request: What is exported to which path.
        on_change: Is called from the thread when the report changed. It must return immediately.
        source: The path of the recording; empty for several.
    """

    def __init__(
        self, request: ExportRequest, on_change: Callable[[], None], source: str = ""
    ) -> None:
        self._request, self._on_change = request, on_change
        self._lock, self._cancelled = Lock(), Event()
        self._report = ExportReport(request, source)
        self._thread = Thread(target=self._run, name="export", daemon=True)

    @property
    def report(self) -> ExportReport:
        """A snapshot of the progress."""
        with self._lock:
            return self._report

    def start(self) -> None:
        """Start the thread that writes the file."""
        self._thread.start()

    def cancel(self) -> None:
        """Stop soon. The part that is written so far stays and is marked as partial."""
        self._cancelled.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread. Returns whether it ended in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._write()
        except ExportCancelled:
            pass
        except SteadymarkError as error:
            self._update_report(fault=error.sentence)
        except Exception as error:
            log.exception("export")
            named = f"{type(error).__name__}: {error}"
            self._update_report(fault=UserText("the export failed ({fault})", fault=named))
        finally:
            self._update_report(running=False, cancelled=self._cancelled.is_set())

    @abstractmethod
    def _write(self) -> None:
        """Write the file; it is called in the thread."""

    def _update_report(self, **changes: object) -> None:
        with self._lock:
            self._report = replace(self._report, **changes)  # type: ignore[arg-type]
        self._on_change()


class Export(BackgroundExport):
    """An export of the results of one recording.

    Args:
        request: What is exported to which path.
        source_data: The data of the export.
        on_change: Is called from the thread when the report changed. It must return immediately.
    """

    def __init__(
        self, request: ExportRequest, source_data: ExportSource, on_change: Callable[[], None]
    ) -> None:
        super().__init__(request, on_change, source_data.info.path)
        self._source = source_data

    def _write(self) -> None:
        results = self._source.filtered_results()
        frames = self._request.covers(results.frames)
        known = results.frame_status()[frames.start : frames.stop]
        missing = bool((known == FrameStatus.UNKNOWN).any())
        compared = self._source.compared
        if self._request.kind is ExportKind.SIDE and compared is not None:
            both = compared.known[frames.start : frames.stop]
            missing |= not bool(both[known == FrameStatus.TRACKED].all())
        sink = self._sink(results)
        sink.open(self._source.info)
        written = False
        try:
            write = self._frames_with_images if self._is_video else self._tracked_frames
            for done, result in enumerate(write(results, frames), start=1):
                if self._cancelled.is_set():
                    break
                sink.write(result)
                if done % _REPORT_EVERY == 0:
                    self._update_report(done=done)
            else:
                written = True
        finally:
            sink.close(complete=written and not missing)
        segment_count = 1 if self._is_video else results.segment_count
        self._update_report(path=sink.path, partial=missing, segment_count=segment_count)
        if written and not self._is_video and TABLE_FORMATS.find(self._request.table).one_per_face:
            notes = other_face_files(Path(self._request.path), more_paths(sink))
            self._update_report(notes=notes)

    @property
    def _is_video(self) -> bool:
        return self._request.kind in (ExportKind.VIDEO, ExportKind.SIDE)

    def _sink(self, results: Results) -> Sink:
        request, source_data = self._request, self._source
        if self._is_video:
            source = source_data.info.path
            return AnnotatedVideoSink(
                request.path, source if Path(source).is_file() else None, request.draw
            )
        head = replace(table_header(source_data, results), expressions=request.expressions)
        return TABLE_FORMATS.find(request.table).sink(request.path, head, results.schema)

    def _tracked_frames(self, results: Results, frames: range) -> Iterator[TrackResult]:
        tracked = np.flatnonzero(results.frame_status() == FrameStatus.TRACKED)
        tracked = tracked[(tracked >= frames.start) & (tracked < frames.stop)]
        self._update_report(total=len(tracked))
        faces = self._faces(results)
        for index in tracked.tolist():
            result = results.result(index)
            if result is not None:
                yield replace(result, faces=faces(index) or ())

    def _frames_with_images(self, results: Results, frames: range) -> Iterator[TrackResult]:
        """Yield these frames with their pictures. Frames that are not tracked have no faces."""
        known, source_data = results.frame_status()[frames.start : frames.stop], self._source
        self._update_report(total=int((known != FrameStatus.DAMAGED).sum()))
        faces = self._faces(results)
        media = Media(source_data.info.path)
        try:
            for frame in media.segment(frames).frames():
                yield TrackResult(frame, faces(frame.index) or ())
        finally:
            media.close()

    def _faces(self, results: Results) -> Callable[[int], tuple[TrackedFace, ...] | None]:
        """Return a function that returns the faces to write of a frame, given its index."""
        compared, project = self._source.compared, self._request.project
        if self._request.kind is ExportKind.SIDE and compared is not None:
            return compared.faces
        if project is None:
            return results.faces
        return ReviewedFaces(results, project, self._source.settings.focal_px).faces
