"""`steadymark bench clips`: its table and its JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from steadymark.app.stability_report import write_file
from steadymark.engine.bench.clips import ClipRow, run_clip
from steadymark.engine.bench.stability_run import CHOICES, possible_choices
from steadymark.engine.errors import SteadymarkError
from steadymark.engine.settings import TrackSettings
from steadymark.engine.sources import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.progress import TaskID

_COLUMNS = {
    "still": ("still", 0),
    "motion": ("motion", 3),
    "mav": ("MAV", 5),
    "mcv": ("MCV", 1),
    "lag_frames": ("lag", 2),
    "eyes": ("eyes", 2),
    "mouth": ("mouth", 2),
}


def report_clips(
    inputs: Sequence[str],
    model: str,
    device: str,
    json_file: Path | None,
    *,
    out: Console,
    err: Console,
) -> int:
    """Measure every stabilizer on each clip, print the table and write its JSON; the exit code."""
    settings = TrackSettings(model=model, device=device)
    choices = possible_choices(settings, CHOICES)
    rows: list[ClipRow] = []
    failed = 0
    paths = expand_inputs(inputs)
    with Progress(console=err, transient=True) as progress:
        for path in paths:
            task = progress.add_task(Path(path).name, total=None)
            try:
                rows += run_clip(Path(path), settings, choices, report=_shown(progress, task))
            except SteadymarkError as error:
                failed += 1
                err.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
            progress.remove_task(task)
    if rows:
        out.print(_table(rows, model))
    if json_file is not None:
        content = {"model": model, "rows": [asdict(row) for row in rows]}
        write_file(json_file, (json.dumps(content, indent=2) + "\n").encode())
    return 0 if not failed else 1 if rows else 2


def _shown(progress: Progress, task: TaskID) -> Callable[[int], None]:
    return lambda done: progress.update(task, completed=done)


def _table(rows: list[ClipRow], model: str) -> Table:
    caption = (
        "still: frames that optical flow calls still; motion there, % of the outer-eye distance a "
        "frame; MAV, (%)²; MCV, %; lag against raw, frames; amplitude of the opening of eyes and "
        "mouth, stabilized / raw"
    )
    table = Table(title=model, caption=caption, box=SIMPLE, collapse_padding=True)
    table.title_justify = table.caption_justify = "left"
    table.add_column("clip", overflow="fold")
    table.add_column("stabilizer", no_wrap=True)
    for heading, _ in _COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    last = ""
    for row in rows:
        values = asdict(row)
        cells = (f"{values[name]:.{digits}f}" for name, (_, digits) in _COLUMNS.items())
        table.add_row("" if row.clip == last else row.clip, row.choice, *cells)
        last = row.clip
    return table
