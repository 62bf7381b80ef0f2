"""Many jobs in several processes: what ends one of them fails one job.

A worker is told by its pipe what to track and when to stop, and tells by it what happens. Not
concurrent.futures: there, one process that is killed breaks all others.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
import time
from multiprocessing.connection import wait
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from steadymark.engine.batch.running import run_one
from steadymark.engine.errors import SteadymarkError
from steadymark.engine.jobs import JobReport, result_files
from steadymark.engine.recording.naming import part_of, settle
from steadymark.models.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from steadymark.engine.batch.running import Job, Watch
    from steadymark.engine.pipeline import PipelineReport
    from steadymark.engine.settings import Models, TrackSettings
    from steadymark.engine.types import SourceInfo

    Opens = Callable[[TrackSettings], Models]

log = logging.getLogger(__name__)

PROGRESS_S = 0.2
_LOOK_S = 0.1  # between looks at `stop`
_STOP_S = 3.0  # a pipeline ends within 2
_BEGUN, _PROGRESSED, _ENDED = range(3)


def run_in_processes(
    jobs: Sequence[Job], count: int, opens: Opens, watch: Watch, stop: Event
) -> None:
    """Up to `count` at a time, begun in order; `stop` ends all, what they tracked is kept.

    opens: `open_models`; every worker calls it once, and is spawned, so it must be importable.
    """
    waiting = list(reversed(jobs))
    workers: list[_Worker] = []
    idle: list[_Worker] = []
    try:
        while (waiting or workers) and not stop.is_set():
            while waiting and len(workers) < count:
                workers.append(_Worker(opens, waiting.pop()))
            for worker in _talking(workers):
                worker.hear(watch)
                if worker.job is not None:
                    continue
                if waiting and worker.alive:
                    worker.track(waiting.pop())
                else:
                    workers.remove(worker)
                    idle.append(worker)
                    worker.stop()
        _stop_all(workers, watch)
        for worker in idle:
            worker.join(_STOP_S)
    finally:
        for worker in (*workers, *idle):
            worker.kill()


def _talking(workers: Sequence[_Worker], within_s: float = _LOOK_S) -> list[_Worker]:
    """Those that have told something, or ended, within a moment."""
    ready = wait([worker.pipe for worker in workers], within_s)
    return [worker for worker in workers if worker.pipe in ready]


def _stop_all(workers: list[_Worker], watch: Watch) -> None:
    """Until each has told what it kept; those that have opened nothing yet are not waited for."""
    for worker in workers:
        worker.stop()
    deadline = time.monotonic() + _STOP_S
    busy = list(workers)
    for worker in _talking(busy, 0):
        worker.hear(watch)
    while (busy := [w for w in busy if w.begun and w.job]) and time.monotonic() < deadline:
        for worker in _talking(busy):
            worker.hear(watch)


class _Worker:
    """A process, seen from here. job: the one in its hands; begun: it has told so."""

    def __init__(self, opens: Opens, job: Job) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.job: Job | None = job
        self.begun = False
        self.alive = True
        self._process = spawn.Process(
            target=_work,
            args=(theirs, opens, job.settings, logging.getLogger().getEffectiveLevel()),
            name="tracking",
            daemon=True,
        )
        with _no_interrupts():
            self._process.start()
        theirs.close()
        self.track(job)

    def track(self, job: Job) -> None:
        """Give it the next."""
        self.job, self.begun = job, False
        self._tell(job)

    def stop(self) -> None:
        """End what it does, and itself."""
        self._tell(None)

    def hear(self, watch: Watch) -> None:
        """One message; its end, whatever ended it, is a report too."""
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            self._ended(watch)
            return
        job = self.job
        if job is None:
            return
        if kind == _BEGUN:
            self.begun = True
        elif kind == _PROGRESSED:
            watch.progressed(job, *content)
        else:
            self.job = None
            watch.ended(job, content)

    def join(self, timeout_s: float) -> None:
        """Wait for its end."""
        self._process.join(timeout_s)

    def kill(self) -> None:
        """At once."""
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def _ended(self, watch: Watch) -> None:
        self.alive = False
        self._process.join()
        job, self.job = self.job, None
        if job is None:
            return
        watch.ended(job, _crashed(job, self._process.exitcode or 0))

    def _tell(self, job: Job | None) -> None:
        with contextlib.suppress(OSError):  # it has ended: `hear` finds out
            self.pipe.send(job)


def _crashed(job: Job, code: int) -> JobReport:
    """What is told of a job whose process has ended; its rows are kept, marked partial."""
    kept: tuple[str, ...] = ()
    if job.stem is not None:
        table = result_files(job.stem, job.output)[0]
        if part_of(table).exists():
            with contextlib.suppress(SteadymarkError):
                kept = (str(settle(table, complete=False)),)
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    memory = "; was there enough memory?" if code == -9 else ""
    return JobReport(
        Path(job.text).name,
        kept,
        error=Sentence(
            "the process that tracked {path} ended ({how}): the other files go on; try this one "
            "alone, with --jobs 1 --resume",
            path=job.text,
            how=f"{how}{memory}",
        ),
    )


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C reaches every process of a terminal; those begun here ignore it from the start."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(pipe: Connection, opens: Opens, settings: TrackSettings, log_level: int) -> None:
    """A worker's life. It ends at once when the program that began it is gone."""
    logging.basicConfig(level=log_level)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the pipe tells when to stop
    stop, jobs = Event(), queue.SimpleQueue[Any]()
    Thread(target=_listen, args=(pipe, jobs, stop), name="pipe", daemon=True).start()
    tell = _Teller(pipe)
    models: Models | None = None
    while (job := jobs.get()) is not None and not stop.is_set():
        tell(_BEGUN, None)
        try:
            models = models or opens(settings)
            report = _track(job, models, stop, tell)
        except SteadymarkError as error:
            report = JobReport(job.text, error=error.sentence)
        except Exception as error:
            log.exception("job")
            fault = Sentence(
                "{path} could not be tracked ({kind}: {error})",
                path=job.text,
                kind=type(error).__name__,
                error=error,
            )
            report = JobReport(job.text, error=fault)
        tell(_ENDED, report)


def _track(job: Job, models: Models, stop: Event, tell: _Teller) -> JobReport:
    def progress(info: SourceInfo, report: PipelineReport) -> None:
        tell(_PROGRESSED, (info, report))

    return run_one(job, models, stop, progress, progress_s=PROGRESS_S)


def _listen(pipe: Connection, jobs: queue.SimpleQueue[Any], stop: Event) -> None:
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            # As if killed with the program: who tracks the same files next must not find them
            # renamed by a process that is left over.
            os._exit(1)
        if job is None:
            stop.set()
        jobs.put(job)
        if job is None:
            return


class _Teller:
    """Sends to the program; ends with it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, kind: int, content: object) -> None:
        try:
            self._pipe.send((kind, content))
        except OSError:
            os._exit(1)
