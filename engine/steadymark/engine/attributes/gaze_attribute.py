"""The attribute `gaze`: where the eyes look, with OpenFace's columns, axes and signs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.attributes.face_attribute import (
    AttributeColumn,
    AttributeCurve,
    AttributeDrawing,
    AttributePlot,
    AttributeReadout,
    DrawnLine,
    FaceAttribute,
)
from steadymark.engine.core.gaze import GAZE
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

VECTORS = tuple(f"gaze_{eye}_{axis}" for eye in range(2) for axis in "xyz")
ANGLES = ("gaze_angle_x", "gaze_angle_y")
_ANGLE_TEXTS = (UserText("to the right of the picture"), UserText("downwards"))
_OTHER_TEXTS = (UserText("to the left of the picture"), UserText("upwards"))
_DEGREES = 180 / math.pi  # per radian
_EYES = ((36, 42), (42, 48))  # landmarks of the person's right and left eye
_OUTER_CORNERS = (36, 45)
_NOSE_AND_CHIN = (27, 8)
_LENGTH = 1.2  # of an arrow across the picture, in distances of the outer eye corners
_NOSE_SHARE = 0.8  # that distance in distances of the root of the nose from the chin
_HEAD, _HEAD_ANGLE = 0.25, math.radians(25)  # length of an arrow's head, and its half angle


def _compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    if context.gaze is None:
        return None
    eyes = context.gaze.directions.tolist()
    known = [eye for eye in eyes if all(map(math.isfinite, eye))]
    if not known:
        return None
    x, y, z = map(sum, zip(*known, strict=True))  # The angles of the sum are those of the mean.
    return (*eyes[0], *eyes[1], math.atan2(x, -z), math.atan2(y, -z))


def _arrows(
    values: AttributeValues, landmarks: Landmarks, context: FaceContext
) -> tuple[DrawnLine, ...]:
    if len(landmarks.score) < _EYES[1][1]:
        return ()
    xy = landmarks.xy_px.astype(np.float64)
    size = max(
        _distance(xy, _OUTER_CORNERS),
        _NOSE_SHARE * _distance(xy, _NOSE_AND_CHIN),
    )
    vectors = np.array(values[:6]).reshape(2, 3)[:, :2]
    lines = []
    for eye, (first, end) in enumerate(_EYES):
        start = xy[first:end].mean(0)
        if context.pupils is not None and np.isfinite(context.pupils.xy_px[eye]).all():
            start = context.pupils.xy_px[eye]
        arrow = _arrow(start, _LENGTH * size * vectors[eye])
        if np.isfinite(arrow).all():
            lines.append(DrawnLine(arrow, GREEN))
    return tuple(lines)


def _distance(xy: NDArray[np.float64], pair: tuple[int, int]) -> float:
    return float(np.linalg.norm(xy[pair[0]] - xy[pair[1]]))


def _arrow(start: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the polyline (5, 2) of an arrow in pixels: its shaft, and both sides of its head."""
    cosine, sine = math.cos(_HEAD_ANGLE), math.sin(_HEAD_ANGLE)
    tip = start + along
    sides = [
        tip - _HEAD * np.array([[cosine, -turn], [turn, cosine]]) @ along for turn in (sine, -sine)
    ]
    return np.stack((start, tip, sides[0], tip, sides[1]))


def _angles(values: AttributeValues) -> list[UserText]:
    return [
        UserText(
            "{degrees:.1f}° {direction}",
            degrees=_DEGREES * abs(angle),
            direction=other if angle < 0 else text,
        )
        for angle, text, other in zip(values[6:], _ANGLE_TEXTS, _OTHER_TEXTS, strict=True)
    ]


ATTRIBUTES.add(
    FaceAttribute(
        name=GAZE,
        label=UserText("Gaze"),
        columns=(
            *(AttributeColumn(name, UserText("Direction of an eye"), "", 6, 6) for name in VECTORS),
            *(
                AttributeColumn(name, text, "rad", 5, 3)
                for name, text in zip(ANGLES, _ANGLE_TEXTS, strict=True)
            ),
        ),
        compute=_compute,
        schemas=IBUG_ORDER,
        drawing=AttributeDrawing(GAZE, UserText("Gaze"), _arrows, ("Shift+G",)),
        plot=AttributePlot(
            UserText("gaze, °"),
            (
                AttributeCurve(ANGLES[0], UserText("sideways"), SKY_BLUE, _DEGREES),
                AttributeCurve(ANGLES[1], UserText("down"), ORANGE, _DEGREES),
            ),
        ),
        readouts=(
            AttributeReadout(
                UserText("Gaze"),
                _angles,
                UserText("Mean of both eyes; both angles are 0 if the eyes look into the camera"),
                partial=True,
            ),
        ),
    )
)
