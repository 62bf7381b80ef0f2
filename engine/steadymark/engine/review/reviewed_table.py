"""The table of a video with its project applied: corrected, named, and without what is excluded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_rows import (
    TrackedRows,
    attributes_of_rows,
    rows_of_table,
)
from steadymark.engine.core.types import FaceState, Intrinsics
from steadymark.engine.expressions.neutral_moment import PersonRows
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
        recomputed: (N,) True where the attributes were computed again: of corrected landmarks, with
            a neutral face, or with a gaze calibration.
        identities: (N,) the (M,) identities that they were computed with, see `FaceContext`; None
            where nothing is known of the person, or nothing was computed again.
    """

    table: LandmarkTable
    person: NDArray[np.int64]
    name: NDArray[np.str_]
    corrected: Mask
    excluded: Mask
    recomputed: Mask
    identities: NDArray[np.object_]

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
            self.recomputed[rows],
            self.identities[rows],
        )


def reviewed(table: LandmarkTable, project: Project) -> ReviewedTable:
    """Apply a project to a table.

    The attributes of corrected faces, such as the head pose, are computed from the corrected
    landmarks, and those of persons with a neutral face or a gaze calibration are computed again
    with it. Those that need the size of the frames are NaN if the project does not know it; without
    it, there is no calibration.

    Args:
        table: The table, as it was tracked.
        project: The project.

    Returns:
        The reviewed table, with the same rows.
    """
    xy, corrected = _corrected(table, project)
    person = persons_of(table.face_id, table.frame, project.reassignments)
    camera = camera_of(table, project)
    calibrated = np.isin(
        person, [one.person for one in project.gaze_calibrations if camera is not None]
    )
    recomputed = corrected | of_known_neutral(table, person, project) | calibrated
    attributes, identities = table.attributes.copy(), np.full(len(table), None, object)
    if recomputed.any():
        rows = np.flatnonzero(recomputed)
        tracked = rows_by_person(table, person, project, camera)
        attributes[rows] = attributes_of_rows(tracked, xy, rows.tolist())[rows]
        for row in rows.tolist():
            identities[row] = tracked.identities[row]
    return ReviewedTable(
        replace(table, xy_px=xy, attributes=attributes, header=_header(table, project)),
        person,
        np.array([project.name_of(p) if p >= 0 else "" for p in person.tolist()], np.str_),
        corrected,
        excluded_rows(project, person, table.timestamp_s),
        recomputed,
        identities,
    )


def rows_by_person(
    table: LandmarkTable, person: NDArray[np.int64], project: Project, camera: Intrinsics | None
) -> TrackedRows:
    """Return what was tracked, by the N rows' persons, and where these are neutral."""
    tracked = rows_of_table(table, table.schema, camera)
    return replace(
        tracked,
        face_id=person,
        at_rest=_at_rest(table, person, project),
        calibrations=project.calibrations,
    )


def _header(table: LandmarkTable, project: Project) -> dict[str, Any]:
    """Return the header, whose settings tell which persons have a gaze calibration.

    Each of several persons may have one, so that readers leave the gaze of the table as it is.
    """
    header = dict(table.header)
    settings = header.get("settings")
    if project.gaze_calibrations:
        known = dict(settings) if isinstance(settings, dict) else {}
        people = {
            project.name_of(one.person): asdict(one.calibration)
            for one in project.gaze_calibrations
        }
        tracked = known.get("gaze_calibration")
        header["settings"] = {**known, "gaze_calibration": {"people": people, "others": tracked}}
    return header


def of_known_neutral(table: LandmarkTable, person: NDArray[np.int64], project: Project) -> Mask:
    """Return the rows (N,) of persons whose neutral face is known."""
    at_rest = _at_rest(table, person, project)
    return np.isin(person, person[at_rest])


def _at_rest(table: LandmarkTable, person: NDArray[np.int64], project: Project) -> Mask:
    """Return the rows (N,) in which a person is neutral: those of half a second from a frame on."""
    at_rest = np.zeros(len(table), np.bool_)
    rows = PersonRows(person, table.frame, table.timestamp_s, table.attributes)
    for one in project.neutral:
        at_rest |= rows.moment(one.person, one.frame)
    return at_rest


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


def excluded_rows(project: Project, person: NDArray[np.int64], time_s: NDArray[np.float64]) -> Mask:
    """Return the rows (N,) that an interval of the lane `exclude` covers.

    Args:
        project: The project.
        person: (N,) numbers of the persons.
        time_s: (N,) times of the frames in seconds.
    """
    excluded = np.zeros(len(time_s), np.bool_)
    for one in project.excluded:
        inside = (time_s >= one.start_s) & (time_s <= one.end_s)
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
