"""A queue of recordings that several processes track into files, like `steadymark track`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

from steadymark.engine.batch.index_updates import IndexUpdates
from steadymark.engine.batch.job_planning import plan_jobs
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.batch.run_jobs import most_processes, run_here
from steadymark.engine.batch.worker_processes import run_queue
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.face_frames import FaceFrames, no_face_found
from steadymark.engine.pipeline.job import InputSettings, JobReport
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.sources.resolve_input import absolute, recording_path
from steadymark.models.user_text import NOTHING, UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.background_opening import ModelCache
    from steadymark.engine.batch.run_jobs import Job
    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.job import OutputSettings
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import TrackSettings

log = logging.getLogger(__name__)

_STOP_S = 1.5  # less than the 2 s that a closing window waits


class QueueStage(StrEnum):
    """The state of a recording.

    DAMAGED: the file was cut off, and what is there was tracked. CANCELLED: the tracked part is
    kept and marked as partial.
    """

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DAMAGED = "damaged"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One recording of the queue.

    Attributes:
        number: The number of the recording, in the order added.
        path: The path of the recording.
        settings: The settings of the tracking.
        output: What is written where.
        stage: The state of the recording.
        frames: The number of processed frames.
        of: The number of frames of the recording; 0 if it is unknown.
        outputs: The files that were written.
        note: A sentence about a fault or a peculiarity, or nothing.
        warnings: The number of peculiarities.
        with_face: The number of frames with a face.
        lost_spans: The number of runs of frames without a face.
        median_score: The median score of the landmarks; 0.0 without a face.
    """

    number: int
    path: str
    settings: TrackSettings
    output: OutputSettings
    stage: QueueStage = QueueStage.WAITING
    frames: int = 0
    total: int = 0
    outputs: tuple[str, ...] = ()
    note: UserText = NOTHING
    warnings: int = 0
    with_face: int = 0
    lost_spans: int = 0
    median_score: float = 0.0

    @property
    def face_frames(self) -> FaceFrames:
        """The numbers of frames processed and of frames with a face."""
        return FaceFrames(self.frames, self.with_face)

    @property
    def ended(self) -> bool:
        return self.stage not in (QueueStage.WAITING, QueueStage.RUNNING)

    @property
    def output_key(self) -> tuple[object, str]:
        """A key that is equal for items whose results would be the same files."""
        return self.output.folder, absolute(self.path)


class VideoQueue:
    """A queue that runs on a thread from the first `add` until `close`.

    A single recording is tracked in this process, whose networks are open. Several recordings are
    tracked in worker processes. `processes` is the number of processes; None means a useful number.

    Args:
        models: The cache of open networks.
        on_change: Is called from the thread and must return immediately.
    """

    def __init__(self, models: ModelCache, on_change: Callable[[], None]) -> None:
        self._models, self._on_change = models, on_change
        self.processes: int | None = None
        self._on_gpu = False
        self._changed = Condition()
        self._items: list[QueueItem] = []
        self._jobs: dict[int, tuple[Job, IndexUpdates]] = {}  # jobs that are being tracked
        self._cancelled: set[int] = set()  # numbers of running jobs that are to be cancelled
        self._in_process = False  # whether the current job is tracked in this process
        self._stop = Event()  # stops all running jobs
        self._closing = False
        self._added = 0
        self._thread: Thread | None = None

    @property
    def items(self) -> tuple[QueueItem, ...]:
        """A snapshot of the items, in the order added."""
        with self._changed:
            return tuple(self._items)

    @property
    def running(self) -> int:
        """The number of recordings that wait or are being tracked."""
        return sum(not item.ended for item in self.items)

    def add(self, paths: Sequence[str], settings: TrackSettings, output: OutputSettings) -> None:
        """Add recordings to the end of the queue and start tracking."""
        with self._changed:
            first, self._added = self._added, self._added + len(paths)
            self._items += [
                QueueItem(first + i, path, settings, output) for i, path in enumerate(paths)
            ]
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="queue", daemon=True)
            self._thread.start()
        self._on_change()

    def cancel(self, number: int) -> None:
        """Cancel one recording, unless it has ended."""
        with self._changed:
            self._cancel([item for item in self._items if item.number == number])
        self._on_change()

    def cancel_all(self) -> None:
        """Cancel all recordings that wait or are being tracked."""
        with self._changed:
            self._cancel(self._items)
        self._on_change()

    def _cancel(self, items: Sequence[QueueItem]) -> None:
        for item in items:
            if item.stage is QueueStage.WAITING:
                self._replace_item(replace(item, stage=QueueStage.CANCELLED))
            elif item.stage is QueueStage.RUNNING:
                self._cancelled.add(item.number)
                if self._in_process:
                    self._stop.set()

    def clear(self) -> None:
        """Remove the recordings that have ended."""
        with self._changed:
            self._items = [item for item in self._items if not item.ended]
        self._on_change()

    def remove(self, number: int) -> None:
        """Remove one recording. One that is being tracked is cancelled and stays."""
        self.cancel(number)
        with self._changed:
            self._items = [
                item
                for item in self._items
                if item.number != number or item.stage is QueueStage.RUNNING
            ]
        self._on_change()

    def close(self) -> None:
        """Cancel everything and end the thread. `join` waits for it."""
        self.cancel_all()
        with self._changed:
            self._closing = True
            self._stop.set()
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread. Returns whether it and all processes ended in time."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def most(self) -> int:
        """Return the largest number of processes. See `JobQueue`."""
        return most_processes(self.processes, on_gpu=self._on_gpu)

    def take(self) -> Job | None:
        """Return the next job, or None if no recording waits. See `JobQueue`."""
        while (item := self._next()) is not None:
            try:
                return self._planned(item)
            except SteadymarkError as error:
                self._store_ended(replace(item, stage=QueueStage.FAILED, note=error.sentence))
        return None

    def cancelled(self, job: Job) -> bool:
        """Return whether the user cancelled this job. See `JobQueue`."""
        return job.number in self._cancelled

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        """Update the progress of a job. See `JobObserver`."""
        self._jobs[job.number][1].progressed(job)
        with self._changed:
            for item in self._in_stage(QueueStage.RUNNING):
                if item.number == job.number:
                    self._replace_item(_with_figures(replace(item, total=info.frames or 0), report))
        self._on_change()

    def ended(self, job: Job, report: JobReport) -> None:
        """Store the outcome of a job. See `JobObserver`."""
        updates = self._jobs[job.number][1]
        updates.ended(job, report)
        notes = (updates.fault,) if updates.fault else ()
        for item in self.items:
            if item.number == job.number:
                self._store_ended(_ended(item, report, notes))

    def _run(self) -> None:
        while self._wait():
            fault = NOTHING
            try:
                self._track_waiting()
            except Exception as error:
                log.exception("queue")
                named = f"{type(error).__name__}: {error}"
                fault = UserText("tracking stopped ({fault})", fault=named)
            with self._changed:
                unfinished = self._in_stage(QueueStage.RUNNING)
            stage = QueueStage.FAILED if fault else QueueStage.CANCELLED
            for item in unfinished:
                self._store_ended(replace(item, stage=stage, note=fault))

    def _wait(self) -> bool:
        """Wait until a recording waits to be tracked. Returns False when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._in_stage(QueueStage.WAITING))
            self._stop = Event()
            return not self._closing

    def _track_waiting(self) -> None:
        """Track the waiting recordings, and those added meanwhile if processes are used."""
        with self._changed:
            waiting, stop = self._in_stage(QueueStage.WAITING), self._stop
            self._in_process = len(waiting) < 2
        if self._in_process:
            job = self.take()
            if job is not None:
                self._track_here(job, stop)
            return
        if self.processes is None:
            self._on_gpu = self._uses_gpu(waiting[0].settings)
        run_queue(self, self._models.opener, self, stop, stop_s=_STOP_S)

    def _uses_gpu(self, settings: TrackSettings) -> bool:
        try:
            return self._models.get(settings).device != "cpu"
        except SteadymarkError:
            return False  # each process finds and reports the fault

    def _track_here(self, job: Job, stop: Event) -> None:
        try:
            run_here([job], self._models.get(job.settings), self, stop)
        except SteadymarkError as error:
            self.ended(job, JobReport(job.text, error=error.sentence))

    def _planned(self, item: QueueItem) -> Job:
        index = ResultsIndex(item.output.folder)
        path = recording_path(item.path) or item.path
        others = [job for job, _ in self._jobs.values() if job.output.folder == item.output.folder]
        stems = [job.stem for job in others if job.stem is not None]
        (job,) = plan_jobs(
            [path], item.settings, item.output, InputSettings(), index, stems_in_use=stems
        )
        job = replace(job, number=item.number)
        self._jobs[item.number] = job, IndexUpdates(index)
        return job

    def _next(self) -> QueueItem | None:
        """Start the first waiting item whose output no running item writes, or return None."""
        with self._changed:
            output_keys = {item.output_key for item in self._in_stage(QueueStage.RUNNING)}
            for item in self._in_stage(QueueStage.WAITING):
                if item.output_key not in output_keys:
                    running = replace(item, stage=QueueStage.RUNNING)
                    self._replace_item(running)
                    return running
            return None

    def _in_stage(self, stage: QueueStage) -> list[QueueItem]:
        """Return the items in this state. The caller holds the lock."""
        return [item for item in self._items if item.stage is stage]

    def _store_ended(self, item: QueueItem) -> None:
        """Store an item that has ended."""
        self._jobs.pop(item.number, None)
        with self._changed:
            self._cancelled.discard(item.number)
            self._replace_item(item)
        self._on_change()

    def _replace_item(self, item: QueueItem) -> None:
        """Replace the item with the same number. The caller holds the lock."""
        self._items = [item if other.number == item.number else other for other in self._items]


def tables_of(items: Sequence[QueueItem]) -> list[tuple[Path, Path]]:
    """Return the table, which is the first output, and the recording of each finished item."""
    done = [item for item in items if item.stage in (QueueStage.DONE, QueueStage.DAMAGED)]
    return [(Path(item.outputs[0]), Path(item.path)) for item in done if item.outputs]


def _ended(item: QueueItem, job: JobReport, notes: tuple[UserText, ...]) -> QueueItem:
    item = _with_figures(item, job.report)
    if job.error:
        fault = job.error
        if job.refused:  # the advice of the command line does not apply here
            fault = UserText("{path} exists already", path=fault.fields["path"])
        return replace(item, stage=QueueStage.FAILED, outputs=(), note=fault)
    stopped = job.report.state is PipelineState.STOPPED
    stage = QueueStage.DAMAGED if job.cut_off else QueueStage.DONE
    if stopped:
        stage = QueueStage.CANCELLED
    frames = job.report.face_frames
    missing = (no_face_found(job.name, frames.processed),) if frames.none_found else ()
    warnings = (*missing, *job.notes, *notes)
    return replace(
        item,
        stage=stage,
        total=item.frames,
        outputs=job.outputs,
        note=join_texts(warnings),
        warnings=len(warnings),
    )


def _with_figures(item: QueueItem, report: PipelineReport) -> QueueItem:
    return replace(
        item,
        frames=report.frames,
        with_face=report.with_face,
        lost_spans=report.lost_spans,
        median_score=report.median_score,
    )
