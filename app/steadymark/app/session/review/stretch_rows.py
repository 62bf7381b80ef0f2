"""Doubtful stretches together with what the user has decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.review.people import persons_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.project import Project


class StretchStatus(StrEnum):
    """What the user has decided about a stretch."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class StretchRow:
    """A doubtful stretch in the list.

    Attributes:
        stretch: The stretch.
        person: Number of the person whose face it is.
        name: The person's name, or the number as `#3`.
        status: What the user has decided.
    """

    stretch: DoubtfulStretch
    person: int
    name: str
    status: StretchStatus

    @property
    def key(self) -> tuple[int, int]:
        """What tells the stretch apart from others, also after limits have changed."""
        return self.stretch.face_id, self.stretch.first

    @property
    def is_open(self) -> bool:
        """Whether it was not looked at."""
        return self.status is StretchStatus.OPEN


def stretch_rows(stretches: Sequence[DoubtfulStretch], project: Project) -> list[StretchRow]:
    """Return the row of each stretch, in the same order.

    Args:
        stretches: The stretches.
        project: The project with the user's decisions.
    """
    faces = np.array([one.face_id for one in stretches], np.int64)
    frames = np.array([one.first for one in stretches], np.int64)
    persons = persons_of(faces, frames, project.reassignments).tolist()
    return [_row(one, n, project) for one, n in zip(stretches, persons, strict=True)]


def _row(stretch: DoubtfulStretch, person: int, project: Project) -> StretchRow:
    status = StretchStatus.OPEN
    if project.is_accepted(stretch.face_id, stretch.start_s, stretch.end_s):
        status = StretchStatus.ACCEPTED
    if project.excluding(stretch.start_s, stretch.end_s, person) is not None:
        status = StretchStatus.EXCLUDED
    name = project.name_of(person)
    return StretchRow(stretch, person, f"#{name}" if name == str(person) else name, status)
