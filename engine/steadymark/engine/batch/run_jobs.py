"""Jobs, and running them one after the other in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from steadymark.engine.pipeline.job import run_job
from steadymark.engine.sources.resolve_input import is_live

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.fingerprint import Fingerprint
    from steadymark.engine.pipeline.job import InputSettings, JobReport, OutputSettings
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

_MOST_ON_A_GPU = 4  # processes: each holds the networks in its memory anew


@dataclass(frozen=True, slots=True)
class Job:
    """One input of many; it travels to other processes. The rest: see `run_job`.

    number: its place among all. stem: None where the source must be opened to know it.
    """

    number: int
    text: str
    settings: TrackSettings
    output: OutputSettings
    wish: InputSettings
    stem: str | None = None
    before: Fingerprint | None = None
    known: bool = True


class JobObserver(Protocol):
    """Is told what happens, always by the thread that runs the jobs; must return soon."""

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        """A few times a second while it is tracked, and so not where it was done before."""

    def ended(self, job: Job, report: JobReport) -> None:
        """Exactly once for each job that was begun."""


class JobQueue(Protocol):
    """Jobs that come and go while others run; is asked by the thread that runs them."""

    def most(self) -> int:
        """How many run at a time, 1 or more."""

    def take(self) -> Job | None:
        """The next one to begin; None where there is none now."""

    def cancelled(self, job: Job) -> bool:
        """Whether one that was taken is to end."""


class JobList:
    """A JobQueue of these jobs, in order."""

    def __init__(self, jobs: Sequence[Job], count: int) -> None:
        self._jobs, self._count = iter(jobs), count

    def most(self) -> int:
        return self._count

    def take(self) -> Job | None:
        return next(self._jobs, None)

    def cancelled(self, job: Job) -> bool:
        return False


def cores() -> int:
    """Of this computer, that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most_processes(asked: int | None, *, on_gpu: bool) -> int:
    """How many track at a time: what was asked for (1 or more), or as many as are of use."""
    return asked or (min(cores(), _MOST_ON_A_GPU) if on_gpu else cores())


def useful_processes(asked: int | None, texts: Sequence[str], *, on_gpu: bool) -> int:
    """The same for these inputs: a live one is tracked in this process."""
    if any(map(is_live, texts)):
        return 1
    return max(1, min(most_processes(asked, on_gpu=on_gpu), len(texts)))


def run_here(jobs: Sequence[Job], models: OpenModels, watch: JobObserver, stop: Event) -> None:
    """One after the other, in order; `stop` ends the one in hand, and none begins after it."""
    taken = {job.stem.casefold() for job in jobs if job.stem is not None} | {"index"}
    for job in jobs:
        if stop.is_set():
            return
        report = run_one(job, models, stop, partial(watch.progressed, job), taken=taken)
        watch.ended(job, report)


def run_one(
    job: Job,
    models: OpenModels,
    stop: Event,
    on_progress: Callable[[SourceInfo, PipelineReport], None],
    *,
    taken: set[str] | None = None,
    progress_s: float = 0.1,
) -> JobReport:
    """One of them, see `run_job`."""
    return run_job(
        job.text,
        models,
        job.settings,
        job.output,
        wish=job.wish,
        taken=set() if taken is None else taken,
        stem=job.stem,
        before=job.before,
        known=job.known,
        stop=stop,
        on_progress=on_progress,
        progress_s=progress_s,
    )
