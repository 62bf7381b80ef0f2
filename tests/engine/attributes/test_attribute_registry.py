"""Face attributes are registered once, computed for each face, and kept as vectors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import (
    ATTRIBUTES,
    attribute_columns,
    attribute_slices,
    attributes_from,
    attributes_of,
    checked_drawings,
    plugin_attributes,
    vector_of,
)
from steadymark.engine.attributes.face_attribute import AttributeColumn, FaceAttribute
from steadymark.engine.core.errors import TrackingError, UsageError
from steadymark.engine.core.types import FaceContext, Intrinsics, Landmarks
from steadymark.models.user_text import UserText
from support.fakes.fake_results import face_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import AttributeValues

POINTS = Landmarks(face_points(), np.ones(68, np.float32))
FIVE = Landmarks(face_points()[:5], np.ones(5, np.float32))
CONTEXT = FaceContext("ibug68", Intrinsics(160, 120), 2.0)


def timed(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    """The number of landmarks and the time."""
    return len(landmarks.score), context.time_s


TIMED = FaceAttribute(
    "timed",
    UserText("Timed"),
    (AttributeColumn("count", UserText("count")), AttributeColumn("at", UserText("time"), "s", 1)),
    timed,
)


@pytest.fixture
def added() -> Iterator[None]:
    ATTRIBUTES.add(TIMED)
    yield
    ATTRIBUTES.remove("timed")


def test_the_attributes_without_plug_ins_are_built_in() -> None:
    built_in = ("head_pose", "expressions", "action_units", "pupils", "gaze")
    assert ATTRIBUTES.names() == built_in
    assert [column.name for column in attribute_columns()][:6:5] == ["pose_Tx", "pose_Rz"]
    assert plugin_attributes() == {}


def test_the_3d_face_is_fitted_once_for_all_attributes_of_a_face() -> None:
    made = attributes_of(POINTS, CONTEXT)
    assert made.context.fit is not None
    assert made.values["head_pose"][:3] == tuple(made.context.fit.position.tolist())
    strengths = made.values["expressions"]
    assert len(strengths) == 52
    assert all(0 <= value <= 1 for value in strengths if not math.isnan(value))


@pytest.mark.usefixtures("added")
def test_attributes_are_a_vector_in_the_order_of_the_registry_and_come_back() -> None:
    made = attributes_of(POINTS, CONTEXT)
    vector = vector_of(made)
    assert vector[attribute_slices()["timed"]] == [68, 2.0]
    assert len(vector) == len(attribute_columns())
    assert vector_of(attributes_from(vector, CONTEXT)) == pytest.approx(vector, nan_ok=True)
    assert all(map(math.isnan, vector_of(None)))


@pytest.mark.usefixtures("added")
def test_an_attribute_of_another_schema_is_unknown() -> None:
    made = attributes_of(FIVE, replace(CONTEXT, schema="five"))
    assert made.values == {"timed": (5, 2.0)}
    assert attributes_from(vector_of(made), CONTEXT).values == made.values


@pytest.mark.usefixtures("added")
def test_a_single_unknown_value_is_kept_beside_the_known_one() -> None:
    vector = vector_of(attributes_of(POINTS, replace(CONTEXT, time_s=math.nan)))
    count, at = attributes_from(vector, CONTEXT).values["timed"]
    assert count == 68
    assert math.isnan(at)


@pytest.mark.usefixtures("added")
def test_an_attribute_cannot_have_a_column_or_drawing_of_another_one() -> None:
    with pytest.raises(ValueError, match="'other' and 'timed' share the name 'count'"):
        ATTRIBUTES.add(replace(TIMED, name="other", columns=TIMED.columns[:1]))


@pytest.mark.parametrize("wrong", [lambda *_: (1.0,), lambda *_: 1 / 0])
@pytest.mark.usefixtures("added")
def test_an_attribute_that_cannot_be_computed_is_named(
    monkeypatch: pytest.MonkeyPatch, wrong: object
) -> None:
    ATTRIBUTES.remove("timed")
    ATTRIBUTES.add(replace(TIMED, compute=wrong))  # type: ignore[arg-type]
    with pytest.raises(TrackingError, match="the face attribute 'timed' cannot be computed"):
        attributes_of(POINTS, CONTEXT)


def test_an_unknown_drawing_is_refused_with_the_names_that_exist() -> None:
    assert checked_drawings(("axes", "axes")) == ("axes",)
    with pytest.raises(UsageError, match="is drawn as 'nose': choose one of axes"):
        checked_drawings(("axes", "nose"))


def test_a_readout_lists_all_columns_with_their_units_unless_it_is_declared() -> None:
    (readout,) = TIMED.shown
    assert [str(line) for line in readout.lines((68.0, 2.0))] == ["count 68.0000", "time 2.0 s"]
