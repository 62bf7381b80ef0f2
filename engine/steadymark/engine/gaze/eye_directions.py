"""Where the eyes of a character look, from ARKit's shapes of the gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.expressions.arkit import LOOK_FULL_DEG, SHAPES

if TYPE_CHECKING:
    from steadymark.engine.face3d.face_basis import Floats

_FULL_RAD = np.radians(LOOK_FULL_DEG)
# For the person's left and right eye: the shapes that turn it to the person's left, to the right,
# up and down.
_LOOKS = tuple(
    [SHAPES.index(f"eyeLook{what}") for what in looks]
    for looks in (
        ("OutLeft", "InLeft", "UpLeft", "DownLeft"),
        ("InRight", "OutRight", "UpRight", "DownRight"),
    )
)


def eye_angles(strengths: Floats) -> Floats:
    """Return how far the eyes are turned relative to the head.

    Args:
        strengths: (N, 52) strengths of ARKit's `SHAPES`.

    Returns:
        (N, 2, 2) angles of the person's left and right eye in radians: to the person's left, and
        up.
    """
    to_left, to_right, up, down = (strengths[:, [eye[i] for eye in _LOOKS]] for i in range(4))
    angles: Floats = np.stack((to_left - to_right, up - down), axis=-1) * _FULL_RAD
    return angles


def eye_directions(strengths: Floats) -> Floats:
    """Return the directions in which the eyes look, as unit vectors in the axes of `FaceMesh`.

    Args:
        strengths: (N, 52) strengths of ARKit's `SHAPES`.

    Returns:
        (N, 2, 3) directions of the person's left and right eye.
    """
    side, up = np.moveaxis(eye_angles(strengths), -1, 0)
    level = np.cos(up)
    return np.stack((np.sin(side) * level, np.sin(up), np.cos(side) * level), axis=-1)
