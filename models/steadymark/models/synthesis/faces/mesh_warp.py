"""Sampling maps for images that a deformed triangle mesh shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Map = NDArray[np.float32]
_SHIFT = 6  # fractional bits of a corner's coordinates


def backward_map(places: Floats, sources: Floats, size: tuple[int, int]) -> Map:
    """Return the photo position that each pixel of the warped image shows.

    The map is affine within each triangle. Later triangles are painted over earlier ones, and
    reversed triangles are left out.

    Args:
        places: (M, 3, 2) corners of the triangles in the warped image.
        sources: (M, 3, 2) corners of the triangles in the photo.
        size: Width and height of the warped image.

    Returns:
        (2, height, width) float32, x and y in the photo.
    """
    width, height = size
    triangle_of_pixel = np.zeros((height, width), np.int32)
    corners = np.rint(places * (1 << _SHIFT)).astype(np.int32)
    low, high = places.min(1), places.max(1)
    first_edge, second_edge = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    is_drawn = ((high > -1) & (low < size)).all(1) & (
        first_edge[:, 0] * second_edge[:, 1] > first_edge[:, 1] * second_edge[:, 0]
    )
    for index, triangle in zip(np.flatnonzero(is_drawn).tolist(), corners[is_drawn], strict=True):
        cv2.fillConvexPoly(triangle_of_pixel, triangle, index, cv2.LINE_8, _SHIFT)
    affine, pixels = _affine(places, sources), triangle_of_pixel.astype(np.intp)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    source_map = np.empty((2, height, width), np.float32)
    part = np.empty((height, width), np.float32)
    for axis in range(2):
        a, b, c = affine[3 * axis : 3 * axis + 3]
        plane = source_map[axis]
        a.take(pixels, out=plane, mode="clip")  # "clip" needs no temporary buffer
        plane *= x
        b.take(pixels, out=part, mode="clip")
        part *= y
        plane += part
        c.take(pixels, out=part, mode="clip")
        plane += part
    return source_map


def _affine(places: Floats, sources: Floats) -> Map:
    """Return the affine map of each triangle, (6, M)."""
    first_edge, second_edge = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    det = first_edge[:, 0] * second_edge[:, 1] - first_edge[:, 1] * second_edge[:, 0]
    det = np.where(np.abs(det) < 1e-3, 1e-3, det)
    first_source_edge, second_source_edge = (
        sources[:, 1] - sources[:, 0],
        sources[:, 2] - sources[:, 0],
    )
    a = (first_source_edge * second_edge[:, 1:] - second_source_edge * first_edge[:, 1:]) / det[
        :, None
    ]
    b = (second_source_edge * first_edge[:, :1] - first_source_edge * second_edge[:, :1]) / det[
        :, None
    ]
    c = sources[:, 0] - a * places[:, 0, :1] - b * places[:, 0, 1:]
    return np.ascontiguousarray(np.stack((a, b, c), -1).reshape(-1, 6).T, np.float32)
