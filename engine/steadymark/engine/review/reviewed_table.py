"""The table of a video with its project applied: corrected, named, and without what is excluded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_rows import attributes_of_rows, rows_of_table
from steadymark.engine.core.types import FaceState, Intrinsics
from steadymark.engine.review.corrections import apply_corrections
from steadymark.engine.review.people.assignment import persons_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.project import Project

    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedTable:
    """A landmark table to which a project was applied, N rows.

    Attributes:
        table: The table with corrected landmarks; its raw landmarks are as they were.
        person: (N,) numbers of the persons; negative in rows without a face.
        name: (N,) their names, or their numbers as text; empty in rows without a face.
        corrected: (N,) True where a landmark was corrected.
        excluded: (N,) True where an interval of the lane `exclude` covers the row.
    """

    table: LandmarkTable
    person: NDArray[np.int64]
    name: NDArray[np.str_]
    corrected: Mask
    excluded: Mask

    def __len__(self) -> int:
        return len(self.table)

    def select(self, rows: Mask) -> ReviewedTable:
        """Return the table with some of its rows.

        Args:
            rows: (N,) True for the rows to keep.
        """
        return ReviewedTable(
            self.table.select(rows),
            self.person[rows],
            self.name[rows],
            self.corrected[rows],
            self.excluded[rows],
        )


def reviewed(table: LandmarkTable, project: Project) -> ReviewedTable:
    """Apply a project to a table.

    The attributes of corrected faces, such as the head pose, are computed from the corrected
    landmarks; those that need the size of the frames are NaN if the project does not know it.

    Args:
        table: The table, as it was tracked.
        project: The project.

    Returns:
        The reviewed table, with the same rows.
    """
    xy, corrected = _corrected(table, project)
    attributes = table.attributes.copy()
    if corrected.any():
        rows = np.flatnonzero(corrected)
        tracked = rows_of_table(table, table.schema, camera_of(table, project))
        attributes[rows] = attributes_of_rows(tracked, xy, rows.tolist())[rows]
    person = persons_of(table.face_id, table.frame, project.reassignments)
    return ReviewedTable(
        replace(table, xy_px=xy, attributes=attributes),
        person,
        np.array([project.name_of(p) if p >= 0 else "" for p in person.tolist()], np.str_),
        corrected,
        _excluded(table, person, project),
    )


def _corrected(table: LandmarkTable, project: Project) -> tuple[NDArray[np.float32], Mask]:
    xy, corrected = table.xy_px.copy(), np.zeros(len(table), np.bool_)
    for face_id in sorted({one.face_id for one in project.corrections}):
        rows = np.flatnonzero((table.face_id == face_id) & (table.state != FaceState.LOST))
        rows = rows[np.argsort(table.frame[rows], kind="stable")]
        of_face = [one for one in project.corrections if one.face_id == face_id]
        xy[rows], corrected[rows] = apply_corrections(
            table.xy_px[rows],
            table.frame[rows],
            table.timestamp_s[rows],
            of_face,
            table.state[rows] == FaceState.DETECTED,
        )
    return xy, corrected


def _excluded(table: LandmarkTable, person: NDArray[np.int64], project: Project) -> Mask:
    excluded = np.zeros(len(table), np.bool_)
    for one in project.excluded:
        inside = (table.timestamp_s >= one.start_s) & (table.timestamp_s <= one.end_s)
        excluded |= inside if one.person is None else inside & (person == one.person)
    return excluded


def camera_of(table: LandmarkTable, project: Project) -> Intrinsics | None:
    """Return the camera of a table; None if the project does not know the size of the frames.

    Args:
        table: The table.
        project: Its project.
    """
    video, settings = project.video, table.header.get("settings")
    if not (video.width and video.height):
        return None
    focal = settings.get("focal_px") if isinstance(settings, dict) else None
    return Intrinsics(video.width, video.height, focal if isinstance(focal, int | float) else None)
