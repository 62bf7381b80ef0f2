"""Tables of doubtful stretches, with what a person has decided about each."""

from __future__ import annotations

import csv
from enum import StrEnum
from typing import TYPE_CHECKING

from steadymark.engine.output.output_paths import replacing
from steadymark.engine.review.people.assignment import person_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.project import Project

STRETCH_COLUMNS = (
    "file",
    "face_id",
    "first_frame",
    "last_frame",
    "start_s",
    "end_s",
    "severity",
    "doubts",
    "reason",
    "status",
    "name",
)


class StretchStatus(StrEnum):
    """What a person has decided about a stretch."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXCLUDED = "excluded"


def stretch_status(stretch: DoubtfulStretch, project: Project) -> StretchStatus:
    """Return what a person has decided about a stretch.

    It counts as excluded if one excluded interval covers it, and as accepted if one accepted
    stretch of the same face does.

    Args:
        stretch: The stretch.
        project: The project of its video.
    """
    if project.excluding(stretch.start_s, stretch.end_s, person_of(stretch, project)) is not None:
        return StretchStatus.EXCLUDED
    accepted = project.is_accepted(stretch.face_id, stretch.start_s, stretch.end_s)
    return StretchStatus.ACCEPTED if accepted else StretchStatus.OPEN


def person_of(stretch: DoubtfulStretch, project: Project) -> int:
    """Return the person whose face it is in the first frame of a stretch."""
    return person_at(stretch.face_id, stretch.first, project.reassignments)


def person_name(stretch: DoubtfulStretch, project: Project) -> str:
    """Return the name of the person whose face it is; empty if the person has none."""
    person = person_of(stretch, project)
    return next((one.name for one in project.people if one.number == person), "")


def stretch_fields(
    file: str, stretch: DoubtfulStretch, status: StretchStatus, name: str = ""
) -> dict[str, object]:
    """Return the values of a stretch by the names in `STRETCH_COLUMNS`.

    Args:
        file: Name of the table or video.
        stretch: The stretch.
        status: What was decided about it, see `stretch_status`.
        name: Name of the person, see `person_name`.
    """
    return {
        "file": file,
        "face_id": stretch.face_id,
        "first_frame": stretch.first,
        "last_frame": stretch.last,
        "start_s": round(stretch.start_s, 6),
        "end_s": round(stretch.end_s, 6),
        "severity": round(stretch.severity, 3),
        "doubts": " ".join(doubt.kind for doubt in stretch.doubts),
        "reason": str(stretch.reason),
        "status": str(status),
        "name": name,
    }


def write_stretches(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write a CSV file with one row for each stretch.

    Args:
        path: The file; an existing one is replaced.
        rows: The fields of the stretches.

    Raises:
        SinkError: The file cannot be written.
    """
    with replacing(path) as new, new.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, STRETCH_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
