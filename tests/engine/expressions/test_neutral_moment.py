"""Whether a face moves in the half second that the user calls neutral."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.expressions.neutral_moment import PersonRows, movement_sentence


def rows_with(shape: str, strength: float) -> PersonRows:
    """Two persons at rest for two seconds; a shape of person 7 is stronger in frame 30."""
    frame = np.repeat(np.arange(50), 2)
    attributes = np.zeros((100, len(attribute_columns())))
    attributes[60, [column.name for column in attribute_columns()].index(shape)] = strength
    attributes[20:24] = np.nan  # lost in two frames
    return PersonRows(np.tile([7, 2], 50), frame, frame / 25, attributes)


def test_a_face_that_moves_is_told_with_its_shape_and_time() -> None:
    sentence = str(movement_sentence(rows_with("jawOpen", 0.6), 7, 20, "Ada"))
    assert sentence.startswith("Ada moves in the half second from 0.80 s on (jawOpen changes by")


@pytest.mark.parametrize(
    ("shape", "strength", "person", "frame"),
    [
        ("jawOpen", 0.15, 7, 20),  # as landmarks of a resting face do
        ("jawOpen", 0.6, 2, 20),  # the other person moves
        ("jawOpen", 0.6, 7, 5),  # before
        ("jawOpen", 0.6, 7, 31),  # after
        ("eyeLookInLeft", 0.6, 7, 20),  # only the gaze moves
        ("jawOpen", 0.6, 7, 60),  # after the last frame
    ],
)
def test_nothing_is_said_of_a_face_at_rest(
    shape: str, strength: float, person: int, frame: int
) -> None:
    assert not movement_sentence(rows_with(shape, strength), person, frame, "Ada")


def test_nothing_is_said_where_expressions_are_unknown() -> None:
    rows = rows_with("jawOpen", 0.6)
    assert not movement_sentence(rows._replace(attributes=rows.attributes * np.nan), 7, 20, "Ada")
