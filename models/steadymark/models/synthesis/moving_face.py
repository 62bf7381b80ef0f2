"""A photo's face that talks, blinks and turns along curves, never folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.synthesis.face_mesh import INNER_LIPS, face_mesh

if TYPE_CHECKING:
    from steadymark.models.cropping import Image, Points
    from steadymark.models.synthesis.expression_curves import ExpressionCurves
    from steadymark.models.synthesis.face_mesh import FaceMesh, Floats

_FOLDED = 0.0004  # of the extent's square: how much skin may be reversed, slivers of bad labels
_WEAKER = 0.8
_TRIES = 14
_LOOKS = 24  # times at which a scene is checked
_DARK = 0.72  # how much darker the inside of a mouth is that the photo shows closed


class MovingFace:
    """The mesh of a photo with its curves, weakened until nothing is folded."""

    def __init__(self, points: Points, curves: ExpressionCurves) -> None:
        self.mesh: FaceMesh = face_mesh(points)
        self.extent = float(np.ptp(points, axis=0).max())
        self.curves = _unfolded(self.mesh, curves, _FOLDED * self.extent**2)
        self._opening = _opening(self.mesh.rest[:, :2])

    def places(self, t_s: float) -> Floats:
        """(N, 2) where the mesh's nodes are, in pixels of the photo; the first 68 its landmarks."""
        return self.mesh.places(*self.curves.at(t_s))

    def sources(self, t_s: float) -> Floats:
        """(M, 3, 2) which places of the photo the corners of the triangles show."""
        mesh = self.mesh
        shown: Floats = mesh.rest[:, :2][mesh.triangles]
        eyes = mesh.triangles[: mesh.inside]
        shown[: mesh.inside] = mesh.eye_sources(self.curves.at(t_s).strengths)[eyes]
        return shown

    def darkened(self, image: Image, seen: Floats, t_s: float) -> Image:
        """The picture with a dark inside of the mouth, as far as lips are further apart.

        seen: (N, 2) the nodes in the picture.
        """
        opened = _opening(self.places(t_s)) - 1.3 * self._opening
        depth = _DARK * float(np.clip(opened / (0.06 * self.extent) - 0.1, 0, 1))
        if depth <= 0:
            return image
        ring = seen[INNER_LIPS]
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
    """Between the middles of the inner lips."""
    return float(np.linalg.norm(places[62] - places[66]))


def _unfolded(mesh: FaceMesh, curves: ExpressionCurves, most: float) -> ExpressionCurves:
    """Curves as strong as they can be: first the turns alone, then what the face does."""
    every = np.linspace(0, len(curves.strengths) - 1, _LOOKS).astype(int)
    peaks = curves.strengths.argmax(0)
    looks = np.unique(np.concatenate((every, peaks)))

    def folded(expressions: float, turns: float) -> float:
        weaker = curves.scaled(expressions, turns)
        told = (mesh.places(weaker.strengths[i], *weaker.turns_deg[i]) for i in looks)
        return max(mesh.folded(places) for places in told)

    blinks = folded(0.0, 0.0)  # and the labels' own folds

    expressions, turns = 1.0, 1.0
    for _ in range(_TRIES):
        if folded(0.0, turns) <= most + blinks:
            break
        turns *= _WEAKER
    for _ in range(_TRIES):
        if folded(expressions, turns) <= most + blinks:
            break
        expressions *= _WEAKER
    return curves.scaled(expressions, turns)
