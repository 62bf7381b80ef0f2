"""What `steadymark review` prints and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Column, ReportTable
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.read_table import read_table
from steadymark.engine.review.doubtful_stretches import DoubtLimits, find_doubtful
from steadymark.engine.review.person_track import tracks_of
from steadymark.engine.review.stretch_table import stretch_fields, write_stretches
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch


@dataclass(frozen=True, slots=True)
class ReviewFiles:
    """The files to write; None means that a file is not wanted."""

    csv: Path | None = None
    json: Path | None = None


def report_review(
    files: Sequence[Path],
    limits: DoubtLimits,
    faces: Collection[int],
    outputs: ReviewFiles,
    *,
    out: Console,
) -> None:
    """Print the doubtful stretches of landmark tables, and write them.

    Args:
        files: The tables.
        limits: From which value on each kind of doubt counts.
        faces: Numbers of the faces to review; empty for all.
        outputs: The files to write.
        out: Where to print.

    Raises:
        LandmarkFileError: A file is not a landmark table.
        SinkError: A file cannot be written.
        UsageError: A table has none of the faces, or its landmarks are of no known schema.
    """
    for path in (outputs.csv, outputs.json):
        check_outputs(OutputFiles(path))
    found = {str(file): _reviewed(file, limits, faces) for file in files}
    for name, stretches in found.items():
        out.print(review_table(name, stretches))
    rows = [stretch_fields(name, one) for name, stretches in found.items() for one in stretches]
    if outputs.json is not None:
        write_json(outputs.json, rows)
    if outputs.csv is not None:
        write_stretches(outputs.csv, rows)


def review_table(name: str, stretches: Sequence[DoubtfulStretch]) -> ReportTable:
    """Return a table with a row for each doubtful stretch of one file, the worst first."""
    count = UserText.counted(
        "1 doubtful stretch", "{count} doubtful stretches", count=len(stretches)
    )
    columns = ("frames", "from – to", "seconds", Column("why", "left", wraps=True))
    table = ReportTable(("face",), columns, title=f"{name}: {count}")
    for one in stretches:
        table.add_row(
            f"{one.face_id}",
            f"{one.frames}",
            f"{one.first} – {one.last}",
            f"{one.start_s:.2f} – {one.end_s:.2f}",
            one.reason,
        )
    return table


def _reviewed(file: Path, limits: DoubtLimits, faces: Collection[int]) -> list[DoubtfulStretch]:
    tracks = list(tracks_of(read_table(file)))
    known = {track.face_id for track in tracks}
    if missing := set(faces) - known:
        raise UsageError(
            "{file} has no face {face}: it has {known}",
            file=file,
            face=min(missing),
            known=", ".join(map(str, sorted(known))) or UserText("none"),
        )
    return [s for s in find_doubtful(tracks, limits) if not faces or s.face_id in faces]
