"""Cuts are distinguished from motion, light and noise."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from steadymark.engine.tracking.scene_cuts import is_cut, thumbnail
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting


def scene(seed: int, size: tuple[int, int] = (640, 360)) -> np.ndarray:
    """Return an image of large soft shapes, like a room."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(20, 230, (7, 10, 3)).astype(np.float32)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_a_change_of_the_scene_is_a_cut() -> None:
    pairs = [(scene(2 * i), scene(2 * i + 1)) for i in range(20)]
    assert all(is_cut(thumbnail(a), thumbnail(b)) for a, b in pairs)


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (97, 61), (120, 200)])
def test_motion_light_and_noise_are_not_cuts(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first = scene(1, size)
    height, width = first.shape[:2]
    shift = np.array([[1, 0, 0.09 * width], [0, 1, -0.1 * height]])
    moved = cv2.warpAffine(first, shift, size, borderMode=cv2.BORDER_REPLICATE)
    noisy = (moved * 0.4 + rng.normal(0, 25, moved.shape)).clip(0, 255).astype(np.uint8)
    assert not is_cut(thumbnail(first), thumbnail(first))
    assert not is_cut(thumbnail(first), thumbnail(noisy))


@pytest.mark.parametrize("size", [(400, 300), (1921, 1079), (3, 500)])
def test_the_thumbnail_sees_every_nth_pixel_of_each_row_and_column(size: tuple[int, int]) -> None:
    width, height = size
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    step = max(1, min(height // 72, width // 128))
    subsampled = np.ascontiguousarray(image[::step, ::step])
    np.testing.assert_array_equal(thumbnail(image).structure, thumbnail(subsampled).structure)


def test_uniform_images_count_as_one_scene() -> None:
    black, grey = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 200, np.uint8)
    assert not is_cut(thumbnail(black), thumbnail(grey))
    assert is_cut(thumbnail(black), thumbnail(scene(1)))
    assert is_cut(thumbnail(scene(1)), thumbnail(black))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_changing_light_is_not_a_cut(kind: str) -> None:
    light = Lighting(kind, 25.0, seed=2)
    thumbnails = [thumbnail(light.relit(scene(3), index)) for index in range(60)]
    assert not any(is_cut(a, b) for a, b in pairwise(thumbnails))


def test_a_change_of_the_scene_is_a_cut_in_changing_light() -> None:
    for kind in sorted(KINDS):
        light = Lighting(kind, 25.0)
        for i in range(8):
            before, after = light.relit(scene(2 * i), 10 + i), light.relit(scene(2 * i + 1), 11 + i)
            assert is_cut(thumbnail(before), thumbnail(after))


def test_a_white_flash_is_not_a_cut() -> None:
    white = np.full((360, 640, 3), 255, np.uint8)
    assert not is_cut(thumbnail(scene(1)), thumbnail(white))
    assert not is_cut(thumbnail(white), thumbnail(scene(1)))
