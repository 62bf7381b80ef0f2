"""Image degradations for training crops: light, colour, blur, noise, compression and occlusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.face.crop import Image


def degrade_image(image: Image, rng: np.random.Generator) -> Image:
    """Randomly degrade colour, light, sharpness, resolution, noise and compression."""
    image = relight(image, rng)
    if rng.random() < 0.15:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = cv2.merge((grey, grey, grey)).astype(np.uint8, copy=False)
    if rng.random() < 0.3:
        image = _blur(image, rng)
    if rng.random() < 0.15:
        image = _reduce_resolution(image, rng)
    if rng.random() < 0.3:
        sigma = rng.uniform(1, 12)
        noise = rng.standard_normal(image.shape, np.float32) * sigma
        image = (image + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 70))]
        coded = cv2.imencode(".jpg", image, quality)[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        image = image if decoded is None else decoded.astype(np.uint8, copy=False)
    return image


def relight(image: Image, rng: np.random.Generator) -> Image:
    """Randomly change gamma, gain, offset and the gain of each channel, with one lookup table."""
    strength = 1.0 if rng.random() < 0.8 else 2.2
    gamma = float(np.exp(rng.normal(0, 0.18 * strength)))
    gain = float(np.exp(rng.normal(0, 0.15 * strength)))
    offset = rng.normal(0, 12 * strength)
    tint = np.exp(rng.normal(0, 0.06, 3))
    ramp = np.linspace(0, 1, 256)[:, None] ** gamma * 255
    table = ((ramp * gain * tint) + offset).clip(0, 255).astype(np.uint8)
    return cv2.LUT(image, table[None]).astype(np.uint8, copy=False)


def _blur(image: Image, rng: np.random.Generator) -> Image:
    if rng.random() < 0.5:
        sigma = rng.uniform(0.4, 2.0)
        return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False)
    length, angle = int(rng.integers(3, 11)), rng.uniform(0, np.pi)
    kernel = np.zeros((11, 11), np.float32)
    reach = np.array((np.cos(angle), np.sin(angle))) * length / 2
    start, end = (5 - reach).round().astype(int), (5 + reach).round().astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


def _reduce_resolution(image: Image, rng: np.random.Generator) -> Image:
    """Reduce the resolution, as if the face were smaller in the image."""
    size = image.shape[0]
    small = int(size * rng.uniform(0.25, 0.8))
    shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


def cover(
    image: Image,
    images: Sequence[Image],
    rng: np.random.Generator,
    *,
    share: tuple[float, float],
) -> Image:
    """Cover a random share of the crop's area with a flat, noisy or photographic patch.

    Args:
        image: (F, F, 3) uint8 crop.
        images: Images from which photographic patches are cut.
        rng: Makes all random choices.
        share: Least and greatest share of the area.
    """
    size = image.shape[0]
    area = rng.uniform(*share) * size * size
    ratio = float(np.exp(rng.normal(0, 0.5)))
    width = int(min(size, max(3, (area * ratio) ** 0.5)))
    height = int(min(size, max(3, area / width)))
    left = int(rng.integers(0, size - width + 1))
    top = int(rng.integers(0, size - height + 1))
    patch = _patch(images, width, height, rng)
    covered = image.copy()
    region = covered[top : top + height, left : left + width]
    if rng.random() < 0.5:
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, ((width / 2, height / 2), (width, height), 0), 255, -1)
        region[mask > 0] = patch[mask > 0]
    else:
        region[:] = patch
    return covered


def _patch(images: Sequence[Image], width: int, height: int, rng: np.random.Generator) -> Image:
    kind = rng.random()
    if kind < 0.35:
        return np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (height, width, 3))
    if kind < 0.5:
        return rng.integers(0, 256, (height, width, 3), np.uint8)
    image = images[int(rng.integers(len(images)))]
    rows, columns = image.shape[:2]
    part_width, part_height = min(width, columns), min(height, rows)
    x, y = int(rng.integers(columns - part_width + 1)), int(rng.integers(rows - part_height + 1))
    part = image[y : y + part_height, x : x + part_width]
    return cv2.resize(part, (width, height)).astype(np.uint8, copy=False)


def draw_shapes(rng: np.random.Generator) -> Image:
    """Draw ellipses, strokes and letters on a gradient; such negatives resemble logos and signs."""
    ends = rng.integers(0, 256, (2, 3)).astype(np.float32)
    ramp = np.linspace(0, 1, 160, dtype=np.float32)[:, None, None]
    image = np.ascontiguousarray(
        np.broadcast_to(ends[0] + (ends[1] - ends[0]) * ramp, (160, 160, 3))
    )
    image = image.astype(np.uint8)
    for _ in range(int(rng.integers(1, 9))):
        colour = rng.integers(0, 256, 3).tolist()
        x, y, second_x, second_y = (int(v) for v in rng.integers(8, 152, 4))
        kind = rng.random()
        if kind < 0.6:
            shape = ((x, y), (second_x * 0.6 + 4, second_y * 0.6 + 4), float(rng.uniform(0, 180)))
            cv2.ellipse(image, shape, colour, -1 if rng.random() < 0.7 else 3, cv2.LINE_AA)
        elif kind < 0.8:
            cv2.line(
                image, (x, y), (second_x, second_y), colour, int(rng.integers(1, 12)), cv2.LINE_AA
            )
        else:
            letter = chr(int(rng.integers(33, 127)))
            cv2.putText(image, letter, (x, y), 0, rng.uniform(0.5, 4), colour, 3, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 2.5)).astype(np.uint8, copy=False)
