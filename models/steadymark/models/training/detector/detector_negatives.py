"""Augmentation of photos without faces, the negatives of face_net."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    from steadymark.models.face.crop import Image


def colour_grey(image: Image, rng: Generator) -> Image:
    """Colour a grey image with a random table of four colours from dark to light."""
    colours = rng.uniform(0, 255, (4, 3))
    grey_levels = np.linspace(0, 255, 4)[:, None]
    colours = grey_levels + (colours - grey_levels) * rng.uniform(0.2, 0.6)
    table = np.stack(
        [np.interp(np.arange(256), grey_levels[:, 0], colours[:, c]) for c in range(3)], 1
    )
    return cv2.LUT(image, table.astype(np.uint8)[None]).astype(np.uint8, copy=False)


def draw_text(image: Image, rng: Generator) -> Image:
    """Draw text and ellipses, which detectors take for faces, sometimes on a plain ground."""
    size = len(image)
    canvas = image.copy()
    if rng.random() < 0.3:
        canvas[:] = rng.integers(0, 256, 3)
    for _ in range(int(rng.integers(1, 7))):
        colour = tuple(float(v) for v in rng.integers(0, 256, 3))
        x, y = (int(v) for v in rng.integers(-size // 8, size, 2))
        if rng.random() < 0.65:
            font, scale = int(rng.integers(8)), size / 320 * math.exp(rng.uniform(-0.9, 1.5))
            letters = rng.integers(65, 123, int(rng.integers(1, 12))).astype(np.uint8)
            text = letters.tobytes().decode("ascii")
            width = max(1, int(scale * rng.uniform(0.8, 4)))
            cv2.putText(canvas, text, (x, y), font, scale, colour, width, cv2.LINE_AA)
        else:
            axes = tuple(int(v) for v in size * np.exp(rng.uniform(-4, -1.4, 2)))
            width = -1 if rng.random() < 0.6 else int(rng.integers(1, 6))
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(canvas, (x, y), axes, angle, 0, 360, colour, width, cv2.LINE_AA)
    return canvas


def scramble(image: Image, other: Image, rng: Generator) -> Image:
    """Combine or distort images without faces: blend, mirror, swirl, blur or invert them."""
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        share = rng.uniform(0.3, 0.7)
        fitted = cv2.resize(other, (width, height))
        image = cv2.addWeighted(image, share, fitted, 1 - share, 0).astype(np.uint8, copy=False)
    if rng.random() < 0.3:  # faces are symmetric, so negatives must be too
        half = image[:, : (width + 1) // 2]
        image = np.concatenate((half, half[:, ::-1]), 1)
    if rng.random() < 0.3:
        image = _swirl(image, rng)
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(2, 8)).astype(np.uint8, copy=False)
    if rng.random() < 0.15:
        image = 255 - image
    return image


def _swirl(image: Image, rng: Generator) -> Image:
    """Rotate and scale the image around a random centre; the effect fades with the distance."""
    height, width = image.shape[:2]
    x0, y0 = rng.uniform(0, width), rng.uniform(0, height)
    radius = rng.uniform(0.15, 0.6) * max(height, width)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    dx, dy = xs - x0, ys - y0
    strength = np.exp(-(dx**2 + dy**2) / (2 * radius**2))
    angle, scale = rng.uniform(-2.5, 2.5) * strength, 1 + rng.uniform(-0.7, 0.7) * strength
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    map_x, map_y = x0 + cos * dx - sin * dy, y0 + sin * dx + cos * dy
    return cv2.remap(
        image,
        map_x.astype(np.float32),
        map_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    ).astype(np.uint8, copy=False)
