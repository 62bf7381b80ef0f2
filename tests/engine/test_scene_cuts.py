"""A cut is told from motion, light and noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.engine.scene_cuts import is_cut, thumbnail


def scene(seed: int, size: tuple[int, int] = (640, 360)) -> np.ndarray:
    """Large soft shapes, as rooms have them."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(20, 230, (7, 10, 3)).astype(np.float32)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_another_scene_is_a_cut() -> None:
    pairs = [(scene(2 * i), scene(2 * i + 1)) for i in range(20)]
    assert all(is_cut(thumbnail(a), thumbnail(b)) for a, b in pairs)


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (97, 61), (120, 200)])
def test_motion_light_and_noise_are_none(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first = scene(1, size)
    height, width = first.shape[:2]
    shift = np.array([[1, 0, 0.09 * width], [0, 1, -0.1 * height]])
    moved = cv2.warpAffine(first, shift, size, borderMode=cv2.BORDER_REPLICATE)
    noisy = (moved * 0.4 + rng.normal(0, 25, moved.shape)).clip(0, 255).astype(np.uint8)
    assert not is_cut(thumbnail(first), thumbnail(first))
    assert not is_cut(thumbnail(first), thumbnail(noisy))


def test_a_picture_without_structure_is_a_scene_of_its_own() -> None:
    black, fog = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 200, np.uint8)
    assert not is_cut(thumbnail(black), thumbnail(fog))
    assert is_cut(thumbnail(black), thumbnail(scene(1)))
    assert is_cut(thumbnail(scene(1)), thumbnail(black))
