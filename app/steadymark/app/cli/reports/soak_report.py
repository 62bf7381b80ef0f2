"""The tables and the JSON file of `steadymark bench soak`."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Column, ReportTable, fixed
from steadymark.app.cli.reports.results_memory import measure_results_memory
from steadymark.engine.bench.soak.soak_limits import HOUR
from steadymark.engine.bench.soak.soak_test import PARTS, SoakCase, run_soak
from steadymark.engine.core.errors import SinkError
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, open_models
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from steadymark.engine.bench.soak.soak_limits import SoakFigure, SoakSample
    from steadymark.engine.core.protocols import Sink


def report_soak(
    clip: Path | None,
    settings: TrackSettings,
    *,
    minutes: float,
    fps: float,
    folder: Path | None,
    json_file: Path | None,
    out: Console,
    err: Console,
    models: OpenModels | None = None,
    kept: int = HOUR,
    more_sinks: Callable[[], Sequence[Sink]] = tuple,
) -> int:
    """Run the soak test, print each figure beside its limit, and write all figures as JSON.

    Args:
        clip: The video. None means the demo clip.
        settings: The settings of the tracking.
        minutes: The duration of the whole test.
        fps: The frame rate of the simulated camera.
        folder: Where the tables are kept. None removes them.
        json_file: The JSON file.
        out: The console of the tables.
        err: The console of the progress display.
        models: Open networks that replace those of the settings.
        kept: The number of frames of which the window's results are measured.
        more_sinks: Returns additional sinks for the tests with a video and with a camera.

    Returns:
        The exit code: 0 if all limits are kept, otherwise 1.
    """
    check_outputs(OutputFiles(json_file))
    path = clip or assets_root() / "clips" / "demo.mp4"
    models = models or open_models(settings)
    with _tables_in(folder) as tables, _soak_progress(err, minutes) as on_sample:
        cases = run_soak(
            path,
            models,
            settings,
            seconds=minutes * 60,
            fps=fps,
            folder=tables,
            more_sinks=more_sinks,
            on_sample=on_sample,
        )
    memory_figures = measure_results_memory(path, models, settings, frames=kept)
    passed = all(case.passed for case in cases) and all(figure.passed for figure in memory_figures)
    for case in cases:
        _print_case(case, out)
    out.print(soak_table("what the window keeps", memory_figures))
    out.print("[green]passed[/green]" if passed else "[red]failed[/red]")
    if json_file is not None:
        content = {
            "input": str(path),
            "device": models.device,
            "passed": passed,
            "cases": [asdict(case) | {"passed": case.passed} for case in cases],
            "window": [asdict(figure) for figure in memory_figures],
        }
        write_json(json_file, content)
    return 0 if passed else 1


@contextlib.contextmanager
def _tables_in(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="steadymark-soak-") as made:
            yield Path(made)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"the folder {folder} cannot be made ({error.strerror})") from error
    yield folder


@contextlib.contextmanager
def _soak_progress(err: Console, minutes: float) -> Iterator[Callable[[str, SoakSample], None]]:
    """Show a line with the progress of the test."""
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("beginning", total=None)

        def show(name: str, sample: SoakSample) -> None:
            progress.update(
                task,
                description=f"{name}, {sample.at_s / 60:.1f} of {minutes / PARTS:.1f} min: "
                f"{sample.frames} frames, {sample.rss_mib:.0f} MiB, {sample.threads} threads, "
                f"{sample.handles} handles",
            )

        yield show


def _print_case(case: SoakCase, out: Console) -> None:
    rate = case.frames / max(case.seconds, 1e-9)
    dropped = f", {case.dropped} dropped" if case.dropped else ""
    title = f"{case.name}: {case.frames} frames in {case.seconds / 60:.1f} min"
    out.print(soak_table(f"{title}, {rate:.0f} a second{dropped}", case.figures))
    for fault in case.faults:
        out.print(f"  [red]fault:[/red] {escape(fault)}", soft_wrap=True)
    for problem in case.problems:
        out.print(f"  note: {escape(problem)}", soft_wrap=True)


def soak_table(title: str, figures: Sequence[SoakFigure]) -> ReportTable:
    """Return a table with each figure beside its limit."""
    columns = ("measured", "limit", Column("", "left"), Column("", "left", wraps=True))
    table = ReportTable(("what",), columns, title=title)
    for figure in figures:
        digits = 4 if figure.most < 0.1 and figure.unit else 1 if figure.unit else 0
        table.add_row(
            figure.what,
            f"{fixed(figure.value, digits)} {figure.unit}".strip(),
            f"{figure.most:.{3 if digits == 4 else digits}f} {figure.unit}".strip(),
            Text("pass", "green") if figure.passed else Text("FAIL", "red"),
            figure.remark,
        )
    return table
