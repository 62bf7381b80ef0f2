"""`steadymark track`: many inputs one after the other, with progress and a summary."""

from __future__ import annotations

import math
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
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
from rich.table import Table

from steadymark.engine.errors import SteadymarkError, UsageError
from steadymark.engine.geometry import Recentre
from steadymark.engine.jobs import CSV_STYLES, InputSettings, JobReport, OutputSettings, run_job
from steadymark.engine.looking import TrackerConfig
from steadymark.engine.offline import Butterworth
from steadymark.engine.pipeline import PipelineReport, PipelineState
from steadymark.engine.sending.targets import parse_target
from steadymark.engine.settings import Models, TrackSettings, open_models
from steadymark.engine.sources import CameraMode, expand_inputs
from steadymark.engine.stabilizing import OneEuro
from steadymark.models.zoo import DEFAULT_DETECTOR, DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from steadymark.engine.sending.targets import Target
    from steadymark.engine.types import SourceInfo


def parse_time(text: str | None) -> float | None:
    """Seconds, mm:ss or hh:mm:ss, with decimals → seconds.

    Raises:
        UsageError: the text is no time.
    """
    if text is None:
        return None
    seconds = 0.0
    try:
        for part in text.split(":"):
            value = float(part)
            if not 0 <= value < float("inf"):
                raise ValueError
            seconds = seconds * 60 + value
    except ValueError as error:
        raise UsageError(f"'{text}' is no time: write seconds, mm:ss or hh:mm:ss") from error
    return seconds


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """What `steadymark track` was asked to do, checked."""

    settings: TrackSettings
    wish: InputSettings


def track_options(
    *,
    csv: str,
    recentre: str,
    start_time: str | None,
    end_time: str | None,
    camera_mode: str | None,
    stabilizer: str,
    one_euro: tuple[float, float, float],
    butterworth: float,
    device: str,
    threshold: float | None,
    max_faces: int,
    focal_px: float | None,
    model: str,
    detector: str,
) -> TrackOptions:
    """Check options as they were typed; an empty model or detector is the default one.

    one_euro, butterworth: their cut-offs and beta.

    Raises:
        UsageError: what was typed does not exist or does not go together.
    """
    if focal_px is not None and not 1 <= focal_px < math.inf:
        raise UsageError(f"--focal must be 1 pixel or more, not {focal_px:g}")
    if csv not in CSV_STYLES:
        raise UsageError(f"unknown CSV style '{csv}': choose native or openface")
    if recentre not in tuple(Recentre):
        raise UsageError(f"unknown rule '{recentre}': choose fit or eyes")
    if not 1 <= max_faces <= 16:
        raise UsageError(f"--max-faces must be 1 to 16, not {max_faces}")
    mode = CameraMode.parse(camera_mode) if camera_mode else None
    wish = InputSettings(parse_time(start_time), parse_time(end_time), mode)
    if wish.end_s is not None and wish.end_s <= (wish.start_s or 0):
        raise UsageError(f"--end {end_time} is not after --start {start_time or 0}")
    settings = TrackSettings(
        model=model or DEFAULT_MODEL,
        detector=detector or DEFAULT_DETECTOR,
        stabilizer=stabilizer,
        device=device,
        detector_threshold=threshold,
        tracker=TrackerConfig(max_faces=max_faces, recentre=Recentre(recentre)),
        one_euro=OneEuro(*one_euro),
        butterworth=Butterworth(butterworth),
        focal_px=focal_px,
    )
    return TrackOptions(settings, wish)


def send_targets(texts: Sequence[str], inputs: Sequence[str]) -> tuple[Target, ...]:
    """Where `--send` sends to: one input, for receivers cannot tell several apart.

    Raises:
        UsageError: no such target, or several inputs.
    """
    targets = tuple(dict.fromkeys(parse_target(text) for text in texts))
    if targets and len(expand_inputs(inputs)) > 1:
        raise UsageError("--send sends one input, and there are several: name one")
    return targets


def run_batch(
    inputs: Sequence[str],
    settings: TrackSettings,
    output: OutputSettings,
    wish: InputSettings,
    *,
    out: Console,
    err: Console,
) -> int:
    """Track everything; returns the exit code: 0 all well, 1 some inputs failed, 2 all did."""
    models = open_models(settings)
    texts, reports = _expand(inputs)
    for report in reports:
        err.print(f"[red]error:[/red] {escape(str(report.error))}", soft_wrap=True)
    stop = Event()
    with _interrupts(stop), _progress(err) as progress:
        reports += _track_all(texts, models, settings, output, wish, stop, progress)
    out.print(summary(reports, output.folder))
    if stop.is_set():
        return 130
    failed = sum(report.error is not None for report in reports)
    return 0 if not failed else 1 if failed < len(reports) else 2


def _track_all(
    texts: Sequence[str],
    models: Models,
    settings: TrackSettings,
    output: OutputSettings,
    wish: InputSettings,
    stop: Event,
    progress: Progress,
) -> Iterator[JobReport]:
    """Each input's report, its faults and notes printed as it ends; none after `stop`."""
    taken: set[str] = set()
    overall = progress.add_task("all files", total=len(texts), visible=len(texts) > 1, fps="")
    for text in texts:
        if stop.is_set():
            return
        shown = _Shown(progress)
        job = run_job(
            text,
            models,
            settings,
            output,
            wish=wish,
            taken=taken,
            stop=stop,
            on_progress=shown.update,
        )
        shown.remove()
        progress.advance(overall)
        if job.error:
            progress.console.print(f"[red]error:[/red] {escape(job.error)}", soft_wrap=True)
        for note in job.notes:
            progress.console.print(
                f"[yellow]note:[/yellow] {escape(job.name)}: {escape(note)}", soft_wrap=True
            )
        yield job


def _expand(inputs: Sequence[str]) -> tuple[list[str], list[JobReport]]:
    """The single inputs, and a report for each argument that names none."""
    texts: list[str] = []
    faults: list[JobReport] = []
    for text in inputs:
        try:
            texts += [t for t in expand_inputs([text]) if t not in texts]
        except SteadymarkError as error:
            faults.append(JobReport(text, error=str(error)))
    return texts, faults


@contextmanager
def _interrupts(stop: Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the file in hand cleanly; a second Ctrl-C ends at once."""

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = [(s, signal.signal(s, handle)) for s in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class _Shown:
    """The progress bar of one file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def update(self, info: SourceInfo, report: PipelineReport) -> None:
        if self._task is None:
            self._task = self._progress.add_task(escape(info.name), total=info.frames, fps="")
        elapsed_s = self._progress.tasks[self._progress.task_ids.index(self._task)].elapsed or 0.0
        fps = report.frames / elapsed_s if elapsed_s > 0 else 0.0
        self._progress.update(self._task, completed=report.frames, fps=f"{fps:.0f} fps")

    def remove(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)


def summary(reports: Sequence[JobReport], folder: Path) -> Table:
    """A line an input."""
    title = f"Results in {escape(str(folder))}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("input", overflow="fold")
    for column in ("frames", "tracked", "lost\nspans", "ms a\nframe", "device"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("result", overflow="fold")
    for job in reports:
        report = job.report
        share = f"{100 * report.with_face / report.frames:.1f} %" if report.frames else "–"
        table.add_row(
            escape(job.name),
            f"{report.frames}" + (f" (+{report.dropped} dropped)" if report.dropped else ""),
            share,
            str(report.lost_spans) if report.frames else "–",
            f"{report.median_ms:.1f}" if report.frames else "–",
            job.device or "–",
            escape(_result(job)),
        )
    return table


def _result(job: JobReport) -> str:
    """What came of it: names of files in the output folder."""
    names = ", ".join(Path(output).name for output in job.outputs)
    if job.skipped:
        return f"done before: {names}"
    if job.error:
        return "failed" + (f", partial: {names}" if names else "")
    if job.report.state is PipelineState.STOPPED:
        return f"stopped: {names}"
    return names
