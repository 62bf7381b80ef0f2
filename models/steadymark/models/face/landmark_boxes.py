"""Other people's face boxes, and ours: the extent of the 68 landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# Offsets of left, top, right, bottom in widths and heights, medians over faces of at least 20 px
# that YuNet finds: 500 photos of faces/train and 300 of faces/crowds.
YUNET_TO_EXTENT = (-0.011, 0.240, 0.017, -0.002)
CROWDS_TO_EXTENT = (-0.005, 0.063, -0.022, -0.090)


def landmark_box(points: Floats) -> Floats:
    """(n, 2) → left, top, right, bottom."""
    return np.concatenate((points.min(0), points.max(0))).astype(np.float32)


def widen(boxes: Floats, offsets: tuple[float, ...]) -> Floats:
    """Move the sides of boxes (..., 4) by fractions of their widths and heights."""
    size = boxes[..., [2, 3, 2, 3]] - boxes[..., [0, 1, 0, 1]]
    return (boxes + size * np.array(offsets, np.float32)).astype(np.float32)


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """IoU of a box (4,) with boxes (n, 4) → (n,); further columns are not looked at."""
    sides = (np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2])).clip(0)
    both = sides.prod(1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).clip(0).prod(1) + (box[2:4] - box[:2]).clip(0).prod()
    shares: Floats = (both / np.maximum(areas - both, 1e-6)).astype(np.float32)
    return shares
