"""The head pose: position and rotation of the fitted 3D face, see `HeadPose`."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.rotations import euler_angles
from steadymark.engine.core.types import HeadPose
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import follow_identity
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.types import Intrinsics, Landmarks

Array = NDArray[np.float64]


@cache
def mean_face() -> Array:
    """Return the (68, 3) landmarks in iBUG's order of an average adult face, in millimetres.

    The face looks into the camera. x points right, y down and z away from the camera; the mean of
    all landmarks is 0.
    """
    path = assets_root() / "schemas" / "face3d" / "ibug68.json"
    points = np.array(json.loads(path.read_text(encoding="utf-8"))["points"]) * (1, -1, -1)
    centred: Array = points - points.mean(0)
    return centred


def head_pose(points: Landmarks, camera: Intrinsics) -> HeadPose | None:
    """Estimate the pose of a face that was never seen before.

    Identity, expression and pose of the 3D face are fitted together. A tracker knows the identity
    from earlier frames, so that its poses are more exact.

    Args:
        points: 68 landmarks in iBUG's order.
        camera: The camera.

    Returns:
        The pose, or None if there are too few finite landmarks or no pose fits.
    """
    identity = follow_identity(None, points, camera, 0.0)
    fit = None if identity is None else fit_face(points, camera, identity.used)
    return None if fit is None else pose_of(fit, camera)


def pose_of(fit: FaceFit, camera: Intrinsics) -> HeadPose:
    """Return the pose of a fitted 3D face.

    Args:
        fit: The fitted face.
        camera: The camera that it was fitted with.
    """
    x, y, z = fit.position.tolist()
    return HeadPose((x, y, z), euler_angles(fit.rotation), camera)
