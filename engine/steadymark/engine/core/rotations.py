"""Rotations as Euler angles and as matrices; for the axes, see `HeadPose`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rotation_matrix(rotation_rad: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the rotation matrix Rx Ry Rz.

    Args:
        rotation_rad: Angles (Rx, Ry, Rz) in radians.

    Returns:
        (3, 3) rotation matrix.
    """
    (sx, sy, sz), (cx, cy, cz) = np.sin(rotation_rad), np.cos(rotation_rad)
    return np.array(
        [
            [cy * cz, -cy * sz, sy],
            [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
            [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
        ]
    )


def euler_angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the Euler angles of a rotation.

    Args:
        matrix: (3, 3) rotation matrix R = Rx Ry Rz.

    Returns:
        (Rx, Ry, Rz) in radians; Ry is within ±π/2, and Rx and Rz are within ±π.
    """
    return (
        math.atan2(-matrix[1, 2], matrix[2, 2]),
        math.asin(min(1.0, max(-1.0, float(matrix[0, 2])))),
        math.atan2(-matrix[0, 1], matrix[0, 0]),
    )
