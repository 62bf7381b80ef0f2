"""`steadymark bench stability`: its table and its JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.progress import Progress
from rich.table import Table

from steadymark.app.stability_plot import stability_plot
from steadymark.engine.bench.stability_run import StabilityConfig, StabilityRow, run_stability
from steadymark.engine.errors import UsageError
from steadymark.engine.settings import TrackSettings

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

_COLUMNS = {  # measure → heading, decimals
    "nrmse": ("NRMSE", 3),
    "fr8": ("FR8", 2),
    "mav": ("MAV", 4),
    "mcv": ("MCV", 2),
    "lag_frames": ("lag", 2),
    "nrmse_fast": ("fast", 3),
    "nrmse_rest": ("rest", 3),
    "lost": ("lost", 2),
}


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
    console: Console,
) -> None:
    """Run the benchmark, print its table and write its JSON.

    Raises:
        UsageError: what was asked for cannot be run, or the JSON cannot be written.
    """
    try:
        levels = tuple(int(part) for part in noise.split(","))
    except ValueError as error:
        raise UsageError(f"--noise {noise}: give levels with commas, such as 1,2") from error
    config = StabilityConfig(sequences, frames, levels, seed, held_back)
    settings = TrackSettings(model=model, device=device)
    rows = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("scenes")

        def report(done: int, every: int) -> None:
            progress.update(task, completed=done, total=every)

        rows = list(run_stability(data, settings, config, report=report))
    console.print(_table([row for row in rows if not row.setting], model, config))
    if plot is not None:
        level = config.curve_noise if config.curve_noise in levels else levels[0]
        title = f"{model}, noise level {level}; small dots: other settings"
        write_file(plot, stability_plot(rows, noise=level, title=title))
    if json_file is not None:
        content = {"model": model, "config": asdict(config), "rows": [asdict(row) for row in rows]}
        write_file(json_file, (json.dumps(content, indent=2) + "\n").encode())


def write_file(path: Path, content: bytes) -> None:
    """Raises UsageError where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _table(rows: list[StabilityRow], model: str, config: StabilityConfig) -> Table:
    title = f"{model}: {config.sequences} scenes of {config.frames} frames at each noise level"
    caption = (
        "NRMSE; its FR8, % of frames; MAV of the error, (% of the outer-eye distance)²; MCV, %; "
        "lag, frames; NRMSE of the fastest tenth of the frames, and of the rest; frames lost, %"
    )
    table = Table(title=title, caption=caption, box=SIMPLE, collapse_padding=True)
    table.title_justify = table.caption_justify = "left"
    table.add_column("noise", justify="right")
    table.add_column("stabilizer", no_wrap=True)
    for heading, _ in _COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        values = asdict(row.reached)
        cells = (f"{values[name]:.{digits}f}" for name, (_, digits) in _COLUMNS.items())
        table.add_row(str(row.noise), row.choice, *cells)
    return table
