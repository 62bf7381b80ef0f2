"""A face photo that talks, blinks and turns along curves, without folds in the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.synthesis.faces.face_mesh import INNER_LIPS, face_mesh
from steadymark.models.synthesis.faces.face_model import LANDMARKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.synthesis.faces.expression_curves import ExpressionCurves
    from steadymark.models.synthesis.faces.face_mesh import FaceMesh, Floats

# Largest area of hidden skin, as a share of the squared extent: by turns, behind a nose or cheek,
# and by expressions, which fold small slivers only where labels are bad.
_HIDDEN, _FOLDED = 0.006, 0.001
_WEAKER = 0.8  # factor by which an attempt weakens the curves
_MAX_ATTEMPTS = 14  # most attempts
_CHECKED_TIMES = 24  # evenly spaced times at which a scene is checked for folds
_CACHE_SIZE = (
    8  # times whose node positions are cached, because a frame needs the same few repeatedly
)
_DARK = 0.72  # largest darkening of the inside of a mouth that the photo shows closed


class MovingFace:
    """The mesh of a photo with its curves, which are weakened until the mesh has no folds.

    Args:
        points: (68, 2) landmarks in pixels of the photo.
        curves: Expressions and rotations over time.
    """

    def __init__(self, points: Points, curves: ExpressionCurves) -> None:
        self.mesh: FaceMesh = face_mesh(points)
        self.extent = float(np.ptp(points, axis=0).max())
        self.curves = _weaken_until_unfolded(self.mesh, curves, self.extent**2)
        self._opening = _opening(self.mesh.rest[:, :2])
        self._cached_nodes: dict[float, Floats] = {}

    def places(self, t_s: float) -> Floats:
        """Return the mesh nodes (N, 2) at `t_s` in photo pixels; the 68 landmarks come first."""
        if t_s not in self._cached_nodes:
            while len(self._cached_nodes) >= _CACHE_SIZE:
                del self._cached_nodes[next(iter(self._cached_nodes))]
            self._cached_nodes[t_s] = self.mesh.places(*self.curves.at(t_s))
        return self._cached_nodes[t_s]

    def landmarks(self, t_s: float) -> Floats:
        """Return the landmarks (68, 2) at time `t_s` in pixels of the photo."""
        return self.places(t_s)[:LANDMARKS]

    def visible_landmarks(self, t_s: float) -> NDArray[np.bool_]:
        """Return which landmarks (68,) the face itself does not hide at time `t_s`."""
        return ~self.mesh.hidden_landmarks(self.places(t_s))

    def sources(self, t_s: float) -> Floats:
        """Return the photo positions (M, 3, 2) that the triangles' corners show at time `t_s`."""
        mesh = self.mesh
        sources: Floats = mesh.rest[:, :2][mesh.triangles]
        eyes = mesh.triangles[: mesh.inside]
        sources[: mesh.inside] = mesh.eye_sources(self.curves.at(t_s).strengths)[eyes]
        return sources

    def _cavity(self, nodes: Floats) -> Floats:
        """Return the outline (n, 2) of the part of the mouth that has opened since the photo.

        It lies below the teeth that the photo may show.
        """
        upper, lower = (np.array(line) for line in INNER_LIPS)
        rest = self.mesh.rest[:, :2]
        scale = np.linalg.norm(nodes[36] - nodes[45]) / np.linalg.norm(rest[36] - rest[45])
        rest_gap = scale * np.linalg.norm(rest[lower] - rest[upper], axis=1)
        gap = np.linalg.norm(nodes[lower] - nodes[upper], axis=1)
        share = (rest_gap / gap.clip(1e-6)).clip(0, 1)[:, None]
        below = nodes[upper] + share * (nodes[lower] - nodes[upper])
        ring: Floats = np.concatenate((below, nodes[lower][-2:0:-1]))
        return ring

    def darken_mouth(self, image: Image, nodes: Floats, t_s: float) -> Image:
        """Darken the inside of the mouth by how much further the lips are open than in the photo.

        Args:
            image: (H, W, 3) uint8; it is changed in place.
            nodes: (N, 2) mesh nodes, pixels of the image.
            t_s: Time in seconds.
        """
        opened = _opening(self.places(t_s)) - 1.3 * self._opening
        depth = _DARK * float(np.clip(opened / (0.06 * self.extent) - 0.1, 0, 1))
        if depth <= 0:
            return image
        ring = self._cavity(nodes)
        low = np.maximum(np.floor(ring.min(0)).astype(int) - 4, 0)
        high = np.minimum(np.ceil(ring.max(0)).astype(int) + 5, image.shape[1::-1])
        if (high - low < 3).any():
            return image
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
        corners = np.rint((ring - low) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 1.0, cv2.LINE_8, 4)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2) ** 2
        part = image[low[1] : high[1], low[0] : high[0]]
        part[:] = part * (1 - depth * mask[..., None])
        return image


def _opening(places: Floats) -> float:
    """Return the distance between the centres of the inner lips."""
    return float(np.linalg.norm(places[62] - places[66]))


def _weaken_until_unfolded(
    mesh: FaceMesh, curves: ExpressionCurves, square: float
) -> ExpressionCurves:
    """Scale the curves down until the mesh has no folds: first the turns, then the expressions."""
    evenly = np.linspace(0, len(curves.strengths) - 1, _CHECKED_TIMES).astype(int)
    peaks = curves.strengths.argmax(0)
    times = np.unique(np.concatenate((evenly, peaks)))

    def reversed_area(expressions: float, turns: float) -> float:
        weaker = curves.scaled(expressions, turns)
        node_positions = (mesh.places(weaker.strengths[i], *weaker.turns_deg[i]) for i in times)
        return max(mesh.reversed_area(places) for places in node_positions)

    expressions, turns = 1.0, 1.0
    # Folds by blinks and by the labels themselves are allowed.
    limit = reversed_area(0.0, 0.0) + _HIDDEN * square
    for _ in range(_MAX_ATTEMPTS):
        if reversed_area(0.0, turns) <= limit:
            break
        turns *= _WEAKER
    limit = reversed_area(0.0, turns) + _FOLDED * square
    for _ in range(_MAX_ATTEMPTS):
        if reversed_area(expressions, turns) <= limit:
            break
        expressions *= _WEAKER
    return curves.scaled(expressions, turns)
