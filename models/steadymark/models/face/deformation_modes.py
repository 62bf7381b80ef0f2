"""Deformation modes: the directions in which expressions and head turns move the landmarks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from steadymark.models.face.schema import LandmarkSchema

MODES = 24
_TURN_RAD = 0.12  # radians; such a yaw or pitch counts as much as a full expression

Modes = NDArray[np.float32]


@cache
def face_modes(schema: LandmarkSchema) -> Modes:
    """Compute the deformation modes of the landmarks of an upright face.

    The modes are the principal directions of the expressions of a 3D face model (ICT-FaceKit) and
    of small turns of its neutral face. Motion by a similarity is removed from them.

    Args:
        schema: The landmark schema.

    Returns:
        (K, 2, MODES) float32, orthonormal. All values are zero if the 3D model does not have the
        landmarks of this schema.
    """
    if schema.name not in IBUG_ORDER:
        return np.zeros((schema.count, 2, MODES), np.float32)
    model = load_face_model()
    neutral = model.neutral[:LANDMARKS]
    directions = [displacements[:LANDMARKS, :2] for displacements in model.expressions.values()]
    depth = neutral[:, 2] - neutral[:, 2].mean()
    for axis in (0, 1):
        rotation = np.zeros((LANDMARKS, 2))
        rotation[:, axis] = _TURN_RAD * depth
        directions.append(rotation)
    displacements = np.stack(directions).reshape(len(directions), -1)
    displacements = (
        displacements
        - displacements @ (similarities := _similarities(neutral[:, :2])) @ similarities.T
    )
    columns = np.linalg.svd(displacements, full_matrices=False)[2][:MODES].T
    return columns.reshape(LANDMARKS, 2, MODES).astype(np.float32)


def _similarities(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis (2K, 4) of shifts in x and y, scaling and rotation."""
    centred = xy - xy.mean(0)
    ones, zeros = np.ones(len(xy)), np.zeros(len(xy))
    directions = (
        np.stack((ones, zeros), -1),
        np.stack((zeros, ones), -1),
        centred,
        np.stack((-centred[:, 1], centred[:, 0]), -1),
    )
    columns = np.stack([direction.ravel() for direction in directions], -1)
    return np.asarray(np.linalg.qr(columns)[0])
