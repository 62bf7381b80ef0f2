"""Facial expressions of a portrait: a smooth displacement of its pixels and landmarks.

A weighted sum of expressions moves the 68 landmarks. Between the landmarks, the displacement is
interpolated with Wendland's C2 function of compact support, so pixels farther than RADIUS_PX from
a moved landmark stay. The displacement field is defined as the bilinear interpolation of its
samples on a grid. The ground truth and the images use the same field, so the truth is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RADIUS_PX = 42.0
STEP_PX = 0.5
ANCHORS = 24  # fixed points around the head
RING = (70.0, 84.0)

# expression → landmarks → displacement (x, y) in portrait pixels at weight 1
EXPRESSIONS: dict[str, dict[tuple[int, ...], tuple[float, float]]] = {
    "open": {
        (55, 56, 57, 58, 59): (0.0, 3.6),
        (65, 66, 67): (0.0, 3.6),
        (48, 60): (1.2, 1.0),
        (54, 64): (-1.2, 1.0),
        (49, 53): (0.0, -0.2),
        (50, 51, 52, 61, 62, 63): (0.0, -0.5),
        (6, 7, 8, 9, 10): (0.0, 3.5),
        (5, 11): (0.0, 2.3),
        (4, 12): (0.0, 1.0),
    },
    "smile": {
        (48, 60): (-2.2, -1.8),
        (54, 64): (2.2, -1.8),
        (49, 59): (-1.2, -0.8),
        (53, 55): (1.2, -0.8),
        (58, 67): (-0.4, 0.3),
        (56, 65): (0.4, 0.3),
        (57, 66): (0.0, 0.3),
        (3, 4): (-0.7, 0.0),
        (12, 13): (0.7, 0.0),
        (40, 41, 46, 47): (0.0, -0.6),
    },
    "narrow": {
        (37, 38, 43, 44): (0.0, 2.7),
        (40, 41, 46, 47): (0.0, -0.6),
        (36, 39, 42, 45): (0.0, 0.3),
        (17, 18, 19, 20, 21, 22, 23, 24, 25, 26): (0.0, 0.6),
    },
    "brows": {
        (18, 19, 20, 23, 24, 25): (0.0, -3.6),
        (17, 26): (0.0, -2.6),
        (21, 22): (0.0, -3.0),
        (37, 38, 43, 44): (0.0, -0.5),
    },
}


def bilinear(grid: Array, origin: Array, xy: Array) -> Array:
    """Interpolate a grid (rows, columns, 2) at portrait points (..., 2); it is 0 outside."""
    position = (xy - origin) / STEP_PX
    cell = np.floor(position).astype(np.int64)
    limit = np.array([grid.shape[1] - 2, grid.shape[0] - 2])
    inside = ((cell >= 0) & (cell <= limit)).all(-1, keepdims=True)
    cell = cell.clip(0, limit)
    fx, fy = np.moveaxis(position - cell, -1, 0)[..., None]
    x, y = cell[..., 0], cell[..., 1]
    top = grid[y, x] * (1 - fx) + grid[y, x + 1] * fx
    bottom = grid[y + 1, x] * (1 - fx) + grid[y + 1, x + 1] * fx
    return np.where(inside, top * (1 - fy) + bottom * fy, 0.0)


class ExpressionWarp:
    """Displacement of the portrait's pixels for given weights of EXPRESSIONS.

    Args:
        landmarks: (68, 2) landmarks of the original photograph in portrait pixels.
    """

    def __init__(self, landmarks: Array) -> None:
        angle = np.linspace(0, 2 * np.pi, ANCHORS, endpoint=False)
        middle = (landmarks.min(0) + landmarks.max(0)) / 2
        ring = middle + np.stack((np.cos(angle), np.sin(angle)), 1) * RING
        self.names = tuple(EXPRESSIONS)
        centres = np.concatenate((landmarks, ring))
        moves = np.zeros((len(centres), len(self.names), 2))
        for column, name in enumerate(self.names):
            for indices, move in EXPRESSIONS[name].items():
                moves[list(indices), column] = move
        factors = np.linalg.solve(_kernel(centres, centres), moves.reshape(len(centres), -1))
        margin = RADIUS_PX + 1
        self.origin: Array = np.floor(landmarks.min(0) - margin)
        end = np.ceil(landmarks.max(0) + margin)
        self._samples = self._sample(centres, factors.astype(np.float64), end)

    def _sample(self, centres: Array, factors: Array, end: Array) -> Array:
        """Return the displacements on the grid at weight 1, (E, rows, columns, 2)."""
        x = np.arange(self.origin[0], end[0], STEP_PX)
        y = np.arange(self.origin[1], end[1], STEP_PX)
        rows = []
        for row in y:
            points = np.stack((x, np.full_like(x, row)), 1)
            rows.append(_kernel(points, centres) @ factors)
        field = np.stack(rows).reshape(len(y), len(x), len(self.names), 2)
        # The kernels of the fixed points extend beyond the grid.
        distance = np.minimum.outer(_distance_to_edge(len(y)), _distance_to_edge(len(x)))
        fade = (distance / 20).clip(0, 1)[..., None, None]
        return np.ascontiguousarray(np.moveaxis(field * fade, 2, 0))

    def field(self, weights: tuple[float, ...]) -> Array:
        """Return the displacement at the grid's points, (rows, columns, 2)."""
        field: Array = np.tensordot(np.array(weights), self._samples, 1)
        return field

    def forward(self, weights: tuple[float, ...], xy: Array) -> Array:
        """Return the displaced positions of portrait points (..., 2)."""
        parts = zip(weights, self._samples, strict=True)
        return xy + sum(w * bilinear(samples, self.origin, xy) for w, samples in parts if w)

    def inverse(self, weights: tuple[float, ...]) -> Array:
        """Return the inverse displacement at the grid's points, (rows, columns, 2).

        It is found by damped fixed-point iteration, which converges if the image is stretched at
        most
        fourfold and not folded anywhere.

        Raises:
            ValueError: The iteration did not converge because the weights are too large.
        """
        field = self.field(weights)
        rows, columns = field.shape[:2]
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        target = np.stack((x, y), -1) * STEP_PX + self.origin
        back = -field
        for _ in range(100):
            step = -bilinear(field, self.origin, target + back) - back
            if np.abs(step).max() < 0.002:
                return back
            back += 0.6 * step
        raise ValueError(f"no inverse for expression weights {weights}")


def _kernel(points: Array, centres: Array) -> Array:
    """Evaluate Wendland's C2 function of the distance of each pair, (P, C)."""
    distance = np.linalg.norm(points[:, None] - centres, axis=-1) / RADIUS_PX
    kernel: Array = (1 - distance).clip(0) ** 4 * (4 * distance + 1)
    return kernel


def _distance_to_edge(count: int) -> Array:
    """Return the distance of each of `count` samples from the nearer end, in samples."""
    return np.minimum(np.arange(count), np.arange(count)[::-1]).astype(np.float64)
