"""The columns of OpenFace's table that come from the fitted 3D face.

OpenFace's point distribution model has six rigid parameters and 34 of shape. The rigid ones are
those of a weak perspective: x = p_scale R X + (p_tx, p_ty), where X are the 3D landmarks in
millimetres and R = Rx Ry Rz of p_rx, p_ry and p_rz (Baltrušaitis, "Automatic facial expression
analysis", 2014, section 4.2). They mean the same for any 3D face. The parameters of shape are
weights of the modes of OpenFace's own model, which other models do not have, so that no table of
Steadymark has columns p_0 to p_33.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import fitted_face
from steadymark.engine.core.rotations import euler_angles
from steadymark.engine.face3d.parallel_projection import pose_under_parallel_projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.types import FaceContext, Landmarks, TrackedFace

    Floats = NDArray[np.float64]

PARAMETERS = ("p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty")
DECIMALS_3D, DECIMALS_PARAMETERS = 1, 3  # as OpenFace writes them


def values_3d(face: TrackedFace, points: int) -> Floats:
    """Return the 3D landmarks and the rigid parameters of a face.

    The face is fitted again if it does not hold its fit, as faces that were read from a table.

    Args:
        face: The face.
        points: Number of landmarks K.

    Returns:
        (3 K + 6,) x of all landmarks, y of all, z of all, in millimetres and the camera's axes,
        then `PARAMETERS`. All are NaN if the 3D face is unknown.
    """
    unknown = np.full(3 * points + len(PARAMETERS), np.nan)
    if face.stabilized is None or face.attributes is None:
        return unknown
    context = face.attributes.context
    fit = context.fit or fitted_face(face.stabilized, context)
    if fit is None:
        return unknown
    xyz = fit.shape @ fit.rotation.T + fit.position
    return np.concatenate((xyz.T.ravel(), _rigid_parameters(face.stabilized, context, fit)))


def _rigid_parameters(landmarks: Landmarks, context: FaceContext, fit: FaceFit) -> Floats:
    """Return the (6,) `PARAMETERS` of the shape under a weak perspective."""
    unknown = np.full(len(PARAMETERS), np.nan)
    xy = landmarks.xy_px.astype(np.float64)
    if context.camera is None or not np.isfinite(xy).all():
        return unknown
    focal, centre = context.camera.focal, context.camera.matrix[:2, 2]
    found = pose_under_parallel_projection(fit.shape, xy - centre, np.ones(len(xy)), focal)
    if found is None:
        return unknown
    rotation, position = found[:2]
    scale = focal / (position + rotation @ fit.shape.mean(0))[2]  # pixels per millimetre
    return np.array([scale, *euler_angles(rotation), *(scale * position[:2] + centre)])
