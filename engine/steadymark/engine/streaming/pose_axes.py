"""Convert head poses to the axes of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from steadymark.engine.face3d.head_pose import mean_face

if TYPE_CHECKING:
    from steadymark.engine.core.types import HeadPose
    from steadymark.engine.face3d.head_pose import Array

_SWAPPED = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
_NOSE, _JAW = 30, (0, 16)


def unity_quaternion(pose: HeadPose) -> tuple[float, float, float, float]:
    """Return the head's rotation as a quaternion in Unity's left-handed axes.

    The axes are x to the person's right, y up, and z to where the face looks. Each is the reverse
    of ours, so the rotation matrix is the same. Positive rotations are down (x), to the person's
    right (y) and to the person's left shoulder (z). The rotation is not mirrored and is 0 for a
    face that looks into the camera.

    Args:
        pose: The head pose.

    Returns:
        x, y, z, w.
    """
    x, y, z, w = (float(v) for v in Rotation.from_matrix(pose.matrix).as_quat(canonical=True))
    return x, y, z, w


class HeadPlace:
    """Where the head is relative to a neutral place, in metres and in the axes of Unity.

    The neutral place is that of the person's first pose, or of the next pose after `choose_next`. A
    face with another id is another person.
    """

    def __init__(self) -> None:
        self._face_id: int | None = None
        self._neutral: Array | None = None

    def choose_next(self) -> None:
        """Take the place of the next pose as the neutral one."""
        self._neutral = None

    def offset_m(self, face_id: int, pose: HeadPose) -> tuple[float, float, float]:
        """Return where the head is in the next frame.

        Args:
            face_id: Id of the face.
            pose: The head pose.

        Returns:
            x to the person's right, y up, and z to where a neutral face looks.
        """
        place = np.array(pose.position_mm)
        if self._neutral is None or face_id != self._face_id:
            self._face_id, self._neutral = face_id, place
        x, y, z = ((self._neutral - place) / 1000).tolist()
        return x, y, z


def unit_mm() -> float:
    """Return OpenSeeFace's unit of length in mm: its mean face is 1.004 units wide at the jaw."""
    face = mean_face()
    return float(np.linalg.norm(face[_JAW[0]] - face[_JAW[1]])) / 1.00388


class OsfPose:
    """A head pose in OpenSeeFace's unusual axes, which its receivers undo.

    OpenSeeFace's images have x down and y right, and its pose estimation ends with the face behind
    the camera. The projection is the same, with all signs of the position and of the first two rows
    of the rotation reversed. Its face has x to the person's right, y up and z out of the face, with
    0 at the tip of the nose. A face that looks into the camera therefore has the matrix ((0 1 0) (1
    0 0) (0 0 −1)) and the angles ±180°, 0, 90°. Unlike in OpenSeeFace, the rotation does not depend
    on the face's place in the image.
    """

    def __init__(self, pose: HeadPose, shape: Array | None = None) -> None:
        """Convert a pose.

        Args:
            pose: The head pose.
            shape: (68, 3) landmarks in the face's axes, in mm; None takes those of the mean face.
        """
        nose_tip = (mean_face() if shape is None else shape)[_NOSE]
        nose = pose.matrix @ nose_tip + pose.position_mm
        self.matrix: Array = np.diag([1.0, 1.0, -1.0]) @ _SWAPPED @ pose.matrix
        self.translation: Array = -_SWAPPED @ nose / unit_mm()

    @property
    def quaternion(self) -> Array:
        """Quaternion x, y, z, w, (4,), of the transposed matrix, as OpenSeeFace computes it.

        Both signs mean the same rotation. The sign with y ≥ 0 is chosen, because it does not jump
        for a face that looks into the camera.
        """
        values: Array = Rotation.from_matrix(self.matrix.T).as_quat()
        return -values if values[1] < 0 else values

    @property
    def euler_deg(self) -> Array:
        """Angles x, y, z, (3,), in degrees, of the matrix Rz Ry Rx.

        y lies within ±90° and the others within ±180°.
        """
        m = self.matrix
        angles = (
            np.arctan2(m[2, 1], m[2, 2]),
            np.arcsin(np.clip(-m[2, 0], -1, 1)),
            np.arctan2(m[1, 0], m[0, 0]),
        )
        return np.degrees(angles)
