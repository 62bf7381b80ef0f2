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
_OUTWARDS_DEG, _HIDDEN_DEG = 20.0, 75.0


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
    rays = np.ones((2, 3))
    rays[:, :2] = (xy_px - camera.matrix[:2, 2]) / camera.focal
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    along = (rays * centres_mm).sum(1, keepdims=True)
    nearest = along * rays - centres_mm  # the foot of the perpendicular, from the centre
    apart = (nearest * nearest).sum(1, keepdims=True)
    inside = np.sqrt((radius_mm**2 - apart).clip(0))
    towards = nearest - inside * rays
    directions: Floats = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    directions[~(apart[:, 0] <= (_FARTHEST * radius_mm) ** 2)] = np.nan
    return directions


def _hidden_eyes(fit: FaceFit, centres: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return (2,) whether each eye is turned too far from the camera to be seen."""
    angle = math.radians(_OUTWARDS_DEG)
    ahead = np.array([[-math.sin(angle), 0.0, -math.cos(angle)]] * 2)
    ahead[1, 0] *= -1
    to_camera = -centres / np.linalg.norm(centres, axis=1, keepdims=True)
    cosine = ((ahead @ fit.rotation.T) * to_camera).sum(1)
    return np.asarray(cosine < math.cos(math.radians(_HIDDEN_DEG)))
