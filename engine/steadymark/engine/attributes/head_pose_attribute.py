"""The attribute `head_pose`: position and rotation of the head, see `HeadPose`."""

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
from steadymark.engine.core.types import HEAD_POSE, HeadPose
from steadymark.engine.face3d.head_pose import pose_of
from steadymark.engine.output.video.draw_style import AXIS_COLOURS, GREEN, ORANGE, SKY_BLUE
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

_ANGLES = UserText("pitch"), UserText("yaw"), UserText("roll")
_DEGREES = 180 / math.pi  # per radian
AXES = "axes"  # name of the drawing
POSE = ("pose_Tx", "pose_Ty", "pose_Tz", "pose_Rx", "pose_Ry", "pose_Rz")


def _compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    if context.fit is None or context.camera is None:
        return None
    return pose_of(context.fit, context.camera).values


def _axes(
    values: AttributeValues, landmarks: Landmarks, context: FaceContext
) -> tuple[DrawnLine, ...]:
    pose = None if context.camera is None else HeadPose.of_values(values, context.camera)
    ends = np.full((4, 2), np.nan) if pose is None else pose.axes_px()
    if not np.isfinite(ends).all():
        return ()
    tips = zip(ends[1:], AXIS_COLOURS, strict=True)
    return tuple(DrawnLine(np.stack((ends[0], tip)), colour) for tip, colour in tips)


def _rotation(values: AttributeValues) -> list[UserText]:
    return [
        UserText("{label} {degrees:+.1f}°", label=label, degrees=_DEGREES * angle)
        for label, angle in zip(_ANGLES, values[3:], strict=True)
    ]


def _position(values: AttributeValues) -> list[UserText]:
    return [UserText("{mm}", mm=", ".join(f"{round(mm)}" for mm in values[:3]) + " mm")]


ATTRIBUTES.add(
    FaceAttribute(
        name=HEAD_POSE,
        label=UserText("Head pose"),
        columns=(
            *(AttributeColumn(n, UserText("Position"), "mm", 2, 1) for n in POSE[:3]),
            *(
                AttributeColumn(n, label, "rad", 5, 3)
                for n, label in zip(POSE[3:], _ANGLES, strict=True)
            ),
        ),
        compute=_compute,
        schemas=IBUG_ORDER,
        drawing=AttributeDrawing(AXES, UserText("Head axes"), _axes, ("E",)),
        plot=AttributePlot(
            UserText("angle, °"),
            tuple(
                AttributeCurve(column, label, colour, _DEGREES)
                for column, label, colour in zip(
                    POSE[3:], _ANGLES, (GREEN, SKY_BLUE, ORANGE), strict=True
                )
            ),
        ),
        readouts=(
            AttributeReadout(
                UserText("Head pose"),
                _rotation,
                UserText("Pitch (down), yaw (to the left of the picture) and roll (clockwise)"),
            ),
            AttributeReadout(
                UserText("Position"),
                _position,
                UserText(
                    "Millimetres to the right, down and away from the camera; exact only "
                    "if the focal length is correct"
                ),
            ),
        ),
    )
)
