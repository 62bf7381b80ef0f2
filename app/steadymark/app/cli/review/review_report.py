"""What `steadymark review` prints and writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.markup import escape

from steadymark.app.cli.output_files import OutputFiles, check_outputs, write_json
from steadymark.app.cli.reports.report_table import Column, ReportTable
from steadymark.engine.core.errors import UsageError
from steadymark.engine.review.doubtful_stretches import DoubtLimits, find_doubtful
from steadymark.engine.review.find_reviewed import find_reviewed
from steadymark.engine.review.person_track import tracks_of
from steadymark.engine.review.reviewed_table import reviewed
from steadymark.engine.review.stretch_table import (
    StretchStatus,
    person_name,
    stretch_fields,
    stretch_status,
    write_stretches,
)
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch


@dataclass(frozen=True, slots=True)
class Judged:
    """A stretch, what was decided about it, and the name of the person; empty without one."""

    stretch: DoubtfulStretch
    status: StretchStatus
    name: str


@dataclass(frozen=True, slots=True)
class ReviewFiles:
    """The files to write; None means that a file is not wanted."""

    csv: Path | None = None
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class ReviewChoice:
    """What is reviewed.

    Attributes:
        limits: Limits by name, which replace those of the project.
        off: Names of doubts that are not looked for, besides those of the project.
        faces: Numbers of the faces to review; empty for all.
        only_open: Whether accepted and excluded stretches are left out.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    faces: frozenset[int] = frozenset()
    only_open: bool = False


_NOTHING = "nothing is doubtful"


def report_review(
    files: Sequence[Path], choice: ReviewChoice, outputs: ReviewFiles, *, out: Console
) -> None:
    """Print the doubtful stretches of tracked videos, and write them.

    Args:
        files: Tables, videos or projects.
        choice: What is reviewed.
        outputs: The files to write.
        out: Where to print.

    Raises:
        LandmarkFileError: A file cannot be read.
        SinkError: A file cannot be written.
        UsageError: A table has none of the faces, or its landmarks are of no known schema.
    """
    for path in (outputs.csv, outputs.json):
        check_outputs(OutputFiles(path))
    found = {str(file): _judged(file, choice) for file in files}
    for name, stretches in found.items():
        out.print(review_table(name, stretches) if stretches else f"{escape(name)}: {_NOTHING}")
    rows = [
        stretch_fields(name, one.stretch, one.status, one.name)
        for name, stretches in found.items()
        for one in stretches
    ]
    if outputs.json is not None:
        write_json(outputs.json, rows)
    if outputs.csv is not None:
        write_stretches(outputs.csv, rows)


def review_table(name: str, stretches: Sequence[Judged]) -> ReportTable:
    """Return a table with a row for each doubtful stretch of one file, the worst first."""
    count = UserText.counted(
        "1 doubtful stretch", "{count} doubtful stretches", count=len(stretches)
    )
    columns = ("frames", "from – to", "seconds", "", Column("why", "left", wraps=True))
    table = ReportTable(("face",), columns, title=f"{name}: {count}")
    for judged in stretches:
        one, status = judged.stretch, judged.status
        table.add_row(
            f"{one.face_id} {judged.name}" if judged.name else f"{one.face_id}",
            f"{one.frames}",
            f"{one.first} – {one.last}",
            f"{one.start_s:.2f} – {one.end_s:.2f}",
            "" if status == StretchStatus.OPEN else status,
            one.reason,
        )
    return table


def _judged(file: Path, choice: ReviewChoice) -> list[Judged]:
    """Return the doubtful stretches of one file with the status of each."""
    found = find_reviewed(file)
    project = found.project
    tracks = list(tracks_of(reviewed(found.table, project).table))
    known = {track.face_id for track in tracks}
    if missing := choice.faces - known:
        raise UsageError(
            "{file} has no face {face}: it has {known}",
            file=file,
            face=min(missing),
            known=", ".join(map(str, sorted(known))) or UserText("none"),
        )
    limits = DoubtLimits({**project.limits, **choice.limits}, project.doubts_off | choice.off)
    judged = [
        Judged(one, stretch_status(one, project), person_name(one, project))
        for one in find_doubtful(tracks, limits)
    ]
    return [
        one
        for one in judged
        if (not choice.faces or one.stretch.face_id in choice.faces)
        and not (choice.only_open and one.status != StretchStatus.OPEN)
    ]
