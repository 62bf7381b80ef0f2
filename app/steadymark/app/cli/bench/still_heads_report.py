"""The table and the JSON file of `steadymark bench heads`."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.bench.clips.still_heads import FLICKER, StillHeadRow, still_head
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.sources import expand_inputs
from steadymark.engine.tracking.settings import open_models

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import TaskID

    from steadymark.engine.tracking.settings import TrackSettings

_TITLES = ("still", "landmarks", "pose", "turn", "shapes", "flickers")


def report_still_heads(
    inputs: Sequence[str],
    settings: TrackSettings,
    json_file: Path | None,
    *,
    most_frames: int | None,
    out: Console,
    err: Console,
) -> int:
    """Measure clips, print the table, write the JSON file, and return the exit status."""
    check_outputs(OutputFiles(json_file))
    clips = expand_inputs(inputs)
    rows: list[StillHeadRow] = []
    models, failed = open_models(settings), 0
    try:
        with Progress(console=err, transient=True) as progress:
            for clip in clips:
                task = progress.add_task(escape(str(clip)), total=None)
                show = partial(_show, progress, task)
                try:
                    rows.append(
                        still_head(
                            str(clip), settings, models, most_frames=most_frames, report=show
                        )
                    )
                except SteadymarkError as error:
                    failed += 1
                    err.print(escape(f"error: {error.sentence}"), soft_wrap=True)
                progress.remove_task(task)
    finally:
        models.close()
    table = ReportTable(
        ("clip",),
        _TITLES,
        caption=(
            "frames at rest; motion a frame in % of the eye distance: of the landmarks, and of a "
            "rigid face with the head pose; angle between the poses of two frames; change of the "
            f"shapes, mean; frames in which a shape changes by {FLICKER:g} or more"
        ),
    )
    for row in rows:
        table.add_row(
            escape(row.clip),
            f"{row.still}",
            fixed(row.landmarks, 3),
            fixed(row.pose, 3),
            f"{fixed(row.turn_deg, 3)}°",
            fixed(row.shapes, 4),
            f"{100 * row.flickers:.1f} %",
        )
    out.print(table)
    if json_file is not None:
        write_json(json_file, [asdict(row) for row in rows])
    return 2 if failed else 0


def _show(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)
