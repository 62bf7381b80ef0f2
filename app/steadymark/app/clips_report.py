"""`steadymark bench clips`: its table and its JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress

from steadymark.app.figures import Columns, figures_table
from steadymark.app.outputs import Outputs, check_outputs, plain, write_file
from steadymark.engine.bench.clips import ClipRow, run_clip
from steadymark.engine.bench.stability_run import CHOICES, possible_choices
from steadymark.engine.errors import SteadymarkError
from steadymark.engine.settings import TrackSettings
from steadymark.engine.sources import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.progress import TaskID
    from rich.table import Table

_COLUMNS: Columns = {
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
    check_outputs(Outputs(json_file))
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
        content = plain({"model": model, "rows": [asdict(row) for row in rows]})
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
    figures = ((row.clip, row.choice, asdict(row)) for row in rows)
    return figures_table(model, caption, ("clip", "stabilizer"), _COLUMNS, figures)
