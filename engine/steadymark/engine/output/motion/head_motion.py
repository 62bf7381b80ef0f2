"""How a head moves over a video: its poses and the strengths of the face's shapes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import EXPRESSIONS, HEAD_POSE
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import AS_MEASURED, apply_expression_settings
from steadymark.engine.gaze.eye_directions import eye_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import AttributeValues, Intrinsics, TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

_M = 1e-3  # per millimetre
# Signs of x, y, z, pitch, yaw and roll in a mirror, see `mirrored_pose`
_MIRRORED = np.array([-1.0, 1.0, 1.0, 1.0, -1.0, -1.0])


@dataclass(frozen=True, slots=True, eq=False)
class HeadMotion:
    """The motion of one head, in N of the T frames of a video.

    Attributes:
        name: What the person is called.
        times_s: (T,) increasing times of all frames in seconds.
        place: (N,) increasing numbers of the frames in which the head pose is known.
        pose: (N, 6) values of `HeadPose`: millimetres and radians.
        strengths: (N, 52) strengths of ARKit's `SHAPES`; NaN where they are unknown.
        identity: (M,) identity of the person's 3D face; None if it is unknown.
        camera: The camera; None if it is unknown.
        person: Number of the person; of the face if persons are not known.
    """

    name: str
    times_s: Floats
    place: Places
    pose: Floats
    strengths: Floats
    identity: Floats | None = None
    camera: Intrinsics | None = None
    person: int = 0

    @property
    def position_m(self) -> Floats:
        """(N, 3) positions in metres, in glTF's axes: x right, y up, z towards the camera."""
        return self.pose[:, :3] * (_M, -_M, -_M)

    @property
    def rotation(self) -> Floats:
        """(N, 4) unit quaternions x, y, z, w in glTF's axes; no two neighbours are opposite."""
        pitch, yaw, roll = self.pose[:, 3:].T
        around_x, around_y, around_z = (
            _quaternions(angle, axis) for axis, angle in enumerate((pitch, -yaw, -roll))
        )
        turns = _product(_product(around_x, around_y), around_z)
        flips = np.where((turns[1:] * turns[:-1]).sum(1) < 0, -1.0, 1.0)
        turns[1:] *= np.cumprod(flips)[:, None]
        return turns

    @property
    def shown_strengths(self) -> Floats:
        """(N, 52) strengths; an unknown one is the last that was known, and 0 before the first."""
        known = np.isfinite(self.strengths)
        last = np.where(known, np.arange(len(known))[:, None], -1)
        last = np.maximum.accumulate(last, axis=0)
        shown = np.take_along_axis(np.nan_to_num(self.strengths), last.clip(0), axis=0)
        return np.where(last < 0, 0.0, shown)

    @property
    def eye_rotation(self) -> Floats | None:
        """(2, N, 4) quaternions of the person's left and right eye; None if they never turn."""
        angles = eye_angles(self.shown_strengths)
        if not angles.any():
            return None
        eyes = (
            _product(_quaternions(a, 1), _quaternions(-b, 0)) for a, b in angles.transpose(1, 2, 0)
        )
        return np.stack(list(eyes))

    def with_settings(self, settings: ExpressionSettings) -> HeadMotion:
        """Return the motion of a character, see `ExpressionSettings`.

        Args:
            settings: Settings of the shapes, and whether the character is mirrored.
        """
        if settings == AS_MEASURED:
            return self
        strengths = [apply_expression_settings(row, settings) for row in self.strengths]
        pose = self.pose * _MIRRORED if settings.mirrored else self.pose
        return replace(self, pose=pose, strengths=np.array(strengths))

    def keys(self) -> tuple[Floats, Places]:
        """Return the key frames: their (K,) times in seconds, and their (K,) rows.

        Between two rows of frames that do not follow each other, the earlier one is repeated in the
        last frame between them, so that a lost face stands still until it is seen again.
        """
        held = np.flatnonzero(np.diff(self.place) > 1)
        places = np.insert(self.place, held + 1, self.place[held + 1] - 1)
        return self.times_s[places], np.insert(np.arange(len(self.place)), held + 1, held)


@dataclass(slots=True)
class _Rows:
    """What is collected of one face."""

    place: list[int] = field(default_factory=list)
    pose: list[AttributeValues] = field(default_factory=list)
    strengths: list[AttributeValues] = field(default_factory=list)
    identity: Floats | None = None
    camera: Intrinsics | None = None


class MotionCollector:
    """Collects the motion of all heads from the results of frames, in their order."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._faces: dict[int, _Rows] = {}
        self._has_face = False

    @property
    def frames(self) -> int:
        """The number of frames so far."""
        return len(self._times_s)

    @property
    def has_face(self) -> bool:
        """Whether any frame so far has a face, also one whose head pose is unknown."""
        return self._has_face

    def add(self, result: TrackResult) -> None:
        """Add the heads of a frame; a frame that is not later than the last one is left out."""
        if self._times_s and result.frame.pts_s <= self._times_s[-1]:
            return
        self._times_s.append(result.frame.pts_s)
        unknown = (float("nan"),) * len(SHAPES)
        for face in sorted(result.faces, key=lambda face: face.face_id):
            known = face.attributes
            self._has_face |= face.stabilized is not None
            pose = None if known is None else known.values.get(HEAD_POSE)
            if known is None or pose is None or not np.isfinite(pose).all():
                continue
            rows = self._faces.setdefault(face.face_id, _Rows())
            rows.place.append(len(self._times_s) - 1)
            rows.pose.append(pose)
            rows.strengths.append(known.values.get(EXPRESSIONS, unknown))
            if known.context.identity is not None:
                rows.identity = known.context.identity  # The last one is known best.
            rows.camera = known.context.camera

    def motions(self) -> list[HeadMotion]:
        """Return the motion of each face, in the order in which they are seen."""
        times_s = np.array(self._times_s)
        return [
            HeadMotion(
                f"Face {number}",
                times_s,
                np.array(rows.place),
                np.array(rows.pose),
                np.array(rows.strengths),
                rows.identity,
                rows.camera,
                number,
            )
            for number, rows in self._faces.items()
        ]


def _quaternions(angle: Floats, axis: int) -> Floats:
    """Return the (N, 4) rotations by angles (N,) around a coordinate axis."""
    turns = np.zeros((len(angle), 4))
    turns[:, axis], turns[:, 3] = np.sin(angle / 2), np.cos(angle / 2)
    return turns


def _product(one: Floats, other: Floats) -> Floats:
    """Return the products (N, 4) of quaternions."""
    a, b = one[:, :3], other[:, :3]
    v, w = one[:, 3:], other[:, 3:]
    vector = v * b + w * a + np.cross(a, b)
    scalar = v[:, 0] * w[:, 0] - (a * b).sum(1)
    return np.column_stack((vector, scalar))
