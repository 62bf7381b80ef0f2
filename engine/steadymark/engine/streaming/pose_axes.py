"""Head poses in the axes of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from steadymark.engine.tracking.head_pose import mean_face

if TYPE_CHECKING:
    from steadymark.engine.core.types import HeadPose
    from steadymark.engine.tracking.head_pose import Array

_SWAPPED = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
_NOSE, _JAW = 30, (0, 16)


def unity_quaternion(pose: HeadPose) -> tuple[float, float, float, float]:
    """x, y, z, w of the head against one that looks into the camera, in Unity's left-handed axes.

    x to the person's right, y up, z to where the face looks: the reverse of each of our axes, so
    the matrix is the same. Positive turns are down (x), to the person's right (y) and to the
    person's left shoulder (z). Not mirrored.
    """
    x, y, z, w = (float(v) for v in Rotation.from_matrix(pose.matrix).as_quat(canonical=True))
    return x, y, z, w


def unit_mm() -> float:
    """OpenSeeFace's unit of length: its mean face is 1.004 wide at the ends of the jaw."""
    face = mean_face()
    return float(np.linalg.norm(face[_JAW[0]] - face[_JAW[1]])) / 1.00388


class OsfPose:
    """A pose as OpenSeeFace gives it: odd, but what its receivers undo.

    Its pictures have x down and y right, and its search for the pose ends with the face behind the
    camera: what is seen is the same, with every sign of the place reversed, and of the rotation's
    first two rows. Its face has x to the person's right, y up, z out of the face, 0 at the tip of
    the nose. So a face that looks into the camera has the matrix ((0 1 0) (1 0 0) (0 0 −1)), and
    the angles ±180°, 0, 90°. Unlike there, looking aside does not depend on where in the picture.
    """

    def __init__(self, pose: HeadPose) -> None:
        nose = pose.matrix @ mean_face()[_NOSE] + pose.position_mm
        self.matrix: Array = np.diag([1.0, 1.0, -1.0]) @ _SWAPPED @ pose.matrix
        self.translation: Array = -_SWAPPED @ nose / unit_mm()

    @property
    def quaternion(self) -> Array:
        """(4,) x, y, z, w of the transposed matrix, as OpenSeeFace computes it; y is not negative.

        Either sign means the same; this one does not jump where a face looks into the camera.
        """
        values: Array = Rotation.from_matrix(self.matrix.T).as_quat()
        return -values if values[1] < 0 else values

    @property
    def euler_deg(self) -> Array:
        """(3,) degrees x, y, z, the matrix being Rz Ry Rx: y within ±90, the others within ±180."""
        m = self.matrix
        angles = (
            np.arctan2(m[2, 1], m[2, 2]),
            np.arcsin(np.clip(-m[2, 0], -1, 1)),
            np.arctan2(m[1, 0], m[0, 0]),
        )
        return np.degrees(angles)
