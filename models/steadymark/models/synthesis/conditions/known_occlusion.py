"""Occluders that hide a known part of a face, to test whether landmark scores notice them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import fit_crop
from steadymark.models.face.landmark_boxes import landmark_box
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.conditions.face_occlusion import (
    cover_with_clothing,
    cover_with_fingers,
    cover_with_object,
    cover_with_patch,
    with_cover,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

    Mask = NDArray[np.bool_]

HIDING_OPACITY = 128  # opacity, 0 to 255, from which a landmark counts as hidden
_FEWEST, _MOST = 0.06, 0.6  # share of the landmarks that an occluder hides
_ATTEMPTS = 12
_SPIKES = 5  # frequencies of a blob's outline


def occlude(
    kind: str, image: Image, points: Points, textures: Sequence[Image], rng: Generator
) -> tuple[Image, Mask]:
    """Hide a part of a face.

    Args:
        kind: One of `OCCLUDERS`.
        image: (H, W, 3) uint8 BGR.
        points: (68, 2) iBUG landmarks in pixels of the image.
        textures: Photos (h, w, 3) of which the kind `photo` shows a part.
        rng: Makes all random choices.

    Returns:
        The image with an occluder that hides 6 to 60 % of the landmarks, if one of a few attempts
        did so, and (68,) bool, True where a landmark is hidden.
    """
    roll = fit_crop(points, load_schema(IBUG68).mean_shape, margin=1).roll_deg
    hidden: Mask = np.zeros(len(points), np.bool_)
    covered = image
    for _ in range(_ATTEMPTS):
        layers = with_cover(image)
        OCCLUDERS[kind](layers, landmark_box(points), roll, textures, rng)
        covered, hidden = np.ascontiguousarray(layers[..., :3]), hidden_by(layers[..., 3], points)
        if _FEWEST <= hidden.mean() <= _MOST:
            break
    return covered, hidden


def hidden_by(opacity: Image, points: Points) -> Mask:
    """Return which landmarks an occluder hides.

    Args:
        opacity: (H, W) uint8 opacity of the occluder.
        points: (K, 2) landmarks in pixels.

    Returns:
        (K,) bool; False for landmarks outside the image.
    """
    pixels = np.rint(points).astype(int)
    inside = ((pixels >= 0) & (pixels < opacity.shape[::-1])).all(1)
    hidden: Mask = np.zeros(len(points), np.bool_)
    hidden[inside] = opacity[pixels[inside, 1], pixels[inside, 0]] >= HIDING_OPACITY
    return hidden


def _blob(box: NDArray[np.floating], size: tuple[int, int], rng: Generator) -> NDArray[np.float32]:
    """Return the opacity (H, W), 0 to 1, of a smooth shape over a part of the box."""
    sides = (box[2:] - box[:2]).astype(np.float64)
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    radius = np.ones_like(angles)
    for frequency in range(2, _SPIKES):
        radius += rng.normal(0, 0.25 / frequency) * np.cos(
            frequency * angles + rng.uniform(0, 2 * np.pi)
        )
    radius = radius.clip(0.3, None) * sides.mean() * rng.uniform(0.18, 0.42)
    stretch = np.exp(rng.normal(0, 0.25))
    outline = np.stack((np.cos(angles) * stretch, np.sin(angles) / stretch), 1) * radius[:, None]
    outline += box[:2] + rng.uniform(0.05, 0.95, 2) * sides
    mask = np.zeros(size, np.float32)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 1.5)), np.float32)


def _paint(layers: Image, colour: NDArray[np.floating], mask: NDArray[np.float32]) -> None:
    """Blend a colour (3,) or picture (H, W, 3) into the image by the opacity, in place."""
    opaque = np.full((*layers.shape[:2], 4), 255, np.float32)
    opaque[..., :3] = colour
    layers[:] = (layers + mask[..., None] * (opaque - layers)).clip(0, 255).astype(np.uint8)


def _smooth_noise(size: tuple[int, int], cells: int, rng: Generator) -> NDArray[np.float32]:
    small = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _fingers(
    layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator
) -> None:
    cover_with_fingers(layers, box, rng)


def _hand(layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator) -> None:
    cover_with_object(layers, box, rng, ("hand",))


def _object(layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator) -> None:
    cover_with_object(layers, box, rng, ("mug", "microphone"))


def _clothing(
    layers: Image, box: NDArray[np.floating], roll_deg: float, _: object, rng: Generator
) -> None:
    cover_with_clothing(layers, box, roll_deg, rng)


def _patch(layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator) -> None:
    cover_with_patch(layers, box, rng)


def _flat(layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator) -> None:
    _paint(layers, rng.uniform(0, 255, 3), _blob(box, layers.shape[:2], rng))


def _skin(layers: Image, box: NDArray[np.floating], _: float, __: object, rng: Generator) -> None:
    """Draw a shaded blob in the colour of the face, like the back of a hand out of focus."""
    x, y = (box[:2] + rng.uniform(0.3, 0.7, 2) * (box[2:] - box[:2])).astype(int)
    patch = layers[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4, :3]
    colour = patch.reshape(-1, 3).mean(0) * rng.uniform(0.7, 1.25)
    size = layers.shape[:2]
    shade = 1 + 0.12 * _smooth_noise(size, 6, rng) + 0.05 * _smooth_noise(size, 40, rng)
    _paint(layers, colour * shade[..., None], _blob(box, size, rng))


def _photo(
    layers: Image,
    box: NDArray[np.floating],
    _: float,
    textures: Sequence[Image],
    rng: Generator,
) -> None:
    """Draw a blob that shows a part of another photo, at the scale of that photo."""
    texture = textures[int(rng.integers(len(textures)))]
    height, width = layers.shape[:2]
    rows, columns = texture.shape[:2]
    zoom = max(height / rows, width / columns) * rng.uniform(1.0, 1.8)
    large = cv2.resize(texture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    top = int(rng.integers(large.shape[0] - height + 1)) if large.shape[0] > height else 0
    left = int(rng.integers(large.shape[1] - width + 1)) if large.shape[1] > width else 0
    part = cv2.resize(large[top : top + height, left : left + width], (width, height))
    _paint(layers, part.astype(np.float32), _blob(box, (height, width), rng))


OCCLUDERS: dict[
    str, Callable[[Image, NDArray[np.floating], float, Sequence[Image], Generator], None]
] = {
    "fingers": _fingers,
    "hand": _hand,
    "object": _object,
    "clothing": _clothing,
    "patch": _patch,
    "flat": _flat,
    "skin": _skin,
    "photo": _photo,
}
"""Kinds of occluders. Each draws into an image of `with_cover`, (H, W, 4), in place."""
