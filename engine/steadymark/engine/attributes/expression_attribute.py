"""The attribute `expressions`: strengths of ARKit's 52 face shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.attributes.face_attribute import (
    AttributeColumn,
    AttributeCurve,
    AttributePlot,
    AttributeReadout,
    FaceAttribute,
)
from steadymark.engine.core.types import EXPRESSIONS
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.hidden_side import seen_shapes
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

_LISTED, _LEAST = 4, 0.1  # shapes of the readout: how many, and from which strength


def _compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    if context.fit is None:
        return None
    return tuple(seen_shapes(context.fit, context.gaze).tolist())


def _strongest(values: AttributeValues) -> list[UserText]:
    strong = [place for place, value in enumerate(values) if value >= _LEAST]  # NaN is not
    shown = [
        UserText("{name} {strength:.2f}", name=SHAPES[place], strength=values[place])
        for place in sorted(strong, key=lambda place: -values[place])[:_LISTED]
    ]
    return shown or [UserText("neutral")]


ATTRIBUTES.add(
    FaceAttribute(
        name=EXPRESSIONS,
        label=UserText("Expressions"),
        columns=tuple(
            AttributeColumn(name, UserText("{name}", name=name), "", 3) for name in SHAPES
        ),
        compute=_compute,
        schemas=IBUG_ORDER,
        plot=AttributePlot(
            UserText("expression"),
            (
                AttributeCurve("jawOpen", UserText("jaw"), GREEN),
                AttributeCurve("eyeBlinkLeft", UserText("left eyelid"), SKY_BLUE),
                AttributeCurve("mouthSmileLeft", UserText("smile"), ORANGE),
            ),
        ),
        readouts=(
            AttributeReadout(
                UserText("Expressions"),
                _strongest,
                UserText("The strongest of ARKit's 52 face shapes, from 0 to 1"),
                partial=True,
            ),
        ),
    )
)
