"""The tables of `steadymark bench speed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.cli.reports.report_table import ReportTable
from steadymark.engine.bench.speed_benchmark import (
    measure_faces,
    measure_speed,
    measure_stabilizers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from steadymark.engine.bench.speed_benchmark import FacesSpeed, StabilizerSpeed, StageSpeed
    from steadymark.engine.tracking.settings import TrackSettings


def report_stages(settings: TrackSettings, rounds: int, console: Console) -> None:
    """Print the time of each stage, and the time to track a frame with each stabilizer.

    Raises:
        WeightsError: The model cannot be opened.
    """
    console.print(stages_table(measure_speed(settings, rounds=rounds)))
    console.print(stabilizers_table(measure_stabilizers(settings, rounds=rounds)))


def report_faces(settings: TrackSettings, rounds: int, console: Console) -> None:
    """Print the time to track a frame with 1 to 16 faces.

    Raises:
        SteadymarkError: Not all faces are tracked.
    """
    console.print(faces_table(measure_faces(settings, rounds=rounds)))


def stages_table(lines: Iterable[StageSpeed]) -> ReportTable:
    """Return a table with a row for each stage."""
    rows = ((line.name, line.wall_ms, line.cpu_ms) for line in lines)
    return _table("Median of one run, one thread", ("stage",), ("wall ms", "CPU ms"), rows)


def stabilizers_table(lines: Iterable[StabilizerSpeed]) -> ReportTable:
    """Return a table with a row for each stabilizer and frame size.

    "before the next" is the CPU time that the next frame waits for; the rest has its own thread.
    """
    return _table(
        "Tracking one frame with one face, one thread",
        ("stabilizer", "frame"),
        ("wall ms", "CPU ms", "before the next", "times none"),
        (
            (line.stabilizer, line.size, line.wall_ms, line.cpu_ms, line.follow_ms, line.ratio)
            for line in lines
        ),
    )


def faces_table(lines: Sequence[FacesSpeed]) -> ReportTable:
    """Return a table with a row for each number of faces. The first row must be for one face."""
    one = lines[0].cpu_ms
    rows = (
        (str(line.faces), line.wall_ms, line.cpu_ms, line.cpu_ms / line.faces, line.cpu_ms / one)
        for line in lines
    )
    figures = ("wall ms", "CPU ms", "CPU ms a face", "times one face")
    return _table("Tracking one frame, one thread", ("faces",), figures, rows)


def _table(
    title: str,
    names: tuple[str, ...],
    figures: tuple[str, ...],
    rows: Iterable[tuple[str | float, ...]],
) -> ReportTable:
    table = ReportTable(names, figures, title=title)
    for row in rows:
        table.add_row(*(part if isinstance(part, str) else f"{part:.2f}" for part in row))
    return table
