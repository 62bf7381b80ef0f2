"""Tables of doubtful stretches, with what a person has decided about each."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from steadymark.engine.output.output_paths import cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.project import Project

OPEN, ACCEPTED, EXCLUDED = "open", "accepted", "excluded"
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
)
STATUS = "status"  # the column of what a person has decided, which tables of the window have


def stretch_status(stretch: DoubtfulStretch, project: Project) -> str:
    """Return whether a stretch is `open`, `accepted` or `excluded`.

    It counts as excluded if one excluded interval covers it, and as accepted if one accepted
    stretch of the same face does.

    Args:
        stretch: The stretch.
        project: The project of its video.
    """
    if any(
        one.start_s <= stretch.start_s and stretch.end_s <= one.end_s
        for one in project.excluded
        if one.person in (None, stretch.face_id)
    ):
        return EXCLUDED
    accepted = any(
        one.start_s <= stretch.start_s and stretch.end_s <= one.end_s
        for one in project.accepted
        if one.face_id == stretch.face_id
    )
    return ACCEPTED if accepted else OPEN


def stretch_fields(file: str, stretch: DoubtfulStretch, status: str) -> dict[str, object]:
    """Return the values of a stretch by the names in `STRETCH_COLUMNS`.

    Args:
        file: Name of the table or video.
        stretch: The stretch.
        status: What was decided about it, see `stretch_status`.
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
        "status": status,
    }


def write_stretches(
    path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str] = STRETCH_COLUMNS
) -> None:
    """Write a CSV file with one row for each stretch.

    Args:
        path: The file; an existing one is replaced.
        rows: The fields of the stretches.
        columns: The columns, in their order.

    Raises:
        SinkError: The file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise cannot_write(path, error) from error
