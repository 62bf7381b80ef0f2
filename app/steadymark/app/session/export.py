"""Export of kept results to files, on a thread. Nothing is tracked again."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.types import TrackResult
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.pipeline.job import InputSettings, header
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.app.session.analysis.comparison import ComparedPoints
    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.output.video.drawing import DrawOptions
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

log = logging.getLogger(__name__)

_TELL_EVERY = 16  # frames


class ExportKind(StrEnum):
    """What is written. SIDE: a video that shows both compared variants beside each other."""

    TABLE = "table"
    VIDEO = "video"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported to which path.

    Attributes:
        kind: What is written.
        path: The file.
        draw: What is drawn into an annotated video.
        table: Name of the table's format, see `TABLE_FORMATS`.
    """

    kind: ExportKind
    path: Path
    draw: DrawOptions
    table: str = "native"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The progress and the outcome of an export.

    Attributes:
        order: The request.
        done: The number of frames that are written.
        of: The number of frames to write.
        running: Whether the export is still running.
        cancelled: Whether the user cancelled it.
        partial: Whether some frames were not tracked.
        path: The path of the file that was written.
        fault: A sentence that says what failed, or nothing.
        pieces: The number of separate tracking runs that a table consists of.
    """

    order: ExportRequest
    done: int = 0
    of: int = 0
    running: bool = True
    cancelled: bool = False
    partial: bool = False
    path: str = ""
    fault: UserText = NOTHING
    pieces: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class ExportSource:
    """The data of an export. Tracking may continue and filters may change in the meantime.

    Attributes:
        info: The recording.
        settled: Returns the results to write, see BackgroundTracking. The export thread calls it.
        models: The networks that tracked the recording.
        settings: The settings that it was tracked with.
        compared: What a video of both variants shows. None means raw and stabilized points.
    """

    info: SourceInfo
    settled: Callable[[], Results]
    models: OpenModels
    settings: TrackSettings
    compared: ComparedPoints | None = None


class Export:
    """One export that runs once, from `start` on.

    Args:
        order: What is exported to which path.
        material: The data of the export.
        on_change: Is called from the thread when the report changed. It must return immediately.
    """

    def __init__(
        self, order: ExportRequest, material: ExportSource, on_change: Callable[[], None]
    ) -> None:
        self._order, self._material, self._on_change = order, material, on_change
        self._lock, self._cancelled = Lock(), Event()
        self._report = ExportReport(order)
        self._thread = Thread(target=self._run, name="export", daemon=True)

    @property
    def report(self) -> ExportReport:
        """A snapshot of the progress."""
        with self._lock:
            return self._report

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Stop soon. The part that is written so far stays and is marked as partial."""
        self._cancelled.set()

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._write()
        except SteadymarkError as error:
            self._tell(fault=error.sentence)
        except Exception as error:
            log.exception("export")
            named = f"{type(error).__name__}: {error}"
            self._tell(fault=UserText("the export failed ({fault})", fault=named))
        finally:
            self._tell(running=False, cancelled=self._cancelled.is_set())

    def _write(self) -> None:
        results = self._material.settled()
        known = results.known()
        missing = bool((known == FrameStatus.NOTHING).any())
        compared = self._material.compared
        if self._order.kind is ExportKind.SIDE and compared is not None:
            missing |= not bool(compared.known[known == FrameStatus.TRACKED].all())
        sink = self._sink(results)
        sink.open(self._material.info)
        written = False
        try:
            frames = self._with_pictures if self._is_video else self._tracked
            for done, result in enumerate(frames(results), start=1):
                if self._cancelled.is_set():
                    break
                sink.write(result)
                if done % _TELL_EVERY == 0:
                    self._tell(done=done)
            else:
                written = True
        finally:
            sink.close(complete=written and not missing)
        pieces = 1 if self._is_video else results.pieces
        self._tell(path=sink.path, partial=missing, pieces=pieces)

    @property
    def _is_video(self) -> bool:
        return self._order.kind in (ExportKind.VIDEO, ExportKind.SIDE)

    def _sink(self, results: Results) -> Sink:
        order, material = self._order, self._material
        if self._is_video:
            source = material.info.path
            return AnnotatedVideoSink(
                order.path, source if Path(source).is_file() else None, order.draw
            )
        facts = header(material.info, material.models, material.settings, InputSettings())
        if results.pieces > 1:
            facts = replace(facts, settings={**facts.settings, "pieces": results.pieces})
        return TABLE_FORMATS.find(order.table).sink(order.path, facts, results.schema)

    def _tracked(self, results: Results) -> Iterator[TrackResult]:
        frames = np.flatnonzero(results.known() == FrameStatus.TRACKED)
        self._tell(of=len(frames))
        for index in frames:
            result = results.result(int(index))
            if result is not None:
                yield result

    def _with_pictures(self, results: Results) -> Iterator[TrackResult]:
        """Yield all frames with their pictures. Frames that are not tracked have no faces."""
        known, material = results.known(), self._material
        self._tell(of=int((known != FrameStatus.DAMAGED).sum()))
        faces = results.faces
        if self._order.kind is ExportKind.SIDE and material.compared is not None:
            faces = material.compared.faces
        film = Media(material.info.path)
        try:
            for frame in film.piece(range(len(known))).frames():
                yield TrackResult(frame, faces(frame.index) or ())
        finally:
            film.close()

    def _tell(self, **changes: object) -> None:
        with self._lock:
            self._report = replace(self._report, **changes)  # type: ignore[arg-type]
        self._on_change()
