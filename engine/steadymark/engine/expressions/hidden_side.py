"""The side of a turned face that the camera does not see."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.expressions.arkit import SHAPES, arkit_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.gaze import Gaze
    from steadymark.engine.face3d.face_basis import Floats

# From this angle on, landmarks of the far side are guesses of the network: their errors are three
# times those of the near side (docs/decisions/face3d.md).
HIDDEN_FROM_DEG = 55.0
# Shapes that move the whole mouth or jaw to a side.
_OF_BOTH_SIDES = {f"{part}{side}" for part in ("jaw", "mouth") for side in ("Left", "Right")}


def seen_from_deg(fit: FaceFit) -> float:
    """Return the horizontal angle from which the camera sees a face.

    Args:
        fit: The fitted face.

    Returns:
        The angle in degrees: 0 from the front, positive if the person's right side is the far one.
    """
    x, _, z = (fit.position @ fit.rotation).tolist()  # from the camera to the face, in its axes
    return math.degrees(math.atan2(-x, z))


def without_hidden_side(shapes: Floats, fit: FaceFit) -> Floats:
    """Replace the shapes of the side that is hidden by NaN.

    Args:
        shapes: (52,) strengths of `arkit.SHAPES`.
        fit: The fitted face.

    Returns:
        (52,) the strengths that are known.
    """
    angle_deg = seen_from_deg(fit)
    if abs(angle_deg) < HIDDEN_FROM_DEG:
        return shapes
    return np.where(_side("Right" if angle_deg > 0 else "Left"), np.nan, shapes)


@lru_cache(maxsize=8)
def seen_shapes(fit: FaceFit, gaze: Gaze | None = None) -> Floats:
    """Return the strengths of the shapes that the camera sees, once for all attributes of a face.

    Args:
        fit: The fitted face.
        gaze: Where the eyes look; None if it is unknown.

    Returns:
        (52,) strengths of `arkit.SHAPES`, which cannot be changed; NaN where one is unknown.
    """
    shapes = without_hidden_side(arkit_shapes(fit.expression, gaze), fit)
    shapes.setflags(write=False)
    return shapes


@cache
def _side(side: str) -> NDArray[np.bool_]:
    """Return (52,) which shapes are those of one side of the face."""
    return np.array([name.endswith(side) and name not in _OF_BOTH_SIDES for name in SHAPES])
