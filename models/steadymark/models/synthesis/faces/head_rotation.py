"""Face profiling: rotate the head of a photo with a 3D face that is fitted to its landmarks.

The method follows Zhu et al. 2016 (3DDFA, Section 4). The image around the face is part of the
mesh, so the background of the rotated head has no holes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.synthesis.faces.face_fit import MOVEMENTS
from steadymark.models.synthesis.faces.face_mesh import face_mesh
from steadymark.models.synthesis.faces.face_model import LANDMARKS
from steadymark.models.synthesis.faces.hidden_jaw import with_hidden_jaw
from steadymark.models.synthesis.faces.mesh_warp import backward_map

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.synthesis.faces.face_mesh import FaceMesh, Floats


def turn_head(
    image: Image, points: Points, yaw_deg: float, pitch_deg: float
) -> tuple[Image, Points]:
    """Rotate the head of a photo.

    Args:
        image: (H, W, 3) uint8.
        points: (68, 2) iBUG landmarks in pixels of the image.
        yaw_deg: Yaw in degrees to add, positive to the right of the image.
        pitch_deg: Pitch in degrees to add, positive downwards.

    Returns:
        The image of the same size, and its landmarks (68, 2). A landmark that the rotated head
        hides is moved to the nearest visible one, so that the landmarks' extent is that of the
        visible face.
    """
    mesh = face_mesh(points)
    rotated, places = _turned_photo(image, mesh, yaw_deg, pitch_deg)
    landmarks = places[:LANDMARKS].copy()
    hidden = mesh.hidden_landmarks(places)
    if not hidden.all():
        distances = np.linalg.norm(landmarks[hidden][:, None] - landmarks[~hidden], axis=-1)
        landmarks[hidden] = (
            landmarks[~hidden][distances.argmin(1)] if hidden.any() else landmarks[hidden]
        )
    return rotated, landmarks.astype(np.float32)


def turn_head_3d(
    image: Image, points: Points, yaw_deg: float, pitch_deg: float
) -> tuple[Image, Points]:
    """Rotate the head of a photo as `turn_head` does, and return the landmarks of ibug68_3d.

    Args:
        image: (H, W, 3) uint8.
        points: (68, 2) iBUG landmarks in pixels of the image.
        yaw_deg: Yaw in degrees to add, positive to the right of the image.
        pitch_deg: Pitch in degrees to add, positive downwards.

    Returns:
        The image of the same size, and the landmarks (68, 2) of the rotated 3D head, whether it
        shows or hides them.
    """
    mesh = face_mesh(points)
    rotated, _ = _turned_photo(image, mesh, yaw_deg, pitch_deg)
    landmarks = mesh.turned(with_hidden_jaw(mesh.rest[:LANDMARKS]), yaw_deg, pitch_deg)
    return rotated, landmarks[:, :2].astype(np.float32)


def _turned_photo(
    image: Image, mesh: FaceMesh, yaw_deg: float, pitch_deg: float
) -> tuple[Image, Floats]:
    """Return the photo of the turned mesh, and its nodes (N, 2) in pixels."""
    nodes = mesh.turned_nodes(np.zeros(len(MOVEMENTS)), yaw_deg, pitch_deg)
    places, sources = nodes[:, :2], mesh.rest[:, :2]
    inner, skin = mesh.triangles[: mesh.inside], mesh.triangles[mesh.inside :]
    skin = skin[np.argsort(-nodes[skin, 2].mean(1), kind="stable")]
    triangles = np.concatenate((inner, skin))
    height, width = image.shape[:2]
    source_map = backward_map(places[triangles], sources[triangles], (width, height))
    rotated = cv2.remap(
        image, source_map[0], source_map[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return rotated.astype(np.uint8, copy=False), places
