"""The part of a 3D face model that scenes need: its landmarks and some points between them.

The file is derived from the ICT-FaceKit model (Copyright (c) 2020 USC Institute for Creative
Technologies, MIT licence) by this command:

        python -m steadymark.models.synthesis.faces.face_model FOLDER/ict_face_model.npz
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.schema import assets_root

Floats = NDArray[np.float64]
SOURCE = "ICT-FaceKit, https://github.com/ICT-VGL/ICT-FaceKit, Copyright (c) 2020 USC ICT, MIT"
LANDMARKS = 68
_IDENTITIES, _OTHER_POINTS = (
    30,
    110,
)  # number of identity modes, and of points besides the landmarks
_STEP_CM = 0.002  # resolution of the stored coordinates


@dataclass(frozen=True, slots=True, eq=False)
class FaceModel:
    """Vertices and modes of the model, in centimetres: x right in the image, y down, z away.

    Attributes:
        neutral: (n, 3) neutral face; the first 68 points are the iBUG landmarks.
        normals: (n, 3) unit normals that point outwards.
        identity: (m, n, 3) displacement of one standard deviation of each identity mode.
        expressions: Name of each expression and its displacement (n, 3) at full strength.
    """

    neutral: Floats
    normals: Floats
    identity: Floats
    expressions: dict[str, Floats]


def face_model_path() -> Path:
    """Return the path of the model file."""
    return assets_root() / "schemas" / "face3d" / "ict_rows.npz"


@cache
def load_face_model() -> FaceModel:
    """Load the model, converted to the camera's axes."""
    axes = np.array([1.0, -1.0, -1.0])
    with np.load(face_model_path()) as data:
        step = float(data["step_cm"])
        names = [str(name) for name in data["expression_names"]]
        moves = data["expression"] * step * axes
        return FaceModel(
            data["neutral"] * step * axes,
            data["normals"] / 100 * axes,
            data["identity"] * step * axes,
            dict(zip(names, moves, strict=True)),
        )


def choose_vertices(model: Path) -> dict[str, NDArray[np.generic]]:
    """Select vertices and modes of the whole model, and return the arrays of the model file."""
    with np.load(model) as data:
        neutral = data["neutral"].astype(np.float64)
        normals = vertex_normals(neutral, data["triangles"])
        chosen = _choose_by_distance(neutral, normals, data["landmarks68"])
        step = float(data["step_cm"]) / _STEP_CM
        moves = np.rint(data["expression"][:, chosen] * step)
        used = np.abs(moves).max((1, 2)) > 0
        modes = np.rint(data["identity"][:_IDENTITIES, chosen] * step)
        return {
            "source": np.array(SOURCE),
            "step_cm": np.array(_STEP_CM),
            "vertices": chosen.astype(np.int32),
            "neutral": np.rint(neutral[chosen] / _STEP_CM).astype(np.int16),
            "normals": np.rint(normals[chosen] * 100).astype(np.int8),
            "identity": modes.astype(np.int16),
            "expression": moves[used].astype(np.int16),
            "expression_names": data["expression_names"][used],
        }


def vertex_normals(xyz: Floats, triangles: NDArray[np.integer]) -> Floats:
    """Return the unit normals (n, 3), the area-weighted means of a vertex's triangles."""
    a, b, c = (xyz[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(xyz)
    for i in range(3):
        np.add.at(normals, triangles[:, i], faces)
    unit: Floats = normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    return unit


def _choose_by_distance(
    xyz: Floats, normals: Floats, landmarks: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return the landmarks, then vertices on the front of the face by farthest point sampling."""
    x, y, z = xyz.T
    front = (normals[:, 2] > 0.2) & (np.abs(x) < 7.6) & (y > -9) & (y < 10.5) & (z > 3)
    unhidden = _is_unhidden(xyz, front)
    allowed = np.flatnonzero(front & unhidden)
    chosen = [int(i) for i in landmarks]
    distance = np.linalg.norm(xyz[allowed, None] - xyz[chosen], axis=-1).min(1)
    for _ in range(_OTHER_POINTS):
        best = int(allowed[distance.argmax()])
        chosen.append(best)
        distance = np.minimum(distance, np.linalg.norm(xyz[allowed] - xyz[best], axis=-1))
    return np.array(chosen)


def _is_unhidden(xyz: Floats, front: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the front vertices that no nearby vertex hides, with a depth tolerance of 0.5 cm."""
    unhidden = np.ones(len(xyz), bool)
    near = xyz[front]
    for i in np.flatnonzero(front):
        is_close = np.abs(near[:, :2] - xyz[i, :2]).max(1) < 0.35
        unhidden[i] = near[is_close, 2].max() - xyz[i, 2] < 0.5
    return unhidden


if __name__ == "__main__":
    np.savez_compressed(face_model_path(), **choose_vertices(Path(sys.argv[1])))  # type: ignore[arg-type]
