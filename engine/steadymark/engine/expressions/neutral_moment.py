"""The moment in which a person is neutral because the user says so, and whether the face moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_slices
from steadymark.engine.core.types import EXPRESSIONS
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.face3d.identity import NEUTRAL_S
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_MOVEMENT = 0.2  # change of a shape in the moment, see docs/decisions/face3d.md
_OF_THE_FACE = np.array([not name.startswith("eyeLook") for name in SHAPES])


class PersonRows(NamedTuple):
    """Rows of a table or of results.

    Attributes:
        person: (R,) numbers of the persons.
        frame: (R,) indices of the frames.
        time_s: (R,) their times in seconds.
        attributes: (R, C) values of all attributes.
    """

    person: NDArray[np.integer]
    frame: NDArray[np.integer]
    time_s: NDArray[np.float64]
    attributes: NDArray[np.float64]

    def moment(self, person: int, frame: int) -> NDArray[np.bool_]:
        """Return the rows (R,) of a person in the half second from a frame on."""
        later = np.asarray((self.person == person) & (self.frame >= frame))
        if later.any():
            later &= self.time_s < self.time_s[later].min() + NEUTRAL_S
        return later


def movement_sentence(rows: PersonRows, person: int, frame: int, name: str) -> UserText:
    """Return a sentence for the user if a face moves in its neutral moment, otherwise nothing.

    Args:
        rows: The rows, with the attributes as they were tracked.
        person: The number of the person.
        frame: Index of the frame with which the moment begins.
        name: What the person is called.
    """
    there = rows.moment(person, frame)
    strengths = rows.attributes[there][:, attribute_slices()[EXPRESSIONS]]
    known = np.isfinite(strengths)
    if not known.any():
        return NOTHING
    largest = np.where(known, strengths, -np.inf).max(0)
    change = np.where(
        known.any(0) & _OF_THE_FACE, largest - np.where(known, strengths, np.inf).min(0), 0.0
    )
    if change.max() <= MOST_MOVEMENT:
        return NOTHING
    return UserText(
        "{name} moves in the half second from {time:.2f} s on ({shape} changes by {change:.2f}): "
        "choose a moment in which the face is at rest",
        name=name,
        time=float(rows.time_s[there].min()),
        shape=SHAPES[change.argmax()],
        change=float(change.max()),
    )
