"""Resampling of the visible part of a frame to screen pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from steadymark.app.gui.video.viewport import Viewport
    from steadymark.models.face.crop import Image

_SHARP_FROM = 6.0  # screen pixels per frame pixel from which frame pixels are shown as squares


def visible_image(
    image: Image, viewport: Viewport, size: tuple[float, float], ratio: float
) -> tuple[QImage, QRect]:
    """Return the visible part of the picture and its position in device pixels.

    The picture is resampled once, so that it matches the overlay's points exactly. Area averaging
    prevents aliasing when the picture is made smaller.

    Args:
        image: The frame, (H, W, 3) BGR.
        viewport: Maps frame pixels to view points.
        size: The width and height of the pane in view points.
        ratio: Device pixels per view point.
    """
    if viewport.flip:
        image = np.ascontiguousarray(cv2.flip(image, 1), np.uint8)
    scale = viewport.scale * ratio
    left, top = viewport.x * ratio, viewport.y * ratio
    whole = QRect(0, 0, math.ceil(size[0] * ratio), math.ceil(size[1] * ratio))
    height, width = image.shape[:2]
    place = QRect(
        math.floor(left),
        math.floor(top),
        math.ceil(left + width * scale) - math.floor(left),
        math.ceil(top + height * scale) - math.floor(top),
    ).intersected(whole)
    if place.isEmpty():
        return QImage(), place
    shift_x, shift_y = left - place.x(), top - place.y()
    shrink = int(1 / scale) if scale < 0.6 else 1
    if shrink >= 2:
        smaller = (max(1, width // shrink), max(1, height // shrink))
        part = image[: smaller[1] * shrink, : smaller[0] * shrink]
        image = np.ascontiguousarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA))
        scale *= shrink
    matrix = np.array(
        [
            [scale, 0, 0.5 * scale + shift_x - 0.5],
            [0, scale, 0.5 * scale + shift_y - 0.5],
        ]
    )
    sampling = cv2.INTER_NEAREST if scale >= _SHARP_FROM else cv2.INTER_LINEAR
    sampled = cv2.warpAffine(
        image,
        matrix,
        (place.width(), place.height()),
        flags=sampling,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return as_qimage(np.ascontiguousarray(sampled, np.uint8)), place


def as_qimage(image: Image) -> QImage:
    """Copy a BGR image (H, W, 3) into the QImage format that is painted fastest."""
    height, width = image.shape[:2]
    shared = QImage(image.data, width, height, image.strides[0], QImage.Format.Format_BGR888)
    return shared.convertToFormat(QImage.Format.Format_RGB32)
