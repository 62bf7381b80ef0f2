"""Jobs, and functions that run them one after the other in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from steadymark.engine.core.types import CutOff
from steadymark.engine.pipeline.job import run_job
from steadymark.engine.sources.input_paths import shown_input
from steadymark.engine.sources.resolve_input import is_live
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.fingerprint import Fingerprint
    from steadymark.engine.pipeline.job import InputSettings, JobReport, OutputSettings
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

_MOST_ON_A_GPU = 4  # Processes; each loads its own copy of the networks into GPU memory.


@dataclass(frozen=True, slots=True)
class Job:
    """One input to track; it can be sent to other processes.

    Attributes:
        number: Position among all jobs.
        text: The input.
        settings: Tracking settings.
        output: Output settings.
        input_settings: Settings of the input.
        stem: File stem of the results; None if the source must be opened to determine it.
        indexed: Fingerprint of the input's complete results according to the index.
        in_index: Whether the index lists results with this stem.
        damaged: Whether the index lists the input as a file that was cut off.
    """

    number: int
    text: str
    settings: TrackSettings
    output: OutputSettings
    input_settings: InputSettings
    stem: str | None = None
    indexed: Fingerprint | None = None
    in_index: bool = True
    damaged: bool = False

    @property
    def shown(self) -> str:
        """The input as messages name it."""
        return shown_input(self.text)


class JobObserver(Protocol):
    """Receives progress and results, always in the thread that runs the jobs; must not block."""

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        """Called a few times per second while a job is tracked, but not if it was done before."""

    def ended(self, job: Job, report: JobReport) -> None:
        """Called exactly once for each job that was begun."""


class JobQueue(Protocol):
    """Jobs that may be added and cancelled while others run; used by the thread that runs them."""

    def most(self) -> int:
        """Return how many jobs may run at the same time; at least 1."""

    def take(self) -> Job | None:
        """Return the next job to begin; None if there is none at the moment."""

    def cancelled(self, job: Job) -> bool:
        """Return whether a job that was taken must end."""


class JobList:
    """A JobQueue with a fixed list of jobs, in order."""

    def __init__(self, jobs: Sequence[Job], count: int) -> None:
        self._jobs, self._count = iter(jobs), count

    def most(self) -> int:
        return self._count

    def take(self) -> Job | None:
        return next(self._jobs, None)

    def cancelled(self, job: Job) -> bool:
        return False


def cores() -> int:
    """Return the number of CPU cores that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def most_processes(requested: int | None, *, on_gpu: bool) -> int:
    """Return how many processes track at the same time.

    Args:
        requested: The number that the user asked for, at least 1; None for the most useful number.
        on_gpu: Whether the networks run on a GPU.

    Returns:
        The number of processes.
    """
    return requested or (min(cores(), _MOST_ON_A_GPU) if on_gpu else cores())


def useful_processes(requested: int | None, texts: Sequence[str], *, on_gpu: bool) -> int:
    """Return how many processes are useful for these inputs; a live input needs this process.

    Args:
        requested: The number that the user asked for; None for the most useful number.
        texts: The inputs.
        on_gpu: Whether the networks run on a GPU.

    Returns:
        The number of processes; 1 means that this process tracks.
    """
    if any(map(is_live, texts)):
        return 1
    return max(1, min(most_processes(requested, on_gpu=on_gpu), len(texts)))


def run_here(jobs: Sequence[Job], models: OpenModels, observer: JobObserver, stop: Event) -> None:
    """Run jobs one after the other in this process.

    Args:
        jobs: The jobs, in order.
        models: The opened models.
        observer: Receives progress and results.
        stop: When it is set, the current job ends and no other begins.
    """
    used_stems = {job.stem.casefold() for job in jobs if job.stem is not None} | {"index"}
    for job in jobs:
        if stop.is_set():
            return
        report = run_one(
            job, models, stop, partial(observer.progressed, job), used_stems=used_stems
        )
        observer.ended(job, report)


def run_one(
    job: Job,
    models: OpenModels,
    stop: Event,
    on_progress: Callable[[SourceInfo, PipelineReport], None],
    *,
    used_stems: set[str] | None = None,
    progress_s: float = 0.1,
) -> JobReport:
    """Run one job in this process.

    Args:
        job: The job.
        models: The opened models.
        stop: When it is set, the job ends and keeps what was tracked.
        on_progress: Called with the source's information and the report so far.
        used_stems: File stems in lower case that other results use.
        progress_s: Time between two calls of `on_progress`, in seconds.

    Returns:
        The report; see `run_job`.
    """
    report = run_job(
        job.text,
        models,
        job.settings,
        job.output,
        input_settings=job.input_settings,
        used_stems=set() if used_stems is None else used_stems,
        stem=job.stem,
        indexed=job.indexed,
        in_index=job.in_index,
        stop=stop,
        on_progress=on_progress,
        progress_s=progress_s,
    )
    if report.skipped and job.damaged:
        return replace(report, cut_off=CutOff(None, UserText("the file was cut off")))
    return report
