"""The pose of a rigid 3D face under a parallel projection, from which fits start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from steadymark.engine.face3d.face_basis import Floats


def pose_under_parallel_projection(
    face: Floats, xy: Floats, weights: Floats, focal: float
) -> tuple[Floats, Floats, float] | None:
    """Return rotation matrix, translation and size in pixels under a parallel projection.

    `xy` is relative to the centre of the image. The result is None if the landmarks do not
    determine a rotation.
    """
    share = weights / weights.sum()
    middle, centre = share @ xy, share @ face
    solid = face - centre
    weighted = (solid * share[:, None]).T
    solved, columns = cv2.solve(weighted @ solid, weighted @ (xy - middle), flags=cv2.DECOMP_LU)
    if not solved:
        return None
    rows = columns.T  # (2, 3)
    (g, h), (_, k) = (rows @ rows.T).tolist()
    product = math.sqrt(max(0.0, g * k - h * h))  # of the two singular values
    total = math.sqrt(g + k + 2 * product)
    if not 2 * product > 2e-6 * total:
        return None
    inverse_root = np.array([[k + product, -h], [-h, g + product]]) / (product * total)
    (a, b, c), (d, e, f) = plane = inverse_root @ rows
    turn = np.vstack((plane, (b * f - c * e, c * d - a * f, a * e - b * d)))
    zoom = total / 2  # pixels per millimetre
    ray = np.array([*(middle / focal), 1.0])
    return turn, ray * (focal / zoom) - turn @ centre, zoom * 150.0
