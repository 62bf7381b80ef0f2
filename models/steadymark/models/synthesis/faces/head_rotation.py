"""Face profiling: the photo of a face with its head turned, by a 3D face fitted to its landmarks.

After Zhu et al. 2016 (3DDFA, Section 4): the picture round the face is part of the mesh, so that
the turned head has a background without holes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.synthesis.faces.face_fit import MOVEMENTS
from steadymark.models.synthesis.faces.face_mesh import face_mesh
from steadymark.models.synthesis.faces.face_model import LANDMARKS
from steadymark.models.synthesis.faces.mesh_warp import backward_map

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points


def turn_head(
    image: Image, points: Points, yaw_deg: float, pitch_deg: float
) -> tuple[Image, Points]:
    """Turn the head of a photo.

    Args:
        image: (H, W, 3) uint8.
        points: (68, 2) iBUG landmarks in its pixels.
        yaw_deg: to the right of the picture, in addition to the photo's own yaw.
        pitch_deg: downwards, likewise.

    Returns:
        The picture of the same size, and the landmarks (68, 2) in it. A landmark that the turned
        head hides lies on the nearest one that is seen, so that the extent is that of the visible
        face.
    """
    mesh = face_mesh(points)
    turned = mesh.turned(np.zeros(len(MOVEMENTS)), yaw_deg, pitch_deg)
    places, sources = turned[:, :2], mesh.rest[:, :2]
    inner, skin = mesh.triangles[: mesh.inside], mesh.triangles[mesh.inside :]
    skin = skin[np.argsort(-turned[skin, 2].mean(1), kind="stable")]
    triangles = np.concatenate((inner, skin))
    height, width = image.shape[:2]
    shown = backward_map(places[triangles], sources[triangles], (width, height))
    picture = cv2.remap(image, shown[0], shown[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    found = places[:LANDMARKS].copy()
    hidden = mesh.turned_away(places)
    if not hidden.all():
        away = np.linalg.norm(found[hidden][:, None] - found[~hidden], axis=-1)
        found[hidden] = found[~hidden][away.argmin(1)] if hidden.any() else found[hidden]
    return picture.astype(np.uint8, copy=False), found.astype(np.float32)
