"""Reduction of an image to a palette of 256 colours, which shrinks the README's images."""

from __future__ import annotations

import cv2
import numpy as np
from PySide6.QtGui import QImage

_COLOURS, _SAMPLES, _ROWS = 256, 20_000, 100


def reduce_to_palette(image: QImage) -> QImage:
    """Reduce an image to 256 colours, which are cluster centres of its pixels."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    flat = pixels.reshape(-1, 3)
    sampled = np.random.default_rng(0).choice(len(flat), min(_SAMPLES, len(flat)), replace=False)
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 12, 0)
    samples = flat[sampled].astype(np.float32)
    _, _, centres = cv2.kmeans(samples, _COLOURS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    table = np.unique(centres.round().astype(np.uint8), axis=0)
    indices = np.empty(pixels.shape[:2], np.uint8)
    colours = table.astype(np.float32)
    for top in range(0, len(pixels), _ROWS):
        part = pixels[top : top + _ROWS].astype(np.float32)
        # squared distance of each pixel to each colour, up to a term that is equal for all colours
        distance = (colours**2).sum(-1) - 2 * (part @ colours.T)
        indices[top : top + _ROWS] = distance.argmin(-1)
    reduced = QImage(
        indices.data, image.width(), image.height(), indices.shape[1], QImage.Format.Format_Indexed8
    )
    reduced.setColorTable([0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in table])
    return reduced.copy()
