"""How faces are called in one frame: by the name or number of the person whose face it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.review.people.assignment import persons_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from steadymark.engine.review.project import Project


@dataclass(frozen=True, slots=True)
class FaceName:
    """What a face is called.

    Attributes:
        face: Number of the face, as it was tracked.
        person: Number of the person whose face it is.
        name: Name of the person; empty if it has none.
    """

    face: int
    person: int
    name: str = ""

    @property
    def short(self) -> str:
        """The name of the person, or the number as `#3`."""
        return self.name or f"#{self.person}"

    @property
    def full(self) -> str:
        """The same with the number of the face, such as `Ada (#3)`."""
        return self.short if self.short == f"#{self.face}" else f"{self.short} (#{self.face})"


def face_names(project: Project | None, faces: Collection[int], frame: int) -> dict[int, FaceName]:
    """Return what faces are called in one frame.

    Args:
        project: The project of the recording; None for a live view.
        faces: Numbers of the faces, as they were tracked.
        frame: Index of the frame.

    Returns:
        The names by the number of the face.
    """
    if project is None:
        return {face: FaceName(face, face) for face in faces}
    numbers = np.array(sorted(faces), np.int64)
    persons = persons_of(numbers, np.full(len(numbers), frame), project.reassignments)
    names = {one.number: one.name for one in project.people}
    return {
        face: FaceName(face, person, names.get(person, ""))
        for face, person in zip(numbers.tolist(), persons.tolist(), strict=True)
    }
