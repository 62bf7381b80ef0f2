"""Gaze: the line of sight of the eyes of a fitted face.

The axis of an eye goes from the centre of the eyeball to the pupil. The line of sight is turned
from it towards the nose by the angle kappa, since the fovea lies beside the axis.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.gaze import Gaze, GazeCalibration
from steadymark.engine.gaze.eyeballs import RADIUS_MM, eye_centres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.pupils import Pupils
    from steadymark.engine.core.types import Intrinsics, Landmarks
    from steadymark.engine.face3d.face_basis import Floats

# Mean angle kappa of people (Guestrin and Eizenman, 2006).
KAPPA_DEG = 5.0
AVERAGE_PERSON = GazeCalibration("", offset_deg=((KAPPA_DEG, 0.0), (-KAPPA_DEG, 0.0)))
# A pupil that lies farther from the eyeball's centre, in radii, is not that of this eye.
_FARTHEST = 1.5
# Each eye faces outwards by this angle, and is hidden by the nose or the temple if it is turned
# away from the camera by more than the other.
_OUTWARDS, _LEAST_COSINE = math.radians(20.0), math.cos(math.radians(75.0))
_UNKNOWN = (math.nan,) * 3


def gaze_of(
    fit: FaceFit,
    points: Landmarks,
    pupils: Pupils,
    camera: Intrinsics,
    calibration: GazeCalibration | None = None,
) -> Gaze:
    """Return where the eyes look.

    Args:
        fit: The 3D face.
        points: The 68 landmarks that it was fitted to.
        pupils: The pupils.
        camera: The camera.
        calibration: The person's correction; None for that of the average person.

    Returns:
        The gaze; it is unknown for an eye whose pupil is not seen, whose pupil does not lie on its
        eyeball, or that the turned head hides.
    """
    centres = eye_centres(fit, points, camera)
    directions = directions_to_pupils(pupils.xy_px, centres, camera)
    directions[_hidden_eyes(fit, centres)] = np.nan
    in_head = AVERAGE_PERSON.corrected(directions @ fit.rotation)
    if calibration is not None:
        in_head = calibration.corrected(in_head)
    return Gaze(centres, in_head @ fit.rotation.T, in_head)


def directions_to_pupils(
    xy_px: Floats, centres_mm: Floats, camera: Intrinsics, radius_mm: float = RADIUS_MM
) -> Floats:
    """Return the directions from the centres of eyeballs to the pupils on their near side.

    A ray that passes beside the eyeball is taken to the place where it passes closest.

    Args:
        xy_px: (2, 2) pupils in pixels; NaN if unknown.
        centres_mm: (2, 3) centres in the camera's axes.
        camera: The camera.
        radius_mm: Distance of the pupils from the centres.

    Returns:
        (2, 3) unit vectors in the camera's axes; NaN if the pupil is unknown or too far away.
    """
    middle, focal = ((camera.width - 1) / 2, (camera.height - 1) / 2), camera.focal
    return np.array(
        [
            _direction((x - middle[0]) / focal, (y - middle[1]) / focal, centre, radius_mm)
            for (x, y), centre in zip(xy_px.tolist(), centres_mm.tolist(), strict=True)
        ]
    )


def _direction(
    across: float, down: float, centre: Sequence[float], radius_mm: float
) -> tuple[float, float, float]:
    """Return the direction of one eye; numbers are faster than arrays for one vector.

    Args:
        across: Place of the pupil to the right of the camera's axis, at a distance of 1.
        down: Place of the pupil below that axis, at a distance of 1.
        centre: x, y and z of the centre of the eyeball.
        radius_mm: Distance of the pupil from the centre.
    """
    size = math.sqrt(across * across + down * down + 1.0)
    ray = (across / size, down / size, 1.0 / size)
    along = ray[0] * centre[0] + ray[1] * centre[1] + ray[2] * centre[2]
    # The foot of the perpendicular, from the centre.
    x, y, z = (along * ray[axis] - centre[axis] for axis in range(3))
    apart = x * x + y * y + z * z
    if not apart <= (_FARTHEST * radius_mm) ** 2:
        return _UNKNOWN
    inside = math.sqrt(max(0.0, radius_mm * radius_mm - apart))
    x, y, z = x - inside * ray[0], y - inside * ray[1], z - inside * ray[2]
    size = math.sqrt(x * x + y * y + z * z)
    return (x / size, y / size, z / size)


def _hidden_eyes(fit: FaceFit, centres: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return (2,) whether each eye is turned too far from the camera to be seen."""
    forward, right = (-fit.rotation[:, 2]).tolist(), fit.rotation[:, 0].tolist()
    hidden = []
    for outwards, centre in zip((-_OUTWARDS, _OUTWARDS), centres.tolist(), strict=True):
        cosine = sum(
            -axis * (math.cos(outwards) * ahead + math.sin(outwards) * aside)
            for axis, ahead, aside in zip(centre, forward, right, strict=True)
        ) / math.hypot(*centre)
        hidden.append(cosine < _LEAST_COSINE)
    return np.array(hidden)
