"""The moving heads of a reviewed table, for files of animations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_slices
from steadymark.engine.attributes.attribute_rows import attributes_of_rows, rows_of_table
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import EXPRESSIONS, HEAD_POSE, FaceState
from steadymark.engine.output.motion.head_motion import HeadMotion
from steadymark.engine.review.export_reviewed import selected
from steadymark.engine.review.reviewed_table import camera_of, rows_by_person
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.review.export_reviewed import ExportOptions
    from steadymark.engine.review.find_reviewed import ReviewedFile
    from steadymark.engine.review.project import Project
    from steadymark.engine.review.reviewed_table import ReviewedTable

    Floats = NDArray[np.float64]


def motions_of_table(
    found: ReviewedFile, table: ReviewedTable, options: ExportOptions
) -> list[HeadMotion]:
    """Return the moving heads of a reviewed table, without what is excluded.

    Head poses and expressions that the table does not have are computed from its landmarks if the
    size of the frames is known. The identities of the 3D faces, which need it too, are those that a
    tracker knows in the last frame of each person; otherwise the faces are those of the average
    adult.

    Args:
        found: The table as it was found, with its project.
        table: The reviewed table.
        options: Which part and which persons are exported.

    Returns:
        A motion for each person whose head pose is known in a frame.

    Raises:
        UsageError: The landmarks are of another schema, or no head pose is known.
    """
    schema = table.table.schema
    if schema not in IBUG_ORDER:
        raise UsageError(
            "{table} has no head poses: they need landmarks of {wanted}, and these are of {found}",
            table=found.table_path,
            wanted=", ".join(IBUG_ORDER),
            found=schema or "?",
        )
    camera = camera_of(found.table, found.project)
    identity = _last_identities(table, found.project, camera)
    part = selected(_with_attributes(table, camera), replace(options, drop_excluded=True))
    times_s, frames = _frame_times(part)
    motions = [
        _motion(part, person, times_s, frames, identity.get(person), camera)
        for person in np.unique(part.person[part.person >= 0]).tolist()
    ]
    motions = [each for each in motions if len(each.place)]
    if not motions and not (part.table.state != FaceState.LOST).any():
        raise UsageError(
            "there is no face in the exported part of {table}, and the motion consists of faces: "
            "choose another part, or leave --gltf and --bvh out",
            table=found.table_path,
        )
    if not motions:
        raise UsageError(
            "{table} has no head poses: put its video beside it, so that they can be computed",
            table=found.table_path,
        )
    return motions


def _with_attributes(table: ReviewedTable, camera: Intrinsics | None) -> ReviewedTable:
    """Return the table with the attributes that it lacks, as far as they can be computed."""
    rows = table.table
    seen = rows.state != FaceState.LOST
    wanted = [attribute_slices()[name] for name in (HEAD_POSE, EXPRESSIONS)]
    lacks = [seen.any() and np.isnan(rows.attributes[seen, part]).all() for part in wanted]
    if camera is None or not any(lacks):
        return table
    computed = attributes_of_rows(rows_of_table(rows, rows.schema, camera), rows.xy_px)
    known = np.where(np.isfinite(rows.attributes), rows.attributes, computed)
    return replace(table, table=replace(rows, attributes=known))


def _last_identities(
    table: ReviewedTable, project: Project, camera: Intrinsics | None
) -> dict[int, Floats]:
    """Return the identity of the 3D face of each person, as it is known at the end."""
    tracked = rows_by_person(table.table, table.person, project, camera)
    people = table.person.tolist()
    return {
        person: identity
        for person, identity in zip(people, tracked.identities, strict=True)
        if identity is not None
    }


def _frame_times(table: ReviewedTable) -> tuple[Floats, NDArray[np.int64]]:
    """Return the (T,) increasing times of all frames, and the place (N,) of each row's frame."""
    times_s, place = np.unique(table.table.timestamp_s, return_inverse=True)
    return times_s, place.astype(np.int64)


def _motion(
    table: ReviewedTable,
    person: int,
    times_s: Floats,
    place: NDArray[np.int64],
    identity: Floats | None,
    camera: Intrinsics | None,
) -> HeadMotion:
    pose = table.table.pose
    rows = np.flatnonzero((table.person == person) & np.isfinite(pose).all(1))
    _, first = np.unique(place[rows], return_index=True)  # of two faces in a frame, the first
    rows = rows[first]
    strengths = table.table.attributes[:, attribute_slices()[EXPRESSIONS]]
    name = str(table.name[np.argmax(table.person == person)])
    return HeadMotion(
        f"Face {person}" if name in ("", str(person)) else name,
        times_s,
        place[rows],
        pose[rows],
        strengths[rows],
        identity,
        camera,
        person,
    )
