"""Reduce the ICT-FaceKit model to the mesh that the program shows and exports.

    python -m tools.data_statistics.reduce_face_mesh DATA/face3d/ict_face_model.npz

Edges are collapsed into one of their ends by quadric error metrics (Garland and Heckbert 1997), so
that the remaining vertices are vertices of the model and keep its modes. Both halves of the face
are collapsed alike. The 68 landmarks stay. Vertices that expressions move are kept longer, and
those of the neck and of the back of the head go first.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from scipy.spatial import cKDTree

from steadymark.engine.face3d.face_mesh import face_mesh_path
from steadymark.models.synthesis.faces.face_model import SOURCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Arrays = dict[str, NDArray[Any]]

Model = Annotated[Path, typer.Argument(help="The whole model, face3d/ict_face_model.npz.")]
_IDENTITIES = 30  # modes, as many as the fit of the 3D face knows
_STEP_CM = 0.004  # resolution of the stored coordinates
_BORDER = 20.0  # weight of the planes that keep borders in place
_ROUND = 2e-4  # weight of the squared length of a collapsed edge, which keeps triangles round
_FLIP = 0.15  # least cosine of the angle by which a collapse may turn a triangle
_BACK = 0.02  # weight of vertices behind the face


def main(model: Model, vertices: int = 700) -> None:
    """Write the reduced mesh of the model."""
    with np.load(model) as data:
        whole = {name: data[name] for name in data.files}
    kept, triangles = reduce(whole, vertices)
    arrays = mesh_arrays(whole, kept, triangles)
    np.savez_compressed(face_mesh_path(), **arrays)  # type: ignore[arg-type]
    size = face_mesh_path().stat().st_size
    typer.echo(f"{len(kept)} vertices, {len(triangles)} triangles, {size} bytes")


def reduce(whole: Arrays, vertices: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertices that stay, the 68 landmarks first, and (T, 3) triangles of them."""
    collapse = _Collapse(
        whole["neutral"].astype(np.float64),
        whole["triangles"].astype(np.int64),
        _importance(whole),
        {int(each) for each in whole["landmarks68"]},
    )
    collapse.run(vertices)
    landmarks = [int(each) for each in whole["landmarks68"]]
    others = sorted(set(np.unique(collapse.triangles).tolist()) - set(landmarks))
    kept = np.array(landmarks + others)
    place = np.full(len(whole["neutral"]), -1)
    place[kept] = np.arange(len(kept))
    return kept, place[collapse.triangles]


def mesh_arrays(whole: Arrays, kept: NDArray[np.int64], triangles: NDArray[np.int64]) -> Arrays:
    """Return the arrays of the file of the mesh."""
    step = float(whole["step_cm"]) / _STEP_CM
    neutral = whole["neutral"].astype(np.float64)
    moves = np.rint(whole["expression"][:, kept] * step)
    used = np.abs(moves).max((1, 2)) > 0
    centres = whole["eye_centres"][::2].astype(np.float64)  # of the sclera: left, right
    return {
        "source": np.array(SOURCE),
        "step_cm": np.array(_STEP_CM),
        "vertices": kept.astype(np.int32),
        "neutral": np.rint(neutral[kept] / _STEP_CM).astype(np.int16),
        "triangles": triangles.astype(np.uint16),
        "identity": np.rint(whole["identity"][:_IDENTITIES, kept] * step).astype(np.int16),
        "expression": moves[used].astype(np.int16),
        "expression_names": whole["expression_names"][used],
        "eye_centres": np.rint(centres / _STEP_CM).astype(np.int16),
        "eye_identity": np.rint(whole["eye_identity"][:_IDENTITIES, ::2] / _STEP_CM).astype(
            np.int16
        ),
    }


def _importance(whole: Arrays) -> Floats:
    """Return the (n,) weights of the vertices: more where expressions move the face."""
    xyz = whole["neutral"].astype(np.float64)
    step_cm = float(whole["step_cm"])
    motion_cm = np.linalg.norm(whole["expression"] * step_cm, axis=-1).max(0)
    x, y, z = xyz.T
    behind = (z < 2) | (y < -9) | (y > 11) | (np.abs(x) > 8.2)
    weights: Floats = np.where(behind, _BACK, 1 + 4 * motion_cm)
    return weights


@dataclass(frozen=True, slots=True)
class _Edge:
    """A possible collapse: the vertex that goes, and the one that it goes into."""

    gone: int
    into: int


class _Collapse:
    """A mesh whose edges are collapsed, the cheapest first.

    Args:
        xyz: (n, 3) vertices, alike on both sides of x = 0.
        triangles: (t, 3) triangles.
        weights: (n,) weights of the vertices' errors.
        locked: Vertices that stay.
    """

    def __init__(
        self, xyz: Floats, triangles: NDArray[np.int64], weights: Floats, locked: set[int]
    ) -> None:
        self._xyz, self._weights, self._locked = xyz, weights, locked
        self._mirror = cKDTree(xyz).query(xyz * (-1, 1, 1))[1].tolist()
        self._faces = {i: tuple(three) for i, three in enumerate(triangles.tolist())}
        self._around: list[set[int]] = [set() for _ in xyz]
        for i, three in self._faces.items():
            for vertex in three:
                self._around[vertex].add(i)
        self._border = {v for v in range(len(xyz)) if self._on_border(v)}
        self._quadrics = self._first_quadrics()
        self._left = len(xyz)
        self._heap: list[tuple[float, int, int]] = []
        for vertex in range(len(xyz)):
            self._offer(vertex)

    @property
    def triangles(self) -> NDArray[np.int64]:
        """The (t, 3) triangles that are left."""
        return np.array(list(self._faces.values()))

    def run(self, vertices: int) -> None:
        """Collapse edges until so many vertices are left."""
        while self._left > vertices and self._heap:
            cost, gone, into = heapq.heappop(self._heap)
            edge = _Edge(gone, into)
            other = _Edge(self._mirror[gone], self._mirror[into])
            stale = into not in self._neighbours(gone) or cost < self._cost(edge) * (1 - 1e-9)
            if stale or not self._is_allowed(edge):
                continue
            if other.gone == gone and other.into != into:
                continue  # A vertex in the middle cannot go into one side.
            self._collapse(edge)
            if other.gone != gone and self._is_allowed(other):
                self._collapse(other)

    def _neighbours(self, vertex: int) -> set[int]:
        return {v for i in self._around[vertex] for v in self._faces[i]} - {vertex}

    def _shared(self, one: int, other: int) -> int:
        return len(self._around[one] & self._around[other])

    def _on_border(self, vertex: int) -> bool:
        return any(self._shared(vertex, each) == 1 for each in self._neighbours(vertex))

    def _first_quadrics(self) -> Floats:
        """Return the (n, 4, 4) sums of the squared distances from the planes around a vertex."""
        quadrics = np.zeros((len(self._xyz), 4, 4))
        for three in self._faces.values():
            a, b, c = self._xyz[list(three)]
            normal = np.cross(b - a, c - a)
            area = float(np.linalg.norm(normal)) or 1.0
            self._add_plane(quadrics, three, normal / area, a, area)
            for one, other in zip(three, (*three[1:], three[0]), strict=True):
                if self._shared(one, other) == 1:
                    along = self._xyz[other] - self._xyz[one]
                    wall = np.cross(along, normal / area)
                    length = float(np.linalg.norm(wall))
                    weight = _BORDER * length**2
                    self._add_plane(quadrics, (one, other), wall / length, a, weight)
        return quadrics * self._weights[:, None, None]

    @staticmethod
    def _add_plane(
        quadrics: Floats, vertices: tuple[int, ...], normal: Floats, at: Floats, weight: float
    ) -> None:
        plane = np.append(normal, -normal @ at)
        for vertex in vertices:
            quadrics[vertex] += weight * np.outer(plane, plane)

    def _offer(self, vertex: int) -> None:
        if vertex in self._locked:
            return
        for each in self._neighbours(vertex):
            edge = _Edge(vertex, each)
            heapq.heappush(self._heap, (self._cost(edge), vertex, each))

    def _cost(self, edge: _Edge) -> float:
        at = np.append(self._xyz[edge.into], 1.0)
        error = at @ (self._quadrics[edge.gone] + self._quadrics[edge.into]) @ at
        length = np.linalg.norm(self._xyz[edge.gone] - self._xyz[edge.into])
        return float(error + _ROUND * self._weights[edge.gone] * length**2 * (1 + length**2))

    def _is_allowed(self, edge: _Edge) -> bool:
        gone, into = edge.gone, edge.into
        shared = self._shared(gone, into)
        if gone in self._locked or not shared:
            return False
        if gone in self._border and (into not in self._border or shared != 1):
            return False
        if len(self._neighbours(gone) & self._neighbours(into)) != shared:
            return False  # The mesh would touch itself.
        return all(
            self._keeps_side(self._faces[i], edge) for i in self._around[gone] - self._around[into]
        )

    def _keeps_side(self, three: tuple[int, ...], edge: _Edge) -> bool:
        """Return whether a triangle still looks to about the same side after the collapse."""
        moved = [edge.into if v == edge.gone else v for v in three]
        before, after = (
            np.cross(b - a, c - a) for a, b, c in (self._xyz[list(three)], self._xyz[moved])
        )
        size = float(np.linalg.norm(before) * np.linalg.norm(after))
        return float(before @ after) > _FLIP * size

    def _collapse(self, edge: _Edge) -> None:
        gone, into = edge.gone, edge.into
        for i in list(self._around[gone]):
            three = self._faces[i]
            if into in three:
                for vertex in three:
                    self._around[vertex].discard(i)
                del self._faces[i]
            else:
                self._faces[i] = tuple(into if v == gone else v for v in three)
                self._around[into].add(i)
        self._around[gone].clear()
        self._quadrics[into] += self._quadrics[gone]
        self._weights[into] = max(self._weights[into], self._weights[gone])
        self._left -= 1
        self._offer(into)
        for vertex in self._neighbours(into):
            self._offer(vertex)


if __name__ == "__main__":
    typer.run(main)
