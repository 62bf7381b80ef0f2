"""The mesh of the 3D face that is shown and exported: its vertices, triangles, eyes and shapes.

The file is derived from the ICT-FaceKit model (Copyright (c) 2020 USC Institute for Creative
Technologies, MIT licence) by `app/tools/data_statistics/reduce_face_mesh.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.expressions.arkit import SHAPES
from steadymark.models.face.schema import assets_root
from steadymark.models.synthesis.faces.face_model import LANDMARKS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.face3d.face_basis import Floats

    Triangles = NDArray[np.int64]

_MM = 10.0  # per centimetre, the unit of the file
_MOUTH_DEPTH_MM = 25.0  # distance of the dark inside of the mouth behind the lips
EYES = ("left", "right")  # the person's


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """The head of a person: neutral + identity · w + shapes · s, in millimetres.

    The axes are those of glTF: x to the person's left, y up, z out of the face. The origin is the
    position of `HeadPose`, the mean of the average face's landmarks.

    Attributes:
        neutral: (V, 3) vertices of the average adult at rest; the first 68 are the landmarks of
            iBUG, and the last one is the bottom of the mouth.
        skin: (T, 3) triangles, counter-clockwise from outside.
        mouth: (M, 3) triangles of the dark inside of the mouth.
        identity: (30, V, 3) displacement by one standard deviation of each identity mode.
        shapes: (52, V, 3) displacement by each of ARKit's `SHAPES` at full strength.
        eye_centres: (2, 3) centres of the person's left and right eyeball.
        eye_identity: (30, 2, 3) displacement of the centres by the identity modes.
        eye_radius: Radius of the eyeballs.
    """

    neutral: Floats
    skin: Triangles
    mouth: Triangles
    identity: Floats
    shapes: Floats
    eye_centres: Floats
    eye_identity: Floats
    eye_radius: float

    def normals(self, vertices: Floats) -> Floats:
        """Return the unit normals of moved or turned vertices, (V, 3), which point outwards.

        Args:
            vertices: (V, 3) vertices.
        """
        a, b, c = vertices[self.skin.T]
        faces = _cross(b - a, c - a)
        order, starts = _corners()
        sums = np.zeros_like(vertices)
        sums[: len(starts)] = np.add.reduceat(faces[order // 3], starts)
        sums[len(starts) :, 2] = 1.0  # the bottom of the mouth
        unit: Floats = sums / np.sqrt((sums * sums).sum(1, keepdims=True)).clip(1e-9)
        return unit

    def person(self, identity: Floats | None) -> PersonMesh:
        """Return the face of a person at rest.

        Args:
            identity: The identity as `FaceFit` has it; None for the average face.
        """
        if identity is None:
            return PersonMesh(self, self.neutral, self.eye_centres)
        modes = identity[: len(self.identity)]
        return PersonMesh(
            self,
            self.neutral + np.tensordot(modes, self.identity, 1),
            self.eye_centres + np.tensordot(modes, self.eye_identity, 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PersonMesh:
    """The mesh with a person's identity.

    Attributes:
        mesh: The mesh of all persons.
        rest: (V, 3) vertices at rest.
        eye_centres: (2, 3) centres of the person's left and right eyeball.
    """

    mesh: FaceMesh
    rest: Floats
    eye_centres: Floats

    def vertices(self, strengths: Floats | None = None) -> Floats:
        """Return the (V, 3) vertices.

        Args:
            strengths: (52,) strengths of ARKit's shapes; None for the face at rest.
        """
        if strengths is None:
            return self.rest
        moved: Floats = self.rest + np.tensordot(strengths, self.mesh.shapes, 1)
        return moved


def face_mesh_path() -> Path:
    """Return the path of the file of the mesh."""
    return assets_root() / "schemas" / "face3d" / "ict_mesh.npz"


@cache
def load_face_mesh() -> FaceMesh:
    """Return the mesh, centred and with modes that keep the size, as those of `FaceBasis` do."""
    with np.load(face_mesh_path()) as data:
        step_mm = _MM * float(data["step_cm"])
        names = [str(name) for name in data["expression_names"]]
        neutral, identity, expression, eyes, eye_modes = (
            step_mm * data[name].astype(np.float64)
            for name in ("neutral", "identity", "expression", "eye_centres", "eye_identity")
        )
        skin = data["triangles"].astype(np.int64)
    neutral, eyes = neutral - neutral[:LANDMARKS].mean(0), eyes - neutral[:LANDMARKS].mean(0)
    identity, eye_modes = _without_size(identity, eye_modes, neutral, eyes)
    loops = sorted(border_loops(skin), key=lambda loop: float(neutral[loop, 2].mean()))
    *_, eye, _, mouth = loops  # from the neck to the lips
    bottom = np.full(len(mouth), len(neutral))
    return FaceMesh(
        _add_bottom(neutral, mouth, _MOUTH_DEPTH_MM),
        skin,
        np.stack((np.roll(mouth, -1), mouth, bottom), axis=1),
        _add_bottom(identity, mouth),
        _add_bottom(arkit_displacements(names, expression), mouth),
        eyes,
        eye_modes,
        float(np.linalg.norm(neutral[eye, None] - eyes, axis=-1).min(1).mean()),
    )


@cache
def _corners() -> tuple[Triangles, Triangles]:
    """Return the corners of the skin's triangles by vertex, and where each vertex begins."""
    corners = load_face_mesh().skin.ravel()
    order = np.argsort(corners, kind="stable")
    return order, np.searchsorted(corners[order], np.arange(corners.max() + 1))


def _cross(one: Floats, other: Floats) -> Floats:
    """Return the cross products (n, 3); NumPy's takes five times as long."""
    (ax, ay, az), (bx, by, bz) = one.T, other.T
    return np.stack((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx), axis=1)


def _without_size(
    identity: Floats, eye_modes: Floats, neutral: Floats, eyes: Floats
) -> tuple[Floats, Floats]:
    """Return the modes without the change of the landmarks' mean and size, see `FaceBasis`."""
    landmarks = neutral[:LANDMARKS]
    shift = identity[:, :LANDMARKS].mean(1, keepdims=True)
    size = np.tensordot(identity[:, :LANDMARKS] - shift, landmarks, 2) / (landmarks**2).sum()
    return (
        identity - shift - size[:, None, None] * neutral,
        eye_modes - shift - size[:, None, None] * eyes,
    )


def _add_bottom(vertices: Floats, mouth: Triangles, depth_mm: float = 0.0) -> Floats:
    """Return vertices or displacements with those of the bottom of the mouth behind the lips."""
    bottom = vertices[..., mouth, :].mean(-2, keepdims=True) - (0, 0, depth_mm)
    return np.concatenate((vertices, bottom), axis=-2)


def arkit_displacements(names: list[str], expression: Floats) -> Floats:
    """Return the (52, V, 3) displacements of ARKit's shapes; 0 for those the model does not have.

    Args:
        names: Names of the model's expressions; `_L` and `_R` are the person's left and right.
        expression: (E, V, 3) their displacements.
    """
    shapes = np.zeros((len(SHAPES), *expression.shape[1:]))
    for name, move in zip(names, expression, strict=True):
        whole = name.replace("_L", "Left").replace("_R", "Right")
        for wanted in (whole, name[:-2]):  # browInnerUp and cheekPuff are one shape for both sides
            if wanted in SHAPES:
                shapes[SHAPES.index(wanted)] += move
                break
    return shapes


def border_loops(triangles: Triangles) -> list[Triangles]:
    """Return the vertices of each border of a mesh, in the direction of its triangles."""
    edges = {(int(a), int(b)) for t in triangles for a, b in zip(t, np.roll(t, -1), strict=True)}
    following = {a: b for a, b in edges if (b, a) not in edges}
    loops: list[Triangles] = []
    while following:
        vertex, loop = next(iter(following)), []
        while vertex in following:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(np.array(loop))
    return loops
