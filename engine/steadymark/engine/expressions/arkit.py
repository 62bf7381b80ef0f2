"""ARKit's 52 face shapes, from the expressions and the gaze of a fitted 3D face."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.face3d.face_basis import face_basis
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.gaze import Gaze
    from steadymark.engine.face3d.face_basis import Floats

_EYES = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")


def _sided(*names: str) -> tuple[str, ...]:
    return tuple(name + side for name in names for side in ("Left", "Right"))


# The names in the order of Live Link Face. Left is the person's left.
SHAPES = (
    *(f"eye{what}{side}" for side in ("Left", "Right") for what in _EYES),
    *("jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthRight", "mouthLeft"),
    *_sided("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *_sided("mouthPress", "mouthLowerDown", "mouthUpperUp"),
    *(*_sided("browDown"), "browInnerUp", *_sided("browOuterUp")),
    *("cheekPuff", *_sided("cheekSquint", "noseSneer"), "tongueOut"),
)
# Horizontal and vertical angles of the gaze at which the shapes of the eyes have full strength.
LOOK_FULL_DEG = (35.0, 30.0)
# The shapes of the gaze: which angle of `gaze_angles` moves them, and in which direction, for the
# person's right eye and left eye.
_LOOKS = {"Down": (1, 1, 1), "Up": (1, -1, -1), "Out": (0, -1, 1), "In": (0, 1, -1)}
LOOK_SHAPES = tuple(f"eyeLook{what}{side}" for side in ("Right", "Left") for what in _LOOKS)


def arkit_shapes(expression: Floats, gaze: Gaze | None = None) -> Floats:
    """Return the strengths of ARKit's shapes.

    Strengths below the dead zone of a shape, which neutral faces reach, are 0; the others are
    stretched to 0 … 1. Jaw and mouth move to one side only, by the difference of both strengths.
    Shapes that landmarks do not show are 0: `unseen_shapes` names them.

    Args:
        expression: (E,) strengths of `FaceBasis.names`.
        gaze: The gaze; None if it is unknown.

    Returns:
        (52,) strengths of `SHAPES`, 0 to 1. Those of `LOOK_SHAPES` are NaN for an eye whose gaze is
        unknown.
    """
    zones = _dead_zones()
    clear = ((expression - zones) / (1 - zones)).clip(0, 1)
    strengths: Floats = shape_shares() @ clear
    left, right = _sideways_places()
    strengths[left], strengths[right] = (
        (strengths[left] - strengths[right]).clip(0),
        (strengths[right] - strengths[left]).clip(0),
    )
    strengths[_look_places()] = math.nan if gaze is None else look_shapes(gaze)
    return strengths


def look_shapes(gaze: Gaze) -> Floats:
    """Return the (8,) strengths of `LOOK_SHAPES`, NaN for an eye whose gaze is unknown.

    They are proportional to the angles of each eye relative to the head, and reach 1 at
    `LOOK_FULL_DEG`.
    """
    strengths = []
    for eye, (x, y, z) in enumerate(gaze.head_directions.tolist()):
        shares = [
            math.degrees(math.atan2(along, -z)) / full
            for along, full in zip((x, y), LOOK_FULL_DEG, strict=True)
        ]
        signed = [signs[eye] * shares[axis] for axis, *signs in _LOOKS.values()]
        strengths += [min(max(share, 0.0), 1.0) for share in signed]  # NaN stays NaN
    return np.array(strengths)


@cache
def _sideways_places() -> tuple[list[int], list[int]]:
    """Return the places of the shapes that move jaw and mouth to the left, and to the right."""
    parts = ("jaw", "mouth")
    left, right = ([SHAPES.index(part + side) for part in parts] for side in ("Left", "Right"))
    return left, right


@cache
def _look_places() -> list[int]:
    return [SHAPES.index(name) for name in LOOK_SHAPES]


@cache
def unseen_shapes() -> tuple[str, ...]:
    """Return the names of the shapes that nothing shows, whose strength is always 0."""
    seen = np.asarray(shape_shares().any(1))
    seen[_look_places()] = True
    return tuple(name for name, is_seen in zip(SHAPES, seen, strict=True) if not is_seen)


def dead_zones_path() -> Path:
    """Return the path of the dead zones of expressions (`app/tools/data_statistics`)."""
    return assets_root() / "schemas" / "face3d" / "dead_zones.json"


@cache
def _dead_zones() -> Floats:
    """Return the (E,) strengths that neutral faces reach."""
    zones = json.loads(dead_zones_path().read_text(encoding="utf-8"))
    return np.array([float(zones.get(name, 0.0)) for name in face_basis().names])


@cache
def shape_shares() -> Floats:
    """Return the (52, E) shares of the expressions in the shapes."""
    shares = np.zeros((len(SHAPES), len(face_basis().names)))
    for place, name in enumerate(face_basis().names):
        whole = name.replace("_L", "Left").replace("_R", "Right")
        if whole in SHAPES:
            shares[SHAPES.index(whole), place] = 1
        else:  # browInnerUp: ARKit has one for both sides
            shares[SHAPES.index(name[:-2]), place] = 0.5
    return shares
