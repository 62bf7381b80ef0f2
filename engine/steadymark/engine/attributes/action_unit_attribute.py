"""The attribute `action_units`: intensities and presence of FACS' action units."""

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
from steadymark.engine.core.types import ACTION_UNITS
from steadymark.engine.expressions.action_units import (
    INTENSITIES,
    PRESENCES,
    UNITS,
    values_of_units,
)
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

_LISTED = 4  # units of the readout
_UNITS = {unit.name: unit for unit in UNITS}


def _compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    if context.fit is None:
        return None
    return tuple(values_of_units(context.fit, context.gaze).tolist())


def _strongest(values: AttributeValues) -> list[UserText]:
    found = zip(INTENSITIES, values, strict=False)  # the presences that follow are left out
    units = ((-value, _UNITS[name[:-2]]) for name, value in found)
    present = [(value, unit) for value, unit in units if -value >= unit.present_from]
    shown = [
        UserText("{unit} {label} {intensity:.1f}", unit=u.name, label=u.label, intensity=-value)
        for value, u in sorted(present, key=lambda each: each[0])[:_LISTED]
    ]
    return shown or [UserText("no action unit")]


def _column(name: str, decimals: int, openface_decimals: int) -> AttributeColumn:
    label = UserText("{name} {label}", name=name, label=_UNITS[name[:-2]].label)
    return AttributeColumn(name, label, "", decimals, openface_decimals)


ATTRIBUTES.add(
    FaceAttribute(
        name=ACTION_UNITS,
        label=UserText("Action units"),
        columns=(
            *(_column(name, 2, 2) for name in INTENSITIES),
            *(_column(name, 0, 1) for name in PRESENCES),
        ),
        compute=_compute,
        schemas=IBUG_ORDER,
        plot=AttributePlot(
            UserText("intensity"),
            (
                AttributeCurve("AU04_r", _UNITS["AU04"].label, GREEN),
                AttributeCurve("AU12_r", _UNITS["AU12"].label, SKY_BLUE),
                AttributeCurve("AU25_r", _UNITS["AU25"].label, ORANGE),
            ),
        ),
        readouts=(
            AttributeReadout(
                UserText("Action units"),
                _strongest,
                UserText("The strongest action units of FACS, with intensities from 0 to 5"),
                partial=True,
            ),
        ),
    )
)
