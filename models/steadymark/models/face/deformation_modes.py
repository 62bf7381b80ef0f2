"""How landmarks of a face move together: the directions of expressions and turns in depth."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from steadymark.models.face.schema import LandmarkSchema

MODES = 24
_TURN = 0.12  # radians of yaw and pitch that are as common as a full expression

Modes = NDArray[np.float32]


@cache
def face_modes(schema: LandmarkSchema) -> Modes:
    """Orthonormal directions (K, 2, MODES): motion of an upright face beside any similarity.

    They come from the expressions of a 3D face model (ICT-FaceKit), which move both sides of the
    face by themselves and together, and from small turns of its neutral face. All zero for a schema
    whose landmarks the model does not have.
    """
    if schema.count != LANDMARKS or schema.name != "ibug68":
        return np.zeros((schema.count, 2, MODES), np.float32)
    rows = load_face_model()
    neutral = rows.neutral[:LANDMARKS]
    flat = [moves[:LANDMARKS, :2] for moves in rows.expressions.values()]
    depth = neutral[:, 2] - neutral[:, 2].mean()
    for axis in (0, 1):
        turn = np.zeros((LANDMARKS, 2))
        turn[:, axis] = _TURN * depth
        flat.append(turn)
    moves = np.stack(flat).reshape(len(flat), -1)
    moves = moves - moves @ (similarities := _similarities(neutral[:, :2])) @ similarities.T
    columns = np.linalg.svd(moves, full_matrices=False)[2][:MODES].T
    return columns.reshape(LANDMARKS, 2, MODES).astype(np.float32)


def _similarities(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns (2K, 4): shift in x and y, growth and roll."""
    centred = xy - xy.mean(0)
    ones, zeros = np.ones(len(xy)), np.zeros(len(xy))
    directions = (
        np.stack((ones, zeros), -1),
        np.stack((zeros, ones), -1),
        centred,
        np.stack((-centred[:, 1], centred[:, 0]), -1),
    )
    flat = np.stack([d.ravel() for d in directions], -1)
    return np.asarray(np.linalg.qr(flat)[0])
