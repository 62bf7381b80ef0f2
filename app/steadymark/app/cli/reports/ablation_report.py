"""The table and the JSON file of `steadymark bench ablation`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Columns, ReportTable, figures_table
from steadymark.engine.bench.scenes.ablation_benchmark import (
    VARIANTS,
    AblationVariant,
    run_ablation,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.stabilizer_registry import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.bench.scenes.ablation_benchmark import AblationConfig, AblationRow
    from steadymark.engine.tracking.settings import TrackSettings

_COLUMNS: Columns = {
    "nrmse": ("NRMSE", 3),
    "mav": ("MAV", 4),
    "mcv": ("MCV", 2),
    "nmf": ("NMF", 3),
    "lag_frames": ("lag", 2),
    "lip_lag_frames": ("lips", 2),
    "nrmse_fast": ("fast", 3),
    "eyes": ("eyes", 2),
    "mouth": ("mouth", 2),
    "mouth_of_raw": ("of raw", 2),
    "furthest": ("far", 1),
    "lost": ("lost", 2),
}
_CAPTION = (
    "NRMSE, %; MAV of the error, (% of the outer-eye distance)²; MCV of the NRMSE, %; NMF (LDEQ), "
    "%; lag of all points and of the mouth's opening, frames; NRMSE of the fastest tenth; "
    "amplitude of the opening of eyes and mouth, found / true, and of the mouth, found / raw; "
    "furthest landmark from the raw one, %; frames lost, %. Filters have the setting that, on "
    "other faces, gives the least MAV for at most 1 % more NRMSE than raw"
)


def report_ablation(
    data: Path,
    settings: TrackSettings,
    config: AblationConfig,
    json_file: Path | None,
    *,
    tune: Path | None,
    also: Sequence[str],
    console: Console,
) -> None:
    """Track the scenes with every variant, print the table and write the JSON file.

    Raises:
        SinkError: The JSON file cannot be written.
        UsageError: An option is not valid.
        WeightsError: A model cannot be opened.
    """
    check_outputs(OutputFiles(json_file))
    variants = (*VARIANTS, *(_parse_variant(text) for text in also))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("scenes")

        def report(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every)

        rows = list(
            run_ablation(data, settings, config, tune=tune, variants=variants, report=report)
        )
    console.print(ablation_table(rows, settings.model, config))
    for row in rows:
        if row.reached is None:
            console.print(f"{row.name} is left out: {row.note}", markup=False, soft_wrap=True)
    if json_file is not None:
        row_values = [asdict(row) for row in rows]
        content = {"model": settings.model, "config": asdict(config), "rows": row_values}
        write_json(json_file, content)


def _parse_variant(text: str) -> AblationVariant:
    name, _, model = text.partition("=")
    if not name or not model:
        raise UsageError(f"--also {text}: give a name and a model, NAME=MODEL")
    return AblationVariant(name, AUTO, model=model)


def ablation_table(rows: Sequence[AblationRow], model: str, config: AblationConfig) -> ReportTable:
    """Return a table with a row for each variant that the model has."""
    title = (
        f"{model}: {config.sequences} scenes of {config.frames} frames, noise level {config.noise}"
    )
    lines = [(row.name, row.note, asdict(row.reached)) for row in rows if row.reached is not None]
    return figures_table(title, _CAPTION, ("variant", "setting"), _COLUMNS, lines)
