"""The progress display of a command that tracks many inputs, and the updates of their index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from steadymark.engine.batch.index_updates import IndexUpdates
from steadymark.engine.core.face_frames import percent_of

if TYPE_CHECKING:
    from rich.console import Console

    from steadymark.engine.batch.results_index import ResultsIndex
    from steadymark.engine.batch.run_jobs import Job
    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.job import JobReport
    from steadymark.engine.pipeline.pipeline_report import PipelineReport


_MIN_RATE_TIME_S = 0.5  # no rate is shown before this time


def progress_bars(console: Console) -> Progress:
    """Return a progress display for all files and for each file that is being tracked."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[faces]}"),
        TextColumn("{task.fields[fps]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class ProgressDisplay:
    """An observer of jobs that shows progress, prints faults and notes, and updates the index."""

    def __init__(self, progress: Progress, index: ResultsIndex, count: int) -> None:
        self._progress, self._index_updates = progress, IndexUpdates(index)
        self._total_task = progress.add_task(
            "all files", total=count, visible=count > 1, unit="", faces="", fps=""
        )
        self._tasks: dict[int, TaskID] = {}
        self._reports: dict[int, JobReport] = {}
        self._index_fault_printed = False

    @property
    def reports(self) -> list[JobReport]:
        """The reports of the jobs that have ended, in the order of the jobs."""
        return [report for _, report in sorted(self._reports.items())]

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        task = self._tasks.get(job.number)
        if task is None:
            task = self._progress.add_task(
                escape(info.name), total=info.frames, unit="", faces="", fps=""
            )
            self._tasks[job.number] = task
        self._index_updates.progressed(job)
        tasks = self._progress.tasks
        elapsed_s = tasks[self._progress.task_ids.index(task)].elapsed or 0.0
        fps = f"{report.frames / elapsed_s:.0f} fps" if elapsed_s > _MIN_RATE_TIME_S else ""
        share = report.face_frames.share
        faces = f"{percent_of(share, 0):.0f} % with a face" if report.frames else ""
        self._progress.update(task, completed=report.frames, unit="frames", faces=faces, fps=fps)

    def ended(self, job: Job, report: JobReport) -> None:
        self._reports[job.number] = report
        task = self._tasks.pop(job.number, None)
        if task is not None:
            self._progress.remove_task(task)
        self._progress.advance(self._total_task)
        if report.error:
            self._print(f"[red]error:[/red] {escape(report.error)}")
        for note in report.notes:
            self._print(f"[yellow]note:[/yellow] {escape(report.name)}: {escape(note)}")
        self._index_updates.ended(job, report)
        if self._index_updates.fault and not self._index_fault_printed:
            self._index_fault_printed = True
            self._print(f"[yellow]note:[/yellow] {escape(self._index_updates.fault)}")

    def _print(self, text: str) -> None:
        self._progress.console.print(text, soft_wrap=True)
