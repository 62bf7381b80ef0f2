"""Convert face boxes of other detectors and datasets to bounding boxes of the 68 landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# Offsets of the left, top, right and bottom sides, in box widths and heights. They are medians over
# faces of at least 20 px that YuNet finds in 500 photos of faces/train and 300 of faces/crowds.
YUNET_TO_EXTENT = (-0.011, 0.240, 0.017, -0.002)
CROWDS_TO_EXTENT = (-0.005, 0.063, -0.022, -0.090)


def landmark_box(points: Floats) -> Floats:
    """Compute the bounding box of points.

    Args:
        points: (n, 2).

    Returns:
        (4,) float32: left, top, right, bottom, in the unit of the points.
    """
    return np.concatenate((points.min(0), points.max(0))).astype(np.float32)


def widen(boxes: Floats, offsets: tuple[float, ...]) -> Floats:
    """Move the sides of boxes by fractions of the boxes' widths and heights.

    Args:
        boxes: (..., 4) left, top, right, bottom.
        offsets: Fractions for the four sides; positive values move a side right or down.

    Returns:
        The moved boxes, (..., 4) float32.
    """
    size = boxes[..., [2, 3, 2, 3]] - boxes[..., [0, 1, 0, 1]]
    return (boxes + size * np.array(offsets, np.float32)).astype(np.float32)


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Compute the intersection over union (IoU) of one box with n boxes.

    Args:
        box: (4,) left, top, right, bottom.
        boxes: (n, 4); further columns are ignored.

    Returns:
        (n,) float32 in [0, 1].
    """
    overlap_sides = (np.minimum(box[2:4], boxes[:, 2:4]) - np.maximum(box[:2], boxes[:, :2])).clip(
        0
    )
    intersection = overlap_sides.prod(1)
    areas = (boxes[:, 2:4] - boxes[:, :2]).clip(0).prod(1) + (box[2:4] - box[:2]).clip(0).prod()
    iou: Floats = (intersection / np.maximum(areas - intersection, 1e-6)).astype(np.float32)
    return iou


def suppress(rows: Floats, most_iou: float) -> list[int]:
    """Apply greedy non-maximum suppression.

    Args:
        rows: (n, 5) or more columns: left, top, right, bottom and score.
        most_iou: Largest overlap with a better detection.

    Returns:
        Indices of the rows that are kept, best first.
    """
    remaining = np.argsort(-rows[:, 4], kind="stable")
    kept: list[int] = []
    while len(remaining):
        best, remaining = int(remaining[0]), remaining[1:]
        kept.append(best)
        remaining = remaining[overlaps(rows[best], rows[remaining]) <= most_iou]
    return kept
