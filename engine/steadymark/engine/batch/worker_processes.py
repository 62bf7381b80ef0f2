"""Run jobs in several processes, so that a crash fails only one job.

Jobs and stop requests are sent to a worker through its pipe, and progress and reports come back
through it. `concurrent.futures` is not used, because one killed process breaks its whole pool.
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

from steadymark.engine.batch.run_jobs import JobList, run_one
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.output_paths import finish_part, part_of
from steadymark.engine.pipeline.job import JobReport, result_files
from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from steadymark.engine.batch.run_jobs import Job, JobObserver, JobQueue
    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

    Opens = Callable[[TrackSettings], OpenModels]

log = logging.getLogger(__name__)

PROGRESS_S = 0.2
_POLL_S = 0.1  # Time between checks of `stop`.
_STOP_S = 3.0  # A pipeline ends within 2 s.
_STARTED, _PROGRESS, _FINISHED = range(3)


def run_in_processes(
    jobs: Sequence[Job], count: int, opens: Opens, observer: JobObserver, stop: Event
) -> None:
    """Run a list of jobs in worker processes.

    Args:
        jobs: The jobs, which begin in order.
        count: Number of processes.
        opens: Opens the models in a worker, such as `open_models`. It must be importable, because
            workers are spawned.
        observer: Receives progress and results.
        stop: When it is set, all jobs end and keep what was tracked.
    """
    run_queue(JobList(jobs, count), opens, observer, stop)


def run_queue(
    job_queue: JobQueue,
    opens: Opens,
    observer: JobObserver,
    stop: Event,
    *,
    stop_s: float = _STOP_S,
) -> None:
    """Run jobs of a queue in worker processes; a cancelled job keeps what was tracked.

    Args:
        job_queue: Queue of jobs.
        opens: Opens the models in a worker; see `run_in_processes`.
        observer: Receives progress and results.
        stop: When it is set, all jobs end and keep what was tracked.
        stop_s: How long running jobs may take to end after `stop` is set before they are killed, in
            seconds.
    """
    pool = _Pool(job_queue, opens, observer)
    try:
        while not stop.is_set() and pool.fill():
            pool.handle_messages()
        pool.end(stop_s)
    finally:
        pool.kill()


class _Pool:
    """Busy workers, and workers that are about to end."""

    def __init__(self, job_queue: JobQueue, opens: Opens, observer: JobObserver) -> None:
        self._job_queue, self._opens, self._observer = job_queue, opens, observer
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []

    def fill(self) -> bool:
        """Start workers as long as jobs are available and allowed; return whether any is busy."""
        while (
            len(self._workers) < self._job_queue.most()
            and (job := self._job_queue.take()) is not None
        ):
            self._workers.append(_Worker(self._opens, job))
        return bool(self._workers)

    def handle_messages(self) -> None:
        """Handle messages that arrive within a moment, and give idle workers the next job."""
        for worker in self._workers:
            if worker.started and worker.job and self._job_queue.cancelled(worker.job):
                worker.stop()
        for worker in _with_messages(self._workers):
            worker.handle_message(self._observer)
            if worker.job is None:
                self._give_next_job(worker)

    def _give_next_job(self, worker: _Worker) -> None:
        more = worker.accepts_jobs and len(self._workers) <= self._job_queue.most()
        job = self._job_queue.take() if more else None
        if job is not None:
            worker.track(job)
            return
        worker.stop()
        self._workers.remove(worker)
        self._idle.append(worker)

    def end(self, within_s: float) -> None:
        """Stop all workers and collect their reports; workers that have not begun are skipped."""
        deadline = time.monotonic() + within_s
        for worker in self._workers:
            worker.stop()
        busy = list(self._workers)
        for worker in _with_messages(busy, 0):
            worker.handle_message(self._observer)
        while (busy := [w for w in busy if w.started and w.job]) and time.monotonic() < deadline:
            for worker in _with_messages(busy):
                worker.handle_message(self._observer)
        for worker in self._idle:
            worker.join(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """Kill all remaining workers."""
        for worker in (*self._workers, *self._idle):
            worker.kill()


def _with_messages(workers: Sequence[_Worker], within_s: float = _POLL_S) -> list[_Worker]:
    """Return the workers that sent a message, or ended, within a moment."""
    ready = wait([worker.pipe for worker in workers], within_s)
    return [worker for worker in workers if worker.pipe in ready]


class _Worker:
    """Handle of a worker process.

    Attributes:
        job: The current job.
        started: Whether the worker has reported that it began the job.
        accepts_jobs: Whether the worker accepts another job.
    """

    def __init__(self, opens: Opens, job: Job) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.pipe, child_pipe = spawn.Pipe()
        self.job: Job | None = job
        self.started = False
        self.accepts_jobs = True
        self._process = spawn.Process(
            target=_work,
            args=(child_pipe, opens, logging.getLogger().getEffectiveLevel()),
            name="tracking",
            daemon=True,
        )
        with _no_interrupts():
            self._process.start()
        child_pipe.close()
        self.track(job)

    def track(self, job: Job) -> None:
        """Send the next job."""
        self.job, self.started = job, False
        self._send(job)

    def stop(self) -> None:
        """Ask the worker to end its job and itself."""
        if self.accepts_jobs:
            self.accepts_jobs = False
            self._send(None)

    def handle_message(self, observer: JobObserver) -> None:
        """Handle one message; the end of the process, whatever its cause, counts as a report."""
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            self._ended(observer)
            return
        job = self.job
        if job is None:
            return
        if kind == _STARTED:
            self.started = True
        elif kind == _PROGRESS:
            observer.progressed(job, *content)
        else:
            self.job = None
            observer.ended(job, content)

    def join(self, timeout_s: float) -> None:
        """Wait for the process to end."""
        self._process.join(timeout_s)

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def _ended(self, observer: JobObserver) -> None:
        self.accepts_jobs = False
        self._process.join()
        job, self.job = self.job, None
        if job is None:
            return
        observer.ended(job, _crashed(job, self._process.exitcode or 0))

    def _send(self, job: Job | None) -> None:
        with contextlib.suppress(OSError):  # If the worker has ended, `handle_message` notices it.
            self.pipe.send(job)


def _crashed(job: Job, code: int) -> JobReport:
    """Return the report of a job whose process has ended; its rows are kept and marked partial."""
    kept: tuple[str, ...] = ()
    if job.stem is not None:
        table = result_files(job.stem, job.output)[0]
        if part_of(table).exists():
            with contextlib.suppress(SteadymarkError):
                kept = (str(finish_part(table, complete=False)),)
    reason = UserText("exit code {code}", code=code)
    if code < 0:
        reason = UserText("killed by signal {number}", number=-code)
    if code == -9:
        reason = join_texts([reason, UserText("was there enough memory?")])
    return JobReport(
        Path(job.shown).name,
        kept,
        error=UserText(
            "the process that tracked {path} ended ({how}): the other files "
            "continue; try this one alone",
            path=job.shown,
            how=reason,
        ),
    )


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all its processes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(pipe: Connection, opens: Opens, log_level: int) -> None:
    """Run jobs in a worker process; the worker ends as soon as its parent is gone."""
    logging.basicConfig(level=log_level)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Stop requests come through the pipe.
    stop, jobs = Event(), queue.SimpleQueue[Any]()
    Thread(target=_listen, args=(pipe, jobs, stop), name="pipe", daemon=True).start()
    send = _MessageSender(pipe)
    opened: tuple[TrackSettings, OpenModels] | None = None
    while (job := jobs.get()) is not None and not stop.is_set():
        send(_STARTED, None)
        try:
            if opened is None or opened[0] != job.settings:
                opened = (job.settings, opens(job.settings))
            report = _track(job, opened[1], stop, send)
        except SteadymarkError as error:
            report = JobReport(job.shown, error=error.sentence)
        except Exception as error:
            log.exception("job")
            fault = UserText(
                "{path} could not be tracked ({kind}: {error})",
                path=job.shown,
                kind=type(error).__name__,
                error=error,
            )
            report = JobReport(job.shown, error=fault)
        send(_FINISHED, report)


def _track(job: Job, models: OpenModels, stop: Event, send: _MessageSender) -> JobReport:
    def progress(info: SourceInfo, report: PipelineReport) -> None:
        send(_PROGRESS, (info, report))

    return run_one(job, models, stop, progress, progress_s=PROGRESS_S)


def _listen(pipe: Connection, jobs: queue.SimpleQueue[Any], stop: Event) -> None:
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            # Exit as if killed together with the parent: a later run that tracks the same files
            # must not find them renamed by a process that was left over.
            os._exit(1)
        if job is None:
            stop.set()
        jobs.put(job)
        if job is None:
            return


class _MessageSender:
    """Sends messages to the parent process; exits when the parent is gone."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, kind: int, content: object) -> None:
        try:
            self._pipe.send((kind, content))
        except OSError:
            os._exit(1)
