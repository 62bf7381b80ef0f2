"""Many recordings, tracked into files one after the other, as `steadymark track` does it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

from steadymark.engine.batch.index import ResultsIndex
from steadymark.engine.batch.keeping import Keeping
from steadymark.engine.batch.planning import planned
from steadymark.engine.batch.running import run_here
from steadymark.engine.errors import SteadymarkError
from steadymark.engine.jobs import InputSettings
from steadymark.engine.pipeline import PipelineState
from steadymark.engine.sources.opening import recording_path
from steadymark.models.sentence import NOTHING, Sentence, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.app.session.opening import ModelCache
    from steadymark.engine.batch.running import Job
    from steadymark.engine.jobs import JobReport, OutputSettings
    from steadymark.engine.pipeline import PipelineReport
    from steadymark.engine.settings import TrackSettings
    from steadymark.engine.types import SourceInfo

log = logging.getLogger(__name__)


class Stage(StrEnum):
    """Where a recording stands. CANCELLED: what was tracked of it is kept, marked partial."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Item:
    """One recording. frames, of: tracked, and how many it has; 0: unknown. note: a sentence."""

    number: int
    path: str
    settings: TrackSettings
    output: OutputSettings
    stage: Stage = Stage.WAITING
    frames: int = 0
    of: int = 0
    outputs: tuple[str, ...] = ()
    note: Sentence = NOTHING


class Queue:
    """A thread from the first `add` to `close`. on_change: called from it, must return at once."""

    def __init__(self, models: ModelCache, on_change: Callable[[], None]) -> None:
        self._models, self._on_change = models, on_change
        self._changed = Condition()
        self._items: list[Item] = []
        self._stop = Event()  # of the recording in hand
        self._closing = False
        self._added = 0
        self._thread: Thread | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        """A snapshot, in the order added."""
        with self._changed:
            return tuple(self._items)

    @property
    def running(self) -> int:
        """Recordings that wait or are being tracked."""
        return sum(item.stage in (Stage.WAITING, Stage.RUNNING) for item in self.items)

    def add(self, paths: Sequence[str], settings: TrackSettings, output: OutputSettings) -> None:
        """Begin, or go on after what is there."""
        with self._changed:
            first, self._added = self._added, self._added + len(paths)
            self._items += [Item(first + i, path, settings, output) for i, path in enumerate(paths)]
            self._changed.notify_all()
        if self._thread is None:
            self._thread = Thread(target=self._run, name="queue", daemon=True)
            self._thread.start()
        self._on_change()

    def cancel(self, number: int) -> None:
        """One of them, unless it is over."""
        with self._changed:
            for item in self._items:
                if item.number == number and item.stage is Stage.RUNNING:
                    self._stop.set()
                elif item.number == number and item.stage is Stage.WAITING:
                    self._put(replace(item, stage=Stage.CANCELLED))
        self._on_change()

    def cancel_all(self) -> None:
        """Whatever waits, and the one in hand."""
        with self._changed:
            for item in list(self._items):
                if item.stage is Stage.WAITING:
                    self._put(replace(item, stage=Stage.CANCELLED))
            self._stop.set()
        self._on_change()

    def clear(self) -> None:
        """Forget those that are over."""
        over = (Stage.DONE, Stage.FAILED, Stage.CANCELLED)
        with self._changed:
            self._items = [item for item in self._items if item.stage not in over]
        self._on_change()

    def close(self) -> None:
        """Cancel everything and end; `join` waits for it."""
        self.cancel_all()
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread ended in time."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            try:
                done = self._track(item)
            except SteadymarkError as error:
                done = replace(item, stage=Stage.FAILED, note=error.sentence)
            except Exception as error:
                log.exception("queue")
                named = f"{type(error).__name__}: {error}"
                fault = Sentence("tracking stopped ({fault})", fault=named)
                done = replace(item, stage=Stage.FAILED, note=fault)
            with self._changed:
                self._put(done)
            self._on_change()

    def _next(self) -> Item | None:
        """Wait for one, and take it in hand; None when closing."""
        with self._changed:
            while not self._closing:
                waiting = [item for item in self._items if item.stage is Stage.WAITING]
                if waiting:
                    item = replace(waiting[0], stage=Stage.RUNNING)
                    self._stop = Event()
                    self._put(item)
                    return item
                self._changed.wait()
            return None

    def _track(self, item: Item) -> Item:
        models, stop = self._models.get(item.settings), self._stop
        path = recording_path(item.path) or item.path
        index = ResultsIndex(item.output.folder)
        (job,) = planned([path], item.settings, item.output, InputSettings(), index)

        def progress(frames: int, of: int) -> None:
            with self._changed:
                self._put(replace(item, frames=frames, of=of))
            self._on_change()

        watch = _Watch(index, progress)
        run_here([job], models, watch, stop)
        ended = replace(item, stage=Stage.CANCELLED)
        return ended if watch.report is None else _ended(item, watch.report, watch.notes)

    def _put(self, item: Item) -> None:
        """In place of what it was; under the lock."""
        self._items = [item if other.number == item.number else other for other in self._items]


class _Watch:
    """Of one job. progress: told frames, and how many there are."""

    def __init__(self, index: ResultsIndex, progress: Callable[[int, int], None]) -> None:
        self._keeping, self._progress = Keeping(index), progress
        self.report: JobReport | None = None

    @property
    def notes(self) -> tuple[Sentence, ...]:
        """What is to be told beside the report."""
        return (self._keeping.fault,) if self._keeping.fault else ()

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        self._keeping.progressed(job)
        self._progress(report.frames, info.frames or 0)

    def ended(self, job: Job, report: JobReport) -> None:
        self.report = report
        self._keeping.ended(job, report)


def _ended(item: Item, job: JobReport, notes: tuple[Sentence, ...]) -> Item:
    frames = job.report.frames
    if job.error:
        fault = job.error
        if job.refused:  # the command line's advice is of no use here
            fault = Sentence("{path} exists already", path=fault.fields["path"])
        return replace(item, stage=Stage.FAILED, frames=frames, outputs=(), note=fault)
    stopped = job.report.state is PipelineState.STOPPED
    stage = Stage.CANCELLED if stopped else Stage.DONE
    note = listed((*job.notes, *notes))
    return replace(item, stage=stage, frames=frames, of=frames, outputs=job.outputs, note=note)
