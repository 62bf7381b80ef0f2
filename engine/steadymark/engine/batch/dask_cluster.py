"""Run jobs on the workers of a Dask cluster that share a file system (extra `cluster`).

When a worker stops answering, Dask gives its job to another worker but cannot know whether the
first one is dead, so two workers may track the same file for a while. Therefore each attempt writes
into a folder of its own and moves complete results to their final place.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import shutil
import socket
import time
import uuid
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from steadymark.engine.batch.run_jobs import run_one
from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.core.version import version
from steadymark.engine.output.output_paths import cannot_write, make_folder, part_of, partial_of
from steadymark.engine.pipeline.job import JobReport, result_files
from steadymark.engine.pipeline.pipeline_report import PipelineReport
from steadymark.engine.sources.resolve_input import absolute, is_live
from steadymark.engine.tracking.settings import open_models
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.batch.run_jobs import Job, JobObserver
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

    Opens = Callable[[TrackSettings], OpenModels]
    Client = Any  # Dask's is not typed

log = logging.getLogger(__name__)

CONNECT_S = 10.0
PROGRESS_S = 2.0  # Rarely, because Dask stores every event.
_POLL_S = 0.1
_STOP_S = 5.0  # A shared disk shows new files late.
_STOP_FILE = "stop"
_LOST = UserText("the scheduler does not answer any more: see to it, and go on with --resume")


def run_on_cluster(
    jobs: Sequence[Job],
    address: str,
    observer: JobObserver,
    stop: Event,
    *,
    opens: Opens = open_models,
    connect_s: float = CONNECT_S,
) -> None:
    """Track every job on a worker of the cluster.

    Args:
        jobs: The jobs.
        address: Address of the Dask scheduler.
        observer: Receives progress and results.
        stop: When it is set, all jobs end and keep what was tracked.
        opens: Opens the models on a worker.
        connect_s: How long to wait for the scheduler and its workers, in seconds.

    Raises:
        UsageError: The scheduler does not answer, its workers are unsuitable, or an input is live.
        SinkError: The output folder cannot be written.
    """
    if live := [job.text for job in jobs if is_live(job.text)]:
        raise UsageError(f"{live[0]} is live: track it on its own computer, without --scheduler")
    if not jobs:
        return
    client = _connected(address, connect_s)
    try:
        _check_workers(client, address, connect_s)
        folder = jobs[0].output.folder.absolute()
        run_folder = folder / f".steadymark-{uuid.uuid4().hex[:12]}"
        make_folder(run_folder)
        try:
            _Run(client, run_folder, opens, observer).run(jobs, stop)
        finally:
            shutil.rmtree(run_folder, ignore_errors=True)
    finally:
        client.close(timeout=2)


def _connected(address: str, within_s: float) -> Client:
    try:
        import distributed
    except ImportError as error:
        raise UsageError("--scheduler needs Dask: pip install 'steadymark[cluster]'") from error
    for name in [
        name for name in logging.root.manager.loggerDict if name.startswith("distributed")
    ]:
        logging.getLogger(name).setLevel(logging.root.level)  # We report its errors ourselves.
    client: Any = distributed.Client.__new__(distributed.Client)
    outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def connect() -> None:
        try:
            client.__init__(address, timeout=within_s, set_as_default=False)
        except Exception as error:
            log.exception("connecting to %s", address)
            outcome.put(error)
        else:
            outcome.put(None)

            # Dask waits forever if the server at this address is not a scheduler.

    Thread(target=connect, name="connecting", daemon=True).start()
    try:
        fault = outcome.get(timeout=within_s + 1)
    except queue.Empty as error:
        fault = error
    if fault is not None:
        client.status = "closed"  # Otherwise its finalizer would wait and log errors.
        raise UsageError(
            f"no Dask scheduler answers at {address} within {within_s:g} s: start one with 'dask "
            "scheduler', and write its address as tcp://HOST:8786"
        ) from fault
    return client


def _check_workers(client: Client, address: str, within_s: float) -> None:
    """Check that there are workers and that all have this version, which determines the tables."""
    try:
        client.wait_for_workers(1, timeout=within_s)
    except TimeoutError as error:
        raise UsageError(
            f"the scheduler at {address} has no workers: start some with 'dask worker {address}'"
        ) from error
    for worker, found in client.run(_installed, on_error="return").items():
        if isinstance(found, BaseException):
            raise UsageError(
                f"the worker {worker} cannot run Steadymark ({found}): install it there"
            )
        if found != version():
            raise UsageError(_other_version(worker, found))


def _installed() -> str:
    """Return the installed version; runs on a worker."""
    return version()


def _other_version(worker: str, found: str) -> UserText:
    return UserText(
        "the worker {worker} has Steadymark {found}, and this is {version}: "
        "install the same version everywhere",
        worker=worker,
        found=found,
        version=version(),
    )


class _Run:
    """The jobs of one run; `run` is its temporary folder inside the output folder."""

    def __init__(
        self, client: Client, run_folder: Path, opens: Opens, observer: JobObserver
    ) -> None:
        self._client, self._folder, self._opens, self._observer = (
            client,
            run_folder,
            opens,
            observer,
        )
        self._events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._topic = run_folder.name
        self._futures: dict[int, Any] = {}

    def run(self, jobs: Sequence[Job], stop: Event) -> None:
        """Run until all jobs are done or, after `stop` is set, the running jobs have ended."""
        known = {job.number: job for job in jobs}
        self._client.subscribe_topic(self._topic, self._on_event)
        for job in jobs:
            self._submit(job)
        deadline: float | None = None
        while self._futures and (deadline is None or time.monotonic() < deadline):
            if stop.is_set() and deadline is None:
                deadline = time.monotonic() + _STOP_S
                self._stop_jobs()
            try:
                number, content = self._events.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            self._handle(known[number], content)

    def _submit(self, job: Job) -> None:
        output = replace(job.output, folder=self._folder.parent)
        remote_job = replace(job, text=absolute(job.text), output=output)
        future = self._client.submit(
            track_on_worker,
            remote_job,
            self._folder,
            self._opens,
            version(),
            key=f"{self._topic}-{job.number}",
            pure=False,
        )
        self._futures[job.number] = future
        future.add_done_callback(lambda future: self._events.put((job.number, future)))

    def _on_event(self, event: tuple[float, Any]) -> None:
        """Receive a progress event; runs in the client's thread."""
        number, content = event[1]
        self._events.put((int(number), str(content)))

    def _stop_jobs(self) -> None:
        """Stop all jobs: running jobs find the stop file, and waiting jobs are cancelled."""
        with contextlib.suppress(OSError):
            (self._folder / _STOP_FILE).touch()
        running_keys = {key for keys in self._client.processing().values() for key in keys}
        for number, future in list(self._futures.items()):
            if future.key not in running_keys and not future.done():
                self._futures.pop(number).cancel()

    def _handle(self, job: Job, content: Any) -> None:
        if job.number not in self._futures:
            return
        if isinstance(content, str):
            info, frames = json.loads(content)
            self._observer.progressed(job, SourceInfo(**info), PipelineReport(frames=frames))
            return
        del self._futures[job.number]
        report = self._report(job, content)
        if report is not None:
            self._observer.ended(job, report)

    def _report(self, job: Job, future: Any) -> JobReport | None:
        from distributed.scheduler import KilledWorker

        try:
            if future.cancelled():
                return self._failed(job, _LOST)
            report: JobReport | None = future.result()
        except KilledWorker:
            fault = UserText(
                "every worker that tracked it has ended; was there enough memory? The other files "
                "go on: try this one alone, without --scheduler, with --resume"
            )
        except Exception as error:
            log.exception("job on the cluster")
            fault = UserText(
                "the cluster could not track it ({kind}: {error})",
                kind=type(error).__name__,
                error=error,
            )
        else:
            return report and replace(report, outputs=_final_names(report, job))
        return self._failed(job, fault)

    def _failed(self, job: Job, fault: UserText) -> JobReport:
        sentence = UserText("{path}: {fault}", path=job.shown, fault=fault)
        return JobReport(Path(job.shown).name, self._keep_longest_table(job), error=sentence)

    def _keep_longest_table(self, job: Job) -> tuple[str, ...]:
        """Return the longest table that ended workers left, renamed to a partial one."""
        if job.stem is None:
            return ()
        table = result_files(job.stem, job.output)[0]
        left = [path / part_of(table).name for path in self._folder.glob(f"{job.number}-*")]
        with contextlib.suppress(OSError, ValueError):
            longest = max(filter(Path.is_file, left), key=lambda path: path.stat().st_size)
            return (str(longest.replace(partial_of(table))),)
        return ()


def _final_names(report: JobReport, job: Job) -> tuple[str, ...]:
    return tuple(str(job.output.folder / Path(output).name) for output in report.outputs)


_models: dict[tuple[Opens, TrackSettings], OpenModels] = {}
_opening = Lock()


def track_on_worker(job: Job, run: Path, opens: Opens, client_version: str) -> JobReport | None:
    """Track one job; runs on a worker.

    Args:
        job: The job.
        run: Temporary folder of this run.
        opens: Opens the models.
        client_version: Version of Steadymark that the cluster's client has.

    Returns:
        The report; None if the run was stopped before the job began.
    """
    from distributed import get_worker

    worker = get_worker()
    if version() != client_version:
        return JobReport(job.shown, error=_other_version(worker.address, version()))
    if not run.is_dir():
        return JobReport(
            job.text,
            error=UserText(
                "{host} does not see {folder}: videos and output folder must lie on a disk that "
                "all workers share, under the same path",
                host=socket.gethostname(),
                folder=run.parent,
            ),
        )
    if (run / _STOP_FILE).exists():
        return None
    stop, reported_s = Event(), time.monotonic()

    def progress(info: SourceInfo, report: PipelineReport) -> None:
        nonlocal reported_s
        if (run / _STOP_FILE).exists():
            stop.set()
        if time.monotonic() - reported_s >= PROGRESS_S:
            reported_s = time.monotonic()
            told = json.dumps((asdict(replace(info, notes=(), cut_off=None)), report.frames))
            worker.log_event(run.name, (job.number, told))

    try:
        return _attempt(job, run, opens, stop, progress)
    except SteadymarkError as error:
        return JobReport(job.shown, error=error.sentence)


def _attempt(
    job: Job,
    run: Path,
    opens: Opens,
    stop: Event,
    progress: Callable[[SourceInfo, PipelineReport], None],
) -> JobReport:
    with _opening:
        models = _models.get((opens, job.settings))
        if models is None:
            models = _models[opens, job.settings] = opens(job.settings)
    work_folder = run / f"{job.number}-{uuid.uuid4().hex[:8]}"
    try:
        work_folder.mkdir()
    except OSError as error:
        raise cannot_write(work_folder, error) from error
    job_in_work_folder = replace(job, output=replace(job.output, work_folder=work_folder))
    return run_one(job_in_work_folder, models, stop, progress)
