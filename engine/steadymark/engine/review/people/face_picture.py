"""A square picture of one face, cut from a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points

_MARGIN = 1.6  # side of the part of the frame, compared with the longer side of the face


def face_picture(image: Image, xy_px: Points, side: int) -> Image:
    """Return a picture of a face, somewhat larger than its landmarks.

    Args:
        image: The frame, (H, W, 3).
        xy_px: (K, 2) landmarks of the face in frame pixels.
        side: Side of the picture in pixels.

    Returns:
        (side, side, 3), black outside the frame.
    """
    centre = (xy_px.min(0) + xy_px.max(0)) / 2
    part = max(8.0, _MARGIN * float(np.ptp(xy_px, axis=0).max()))
    scale = side / part
    shift = side / 2 - scale * centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=flags), np.uint8)
