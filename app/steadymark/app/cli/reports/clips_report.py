"""The table and the JSON file of `steadymark bench clips`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import Progress

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Columns, ReportTable, figures_table
from steadymark.engine.bench.clips.clip_benchmark import (
    ClipRow,
    figures,
    medians,
    run_clip,
    worst_clips_first,
)
from steadymark.engine.bench.clips.clip_tracks import open_choices
from steadymark.engine.bench.scenes.stability_benchmark import all_choices, possible_choices
from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.sources import expand_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import TaskID

    from steadymark.engine.tracking.settings import TrackSettings

_COLUMNS: Columns = {
    "besides_raw": ("raw", 3),
    "besides_stabilized": ("stab.", 3),
    "besides_ratio": ("ratio", 2),
    "own": ("own", 3),
    "without_jaw_ratio": ("no jaw", 2),
    "nose_and_eyes_ratio": ("nose", 2),
    "lag_frames": ("lag", 2),
    "lip_lag_frames": ("lips", 2),
    "eyes": ("eyes", 2),
    "mouth": ("mouth", 2),
}
_CAPTION = (
    "motion besides the face's rigid motion, % of the outer-eye distance a frame: raw, stabilized, "
    "and their ratio; how far the face moves in itself, as optical flow sees it, which no "
    "stabilizer may take off; the ratio without the jaw, and of nose ridge and eye corners alone; "
    "lag of all points and of the mouth's opening against raw, frames; amplitude of the opening of "
    "eyes and mouth, stabilized / raw"
)
_MORE_COLUMNS: Columns = {
    "still": ("still", 0),
    "motion": ("motion", 3),
    "mav": ("MAV", 5),
    "deviation": ("off", 2),
    "deviation_98": ("98 %", 2),
    "furthest": ("far", 1),
    "lost": ("lost", 1),
    "resets": ("resets", 0),
}
_MORE_CAPTION = (
    "frames that optical flow calls still; motion there, % of the outer-eye distance a frame, and "
    "MAV, (%)²; distance from the raw points' slow course, mean and 98th percentile, and from the "
    "raw points at most, %; frames lost, %; resets of memory"
)


def report_clips(
    inputs: Sequence[str],
    settings: TrackSettings,
    json_file: Path | None,
    *,
    choices: str | None,
    most_frames: int | None,
    out: Console,
    err: Console,
) -> int:
    """Measure every stabilizer on each clip, print the tables and write the JSON file.

    Returns:
        The exit code: 0 if all clips succeeded, 1 if some failed, 2 if there is no result.

    Raises:
        SinkError: The JSON file cannot be written.
        UsageError: An option is not valid.
        SourceError: The inputs cannot be found.
        WeightsError: A model cannot be opened.
    """
    check_outputs(OutputFiles(json_file))
    opened = open_choices(settings, chosen_stabilizers(settings, choices, all_choices()))
    rows: list[ClipRow] = []

    def measure(clip: str, report: Callable[[int], None]) -> None:
        rows.extend(run_clip(clip, opened, most_frames=most_frames, report=report))

    failed = measure_clips(expand_inputs(inputs), measure, err)
    rows = worst_clips_first(rows)
    for table in clip_tables(rows, settings.model) if rows else ():
        out.print(table)
    if json_file is not None:
        middle = {name: medians(each) for name, each in _by_choice(rows)}
        content = {
            "model": settings.model,
            "rows": [asdict(row) for row in rows],
            "medians": middle,
        }
        write_json(json_file, content)
    return 0 if not failed else 1 if rows else 2


def chosen_stabilizers(
    settings: TrackSettings, text: str | None, usual: Sequence[str]
) -> tuple[str, ...]:
    """Parse a comma-separated list of stabilizers.

    Args:
        settings: The settings, whose model decides which stabilizers are available.
        text: The list; None means all stabilizers of `usual` that are available.
        usual: The stabilizers that are measured by default.

    Raises:
        UsageError: The list is empty, or a name is unknown.
        WeightsError: A stabilizer is not available.
    """
    if text is None:
        return possible_choices(settings, usual)
    names = split_names(text, "--choices is empty: name stabilizers with commas, such as none,flow")
    for name in names:
        possible_choices(settings, (name,))
    return names


def split_names(text: str, if_empty: str) -> tuple[str, ...]:
    """Return the names in a comma-separated list without duplicates.

    Raises:
        UsageError: There is no name. `if_empty` is its message.
    """
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(if_empty)
    return names


def measure_clips(
    clips: Sequence[str], measure: Callable[[str, Callable[[int], None]], None], err: Console
) -> int:
    """Measure each clip, show the progress and print errors. Returns the number of failed clips."""
    failed = 0
    with Progress(console=err, transient=True) as progress:
        for clip in clips:
            task = progress.add_task(Path(clip).name, total=None)
            try:
                measure(clip, _progress_callback(progress, task))
            except SteadymarkError as error:
                failed += 1
                err.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
            progress.remove_task(task)
    return failed


def _progress_callback(progress: Progress, task: TaskID) -> Callable[[int], None]:
    return lambda done: progress.update(task, completed=done)


def _by_choice(rows: Sequence[ClipRow]) -> Iterator[tuple[str, list[ClipRow]]]:
    for name in dict.fromkeys(row.choice for row in rows):
        yield name, [row for row in rows if row.choice == name]


def clip_tables(rows: Sequence[ClipRow], model: str) -> Iterator[ReportTable]:
    """Yield two tables with a row for each clip and stabilizer, and the medians."""
    lines: list[tuple[str, str, dict[str, float]]] = []
    for name, each in _by_choice(rows):
        lines += [(row.clip, name, figures(row)) for row in each]
        lines.append((f"median of {len(each)}", name, medians(each)))
    yield figures_table(model, _CAPTION, ("clip", "stabilizer"), _COLUMNS, lines)
    yield figures_table("", _MORE_CAPTION, ("clip", "stabilizer"), _MORE_COLUMNS, lines)
