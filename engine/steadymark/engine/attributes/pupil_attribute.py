"""The attribute `pupils`: the centres of both pupils, see `Pupils`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.attributes.face_attribute import (
    AttributeColumn,
    AttributeReadout,
    FaceAttribute,
)
from steadymark.engine.attributes.pupil_values import PUPIL_COLUMNS, pupil_values
from steadymark.engine.core.pupils import PUPILS
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

_SIDES = (UserText("right"), UserText("left"))


def _compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    return None if context.pupils is None else pupil_values(context.pupils)


def _places(values: AttributeValues) -> list[UserText]:
    lines = []
    for side, name in enumerate(_SIDES):
        x, y, _ = values[3 * side : 3 * side + 3]
        if math.isfinite(x) and math.isfinite(y):
            lines.append(UserText("{side} {x:.1f}, {y:.1f} px", side=name, x=x, y=y))
        else:
            lines.append(UserText("{side} not seen", side=name))
    return lines


def _column(name: str) -> AttributeColumn:
    if name.endswith("score"):
        return AttributeColumn(name, UserText("Score of the pupil"))
    return AttributeColumn(name, UserText("Pupil"), "px", 3)


ATTRIBUTES.add(
    FaceAttribute(
        name=PUPILS,
        label=UserText("Pupils"),
        columns=tuple(_column(name) for name in PUPIL_COLUMNS),
        compute=_compute,
        readouts=(
            AttributeReadout(
                UserText("Pupils"),
                _places,
                UserText("The centres of the pupils; right and left are the person's"),
                partial=True,
            ),
        ),
    )
)
