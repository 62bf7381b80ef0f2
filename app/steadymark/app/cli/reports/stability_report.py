"""The tables and the JSON file of `steadymark bench stability`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress

from steadymark.app.cli.output_files import (
    OutputFiles,
    check_outputs,
    write_file,
    write_json,
)
from steadymark.app.cli.plots.stability_plot import stability_plot
from steadymark.app.cli.reports.report_table import Columns, ReportTable, figures_table
from steadymark.engine.bench.scenes.stability_benchmark import (
    StabilityConfig,
    StabilityRow,
    run_stability,
    write_scenes,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY
from steadymark.engine.tracking.settings import TrackSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

_COLUMNS: Columns = {
    "nrmse": ("NRMSE", 3),
    "fr8": ("FR8", 2),
    "mav": ("MAV", 4),
    "mcv": ("MCV", 2),
    "lag_frames": ("lag", 2),
    "nrmse_fast": ("fast", 3),
    "nrmse_rest": ("rest", 3),
    "lost": ("lost", 2),
}
_MORE_COLUMNS: Columns = {
    "nmf": ("NMF", 3),
    "eyes": ("eyes", 2),
    "mouth": ("mouth", 2),
    "mouth_of_raw": ("of raw", 2),
    "lip_lag_frames": ("lip lag", 2),
    "furthest": ("furthest", 1),
    "furthest_truth": ("from truth", 1),
    "mav_positions": ("MAV px²", 3),
    "mcv_positions": ("MCV pos.", 2),
}
_CAPTION = (
    "NRMSE; its FR8, % of frames; MAV of the error, (% of the outer-eye distance)²; MCV, %; "
    "lag, frames; NRMSE of the fastest tenth of the frames, and of the rest; frames lost, %"
)
_MORE_CAPTION = (
    "NMF (LDEQ), % of the outer-eye distance; amplitude of the opening of eyes and mouth, "
    "stabilized / true, and of the mouth, stabilized / raw; lag of the mouth's opening, frames; "
    "furthest landmark from the raw one, and from the true one, % of the outer-eye distance; MAV "
    "in px² and MCV in % of positions, as the ConvLSTM paper writes them (eqs. 9-11)"
)


def report_stability(
    data: Path,
    *,
    model: str,
    sequences: int,
    frames: int,
    noise: str,
    held_back: bool,
    seed: int,
    device: str,
    json_file: Path | None,
    plot: Path | None,
    csv: list[str],
    write: Path | None,
    scenes: str,
    console: Console,
) -> None:
    """Run the benchmark, print its tables and write its files.

    If `write` is a folder, the scenes are only written there as videos, and nothing is measured.

    Raises:
        SinkError: A file cannot be written.
        UsageError: An option is not valid.
    """
    try:
        levels = tuple(int(part) for part in noise.split(","))
    except ValueError as error:
        raise UsageError(f"--noise {noise}: give levels with commas, such as 1,2") from error
    check_outputs(OutputFiles(json_file, plot))
    config = StabilityConfig(sequences, frames, levels, seed, held_back, scenes=scenes)
    settings = TrackSettings(model=model, device=device)
    tables = dict(_table_folder(text) for text in csv)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("scenes")

        def report(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every)

        if write is not None:
            count = write_scenes(data, write, config, report=report)
            console.print(
                f"{count} videos in {write}: track each, then run this again with "
                "--csv NAME=FOLDER of the tables instead of --write",
                soft_wrap=True,
            )
            return
        rows = list(run_stability(data, settings, config, tables=tables, report=report))
    for table in stability_tables([row for row in rows if not row.setting], model, config):
        console.print(table)
    for line in compare_with_filter(rows, config.curve_noise):
        console.print(line, soft_wrap=True)
    if plot is not None:
        level = config.curve_noise if config.curve_noise in levels else levels[0]
        title = f"{model}, noise level {level}; small dots: other settings"
        write_file(plot, stability_plot(rows, noise=level, title=title))
    if json_file is not None:
        row_values = [asdict(row) for row in rows]
        content = {"model": model, "config": asdict(config), "rows": row_values}
        write_json(json_file, content)


def compare_with_filter(rows: list[StabilityRow], noise: int) -> list[str]:
    """Compare each recurrent stabilizer with the One Euro settings whose MAV is not larger.

    Returns:
        A sentence for each recurrent stabilizer.
    """
    at_level = [row for row in rows if row.noise == noise]
    settings = [row.reached for row in at_level if row.choice == "one-euro" and row.setting]
    cells = {entry.name for entry in STABILIZER_REGISTRY.all() if entry.cell}
    lines = []
    for row in at_level:
        if row.choice not in cells or not settings:
            continue
        still = [s for s in settings if s.mav <= row.reached.mav]
        text = f"{row.choice}: {len(still)} of {len(settings)} settings of one-euro are as still"
        if still:
            text += (
                f"; their least NRMSE is {min(s.nrmse for s in still):.3f} %, their least lag "
                f"{min(abs(s.lag_frames) for s in still):.2f} frames"
            )
        lines.append(text)
    return lines


def _table_folder(text: str) -> tuple[str, Path]:
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise UsageError(f"--csv {text}: give a name and a folder of tables, NAME=FOLDER")
    return name, Path(folder)


def stability_tables(
    rows: list[StabilityRow], model: str, config: StabilityConfig
) -> Iterator[ReportTable]:
    """Yield two tables with a row for each noise level and stabilizer."""
    scenes = f"{config.sequences} {config.scenes} scenes of {config.frames} frames"
    title = f"{model}: {scenes} at each noise level"
    names = ("noise", "stabilizer")
    lines = [(str(row.noise), row.choice, asdict(row.reached)) for row in rows]
    yield figures_table(title, _CAPTION, names, _COLUMNS, lines)
    yield figures_table("", _MORE_CAPTION, names, _MORE_COLUMNS, lines)
