"""How measured expressions become those of a character: gain, dead zone, curve, mirroring.

The settings apply to what is sent to other programs and to files of animations. Tables hold what
was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import EXPRESSIONS, HEAD_POSE, HeadPose, Intrinsics
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.models.choice_registry import Parameter
from steadymark.models.errors import ContentError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from steadymark.engine.core.types import TrackedFace


Floats = NDArray[np.float64]
_ANY_CAMERA = Intrinsics(640, 480)  # poses of tables have none, and characters need none
PARAMETERS = (
    Parameter(
        "gain",
        UserText("Gain"),
        1.0,
        0.0,
        5.0,
        0.05,
        help=UserText("Factor of the strength. Results above 1 are 1."),
    ),
    Parameter(
        "dead_zone",
        UserText("Dead zone"),
        0.0,
        0.0,
        0.9,
        0.01,
        help=UserText("Strengths up to this one become 0, and the others begin there."),
    ),
    Parameter(
        "curve",
        UserText("Curve"),
        1.0,
        0.25,
        4.0,
        0.05,
        help=UserText("Exponent: above 1, weak expressions become weaker; below 1, stronger."),
    ),
)


@dataclass(frozen=True, slots=True)
class ShapeSettings:
    """How the strength of one shape is changed, see `apply_expression_settings` and `PARAMETERS`.

    Attributes:
        gain: Factor of the strength.
        dead_zone: Strengths up to this one become 0, and the others are stretched to 0 … 1.
        curve: Exponent of the strength: above 1, small expressions become smaller; below 1, larger.

    Raises:
        UsageError: A value is no number, or outside of its range in `PARAMETERS`.
    """

    gain: float = 1.0
    dead_zone: float = 0.0
    curve: float = 1.0

    def __post_init__(self) -> None:
        for parameter in PARAMETERS:
            parameter.checked(getattr(self, parameter.name), "a shape")


UNCHANGED = ShapeSettings()


@dataclass(frozen=True, slots=True)
class ExpressionSettings:
    """The settings of all shapes.

    Attributes:
        shapes: The settings of each shape, in the order of `SHAPES`.
        mirrored: Whether the character is a mirror image of the person: left and right shapes are
            exchanged, and the head moves and turns to the other side.
    """

    shapes: tuple[ShapeSettings, ...] = (UNCHANGED,) * len(SHAPES)
    mirrored: bool = False

    def __post_init__(self) -> None:
        if len(self.shapes) != len(SHAPES):
            raise ContentError(
                "{found} settings for {wanted} shapes", found=len(self.shapes), wanted=len(SHAPES)
            )

    def of(self, name: str) -> ShapeSettings:
        """Return the settings of the shape of this name."""
        return self.shapes[SHAPES.index(name)]

    def with_shape(self, name: str, settings: ShapeSettings) -> ExpressionSettings:
        """Return the same settings with others for one shape."""
        place = SHAPES.index(name)
        return replace(self, shapes=(*self.shapes[:place], settings, *self.shapes[place + 1 :]))


AS_MEASURED = ExpressionSettings()


def apply_expression_settings(strengths: ArrayLike, settings: ExpressionSettings) -> Floats:
    """Return the strengths of a character's shapes from those of a person.

    With the strength s of a shape, its dead zone d, curve c and gain g, the result is
    g · max(0, (s − d) / (1 − d))^c, limited to 1. The settings are those of the person's shapes: if
    they are mirrored, the results of left and right are exchanged afterwards.

    Args:
        strengths: (52,) strengths of `SHAPES`, 0 to 1; NaN where one is unknown.
        settings: The settings.

    Returns:
        (52,) strengths of `SHAPES`, 0 to 1; NaN where one is unknown.
    """
    gain, dead_zone, curve = _columns(settings.shapes)
    changed = _changed(np.asarray(strengths, np.float64), gain, dead_zone, curve)
    return changed[_MIRROR] if settings.mirrored else changed


def changed_strength(strengths: Floats, settings: ShapeSettings) -> Floats:
    """Return several strengths of one shape with its settings, as `apply_expression_settings`."""
    return _changed(strengths, settings.gain, settings.dead_zone, settings.curve)


def _changed(
    strengths: Floats, gain: Floats | float, dead_zone: Floats | float, curve: Floats | float
) -> Floats:
    clear = ((strengths - dead_zone) / (1 - dead_zone)).clip(0, 1)
    changed: Floats = (gain * clear**curve).clip(0, 1)
    return changed


def mirrored_pose(pose: HeadPose) -> HeadPose:
    """Return the pose of the head in a mirror: x, yaw and roll have the other sign.

    A reflection M = diag(−1, 1, 1) of both the camera's and the face's axes turns R = Rx Ry Rz into
    M R M, which has the angles Rx, −Ry and −Rz.
    """
    (x, y, z), (pitch, yaw, roll) = pose.position_mm, pose.rotation_rad
    return HeadPose((-x, y, z), (pitch, -yaw, -roll), pose.camera)


def applied_pose(pose: HeadPose, settings: ExpressionSettings) -> HeadPose:
    """Return the pose of the character's head."""
    return mirrored_pose(pose) if settings.mirrored else pose


class CharacterFace(NamedTuple):
    """What a character shows: the strengths (52,) of `SHAPES`, and the pose of its head."""

    shapes: Floats
    pose: HeadPose


def character_face(face: TrackedFace, settings: ExpressionSettings) -> CharacterFace | None:
    """Return what a character shows of a person's face.

    Args:
        face: The tracked face.
        settings: The settings.

    Returns:
        Strengths from 0 to 1, which are 0 where they are unknown, and the pose; None if the face
            has no expressions or no pose.
    """
    known = face.attributes
    if known is None or HEAD_POSE not in known.values or EXPRESSIONS not in known.values:
        return None
    pose = HeadPose.of_values(known.values[HEAD_POSE], known.context.camera or _ANY_CAMERA)
    if pose is None:
        return None
    strengths = known.values[EXPRESSIONS]
    shapes = np.nan_to_num(apply_expression_settings(strengths, settings), nan=0.0)
    return CharacterFace(shapes, applied_pose(pose, settings))


def other_side(name: str) -> str:
    """Return the name of the shape of the other side; a shape without sides is its own."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


_MIRROR = [SHAPES.index(other_side(name)) for name in SHAPES]


@lru_cache(maxsize=8)
def _columns(shapes: Sequence[ShapeSettings]) -> tuple[Floats, Floats, Floats]:
    """Return the (52,) gains, dead zones and curves."""
    table = np.array([(each.gain, each.dead_zone, each.curve) for each in shapes])
    return table[:, 0], table[:, 1], table[:, 2]
