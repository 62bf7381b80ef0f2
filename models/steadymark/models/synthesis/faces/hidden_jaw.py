"""The landmarks of the 3D scheme of a photo whose labels follow the visible edge of the face.

In the schema ibug68 the jaw's landmarks on the far side of a turned face lie on its visible edge.
In ibug68_3d they lie on the jaw, which the face hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.synthesis.faces.face_fit import JAW, fit_shape
from steadymark.models.synthesis.faces.face_model import LANDMARKS

if TYPE_CHECKING:
    from steadymark.models.synthesis.faces.face_fit import Floats

# Yaw in degrees up to which the labels of the far jaw are kept, and from which they are replaced.
# Chosen on the training half of aflw2000, whose jaws are labelled behind the edge.
_KEPT, _REPLACED = 8.0, 22.0
_TOWARDS_CHIN = np.r_[np.ones(6), 2 / 3, 1 / 3, 0.0]  # of the landmarks from the ear to the chin


def with_hidden_jaw(landmarks: Floats) -> Floats:
    """Move the far side of the jaw from the visible edge to the jaw of the fitted 3D face.

    The 3D face is fitted to all landmarks except the jaw's. The near side of the jaw keeps its
    labels, because there they lie on the jaw itself.

    Args:
        landmarks: (68, 3) landmarks of the schema ibug68 in pixels, with depth as in
            `FaceMesh.rest`.

    Returns:
        (68, 3) landmarks of the schema ibug68_3d.
    """
    shape, rotation, shift = fit_shape(landmarks[:, :2], jaw_weight=0.0)
    head = shape[:LANDMARKS] @ rotation.T
    head[:, :2] += shift
    sine = rotation[0, 2] / np.linalg.norm(rotation[0])  # positive: towards the left of the image
    yaw_deg = float(np.degrees(np.arcsin(np.clip(sine, -1, 1))))
    replaced = np.clip((abs(yaw_deg) - _KEPT) / (_REPLACED - _KEPT), 0, 1)
    share = replaced * np.r_[_TOWARDS_CHIN, np.zeros(JAW.stop - len(_TOWARDS_CHIN))]
    if yaw_deg < 0:  # then the right of the image is the far side
        share = share[::-1]
    moved: Floats = landmarks.copy()
    moved[JAW] += share[:, None] * (head[JAW] - landmarks[JAW])
    return moved
