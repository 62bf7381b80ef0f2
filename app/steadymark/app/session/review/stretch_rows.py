"""Doubtful stretches together with what the user has decided about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.review.stretch_table import StretchStatus, person_of, stretch_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.project import Project


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
    return [_row(one, project) for one in stretches]


def _row(stretch: DoubtfulStretch, project: Project) -> StretchRow:
    person = person_of(stretch, project)
    name = project.name_of(person)
    shown = f"#{name}" if name == str(person) else name
    return StretchRow(stretch, person, shown, stretch_status(stretch, project))
