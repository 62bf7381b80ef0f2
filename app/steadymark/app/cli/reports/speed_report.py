"""`steadymark bench speed`: its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from steadymark.engine.bench.speed_benchmark import (
    measure_faces,
    measure_speed,
    measure_stabilizers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from steadymark.engine.tracking.settings import TrackSettings


def report_stages(settings: TrackSettings, rounds: int, console: Console) -> None:
    """Print what each stage takes, and the tracking of a frame with each stabilizer.

    Raises:
        WeightsError: the model cannot be opened.
    """
    stages = measure_speed(settings, rounds=rounds)
    console.print(
        _table(
            "Median of one run, one thread",
            ("stage",),
            ("wall ms", "CPU ms"),
            ((line.name, line.wall_ms, line.cpu_ms) for line in stages),
        )
    )
    each = measure_stabilizers(settings, rounds=rounds)
    console.print(
        _table(
            "Tracking one frame with one face, one thread",
            ("stabilizer", "frame"),
            ("wall ms", "CPU ms", "times none"),
            ((line.stabilizer, line.size, line.wall_ms, line.cpu_ms, line.ratio) for line in each),
        )
    )


def report_faces(settings: TrackSettings, rounds: int, console: Console) -> None:
    """Print what a frame with 1 to 16 faces takes.

    Raises:
        SteadymarkError: not all faces are followed.
    """
    lines = measure_faces(settings, rounds=rounds)
    one = lines[0].cpu_ms
    rows = (
        (str(line.faces), line.wall_ms, line.cpu_ms, line.cpu_ms / line.faces, line.cpu_ms / one)
        for line in lines
    )
    figures = ("wall ms", "CPU ms", "CPU ms a face", "times one face")
    console.print(_table("Tracking one frame, one thread", ("faces",), figures, rows))


def _table(
    title: str,
    names: tuple[str, ...],
    figures: tuple[str, ...],
    rows: Iterable[tuple[str | float, ...]],
) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name)
    for name in figures:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(part if isinstance(part, str) else f"{part:.2f}" for part in row))
    return table
