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
    number = np.zeros((height, width), np.int32)
    corners = np.rint(places * (1 << _SHIFT)).astype(np.int32)
    low, high = places.min(1), places.max(1)
    u, v = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    there = ((high > -1) & (low < size)).all(1) & (u[:, 0] * v[:, 1] > u[:, 1] * v[:, 0])
    for index, triangle in zip(np.flatnonzero(there).tolist(), corners[there], strict=True):
        cv2.fillConvexPoly(number, triangle, index, cv2.LINE_8, _SHIFT)
    straight, pixels = _affine(places, sources), number.astype(np.intp)
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    shown = np.empty((2, height, width), np.float32)
    part = np.empty((height, width), np.float32)
    for axis in range(2):
        a, b, c = straight[3 * axis : 3 * axis + 3]
        there_is = shown[axis]
        a.take(pixels, out=there_is, mode="clip")  # "clip" needs no temporary buffer
        there_is *= x
        b.take(pixels, out=part, mode="clip")
        part *= y
        there_is += part
        c.take(pixels, out=part, mode="clip")
        there_is += part
    return shown


def _affine(places: Floats, sources: Floats) -> Map:
    """Return the affine map of each triangle, (6, M)."""
    u, v = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    det = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    det = np.where(np.abs(det) < 1e-3, 1e-3, det)
    s, t = sources[:, 1] - sources[:, 0], sources[:, 2] - sources[:, 0]
    a = (s * v[:, 1:] - t * u[:, 1:]) / det[:, None]
    b = (t * u[:, :1] - s * v[:, :1]) / det[:, None]
    c = sources[:, 0] - a * places[:, 0, :1] - b * places[:, 0, 1:]
    return np.ascontiguousarray(np.stack((a, b, c), -1).reshape(-1, 6).T, np.float32)
