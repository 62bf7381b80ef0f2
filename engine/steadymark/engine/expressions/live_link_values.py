"""The 61 values of Epic's Live Link Face app: 52 shapes, and rotations of the head and the eyes.

Rotations are in radians: the app's files are read so (Diffeomorphic's importer for Blender gives
the three numbers of the head to an Euler rotation as they are). Their signs are those of Unreal's
rotators, in the axes of the person: yaw to the person's right, pitch up, and roll to the person's
right shoulder.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.gaze.eye_directions import eye_angles

if TYPE_CHECKING:
    from steadymark.engine.core.types import HeadPose
    from steadymark.engine.expressions.expression_settings import CharacterFace, Floats

_ROTATIONS = tuple(f"{part}{angle}" for part in ("Head", "LeftEye", "RightEye") for angle in (
    "Yaw", "Pitch", "Roll"
))  # fmt: skip
COLUMNS = (*(name[0].upper() + name[1:] for name in SHAPES), *_ROTATIONS)
_RATE = 60  # frames per second of the app's timecodes


def live_link_values(shown: CharacterFace) -> Floats:
    """Return the values of a character in one frame.

    Args:
        shown: The shapes and the pose of the head.

    Returns:
        (61,) values in the order of `COLUMNS`. The rotations of the eyes are relative to the head,
            and follow from the shapes `EyeLook…`; eyes do not roll.
    """
    to_left, up = np.moveaxis(eye_angles(shown.shapes[None])[0], -1, 0)
    eyes = np.stack((-to_left, up, np.zeros(2)), 1)
    return np.concatenate((shown.shapes, head_angles(shown.pose), eyes.ravel()))


def head_angles(pose: HeadPose) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of a head, in radians, with R = Ry(yaw) Rx(−pitch) Rz(−roll).

    Args:
        pose: The head pose, whose own angles have the order Rx Ry Rz.

    Returns:
        Yaw to the person's right, pitch up (within ±π/2), and roll to the person's right shoulder.
    """
    m = pose.matrix
    return (
        math.atan2(m[0, 2], m[2, 2]),
        math.asin(min(1.0, max(-1.0, float(m[1, 2])))),
        math.atan2(-m[1, 0], m[1, 1]),
    )


def timecode(time_s: float) -> str:
    """Return a time as the app writes it: `HH:MM:SS:FF.mmm`, with 60 frames in a second.

    Args:
        time_s: Time in seconds; a negative one is 0.

    Returns:
        Hours, minutes, seconds, and frames with thousandths of a frame.
    """
    thousandths = max(0, round(time_s * _RATE * 1000))
    frames, thousandths = divmod(thousandths, 1000)
    seconds, frames = divmod(frames, _RATE)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}.{thousandths:03}"
