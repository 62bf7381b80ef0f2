"""Which person each tracked face is, after merging, splitting and swapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from steadymark.engine.review.project import Project, Reassignment


def persons_of(
    face_id: NDArray[np.integer],
    frame: NDArray[np.int64],
    reassignments: Iterable[Reassignment],
) -> NDArray[np.int64]:
    """Return the person of each row of a table.

    Args:
        face_id: (N,) numbers of the faces, as they were tracked; negative without a face.
        frame: (N,) frame indices.
        reassignments: What was merged, split and swapped, in this order.

    Returns:
        (N,) numbers of the persons; a face that was never reassigned keeps its number.
    """
    persons = face_id.astype(np.int64)
    for one in reassignments:
        inside = frame >= one.first
        if one.last is not None:
            inside &= frame <= one.last
        before = persons.copy()
        for old, new in one.persons:
            persons[inside & (before == old)] = new
    return persons


def doubled_frames(
    persons: NDArray[np.int64], frame: NDArray[np.int64]
) -> dict[int, NDArray[np.int64]]:
    """Return the frames in which a person has two faces at once, as after a wrong merge.

    Args:
        persons: (N,) persons, see `persons_of`.
        frame: (N,) frame indices.

    Returns:
        The frames by person; persons without such frames are left out.
    """
    found = {}
    for person in np.unique(persons[persons >= 0]).tolist():
        frames, counts = np.unique(frame[persons == person], return_counts=True)
        if (counts > 1).any():
            found[person] = frames[counts > 1]
    return found


def common_frames(
    persons: NDArray[np.int64], frame: NDArray[np.int64], one: int, other: int
) -> NDArray[np.int64]:
    """Return the frames in which both persons have a face, so that they cannot be one person.

    Args:
        persons: (N,) persons, see `persons_of`.
        frame: (N,) frame indices.
        one: A person.
        other: Another person.

    Returns:
        The frames, in ascending order.
    """
    return np.intersect1d(frame[persons == one], frame[persons == other])


def person_at(face_id: int, frame: int, reassignments: Iterable[Reassignment]) -> int:
    """Return the person whose face this is in one frame."""
    face, index = np.array([face_id], np.int64), np.array([frame], np.int64)
    return int(persons_of(face, index, reassignments)[0])


def new_person(faces: Iterable[int], project: Project) -> int:
    """Return a number that no person has.

    Args:
        faces: The numbers of all tracked faces.
        project: The project.
    """
    taken = {*faces, *(one.number for one in project.people)}
    for one in project.reassignments:
        taken.update(number for pair in one.persons for number in pair)
    return max(taken, default=-1) + 1
