"""Occluders with known masks: they hide what they say, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.face.landmark_boxes import landmark_box
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.face_occlusion import cover_box, with_cover
from steadymark.models.synthesis.conditions.known_occlusion import OCCLUDERS, hidden_by, occlude

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points

SIZE = 240


def noise_face() -> tuple[Image, Points]:
    image = np.random.default_rng(5).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    points = (load_schema("ibug68").mean_shape * 120 + SIZE / 2).astype(np.float32)
    return image, points


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_hidden_landmarks_lie_where_the_image_changed_and_visible_ones_elsewhere(
    kind: str,
) -> None:
    image, points = noise_face()
    textures = [255 - image]
    for seed in range(4):
        covered, hidden = occlude(kind, image, points, textures, np.random.default_rng(seed))
        assert 0.06 <= hidden.mean() <= 0.6
        pixels = np.rint(points).astype(int)
        changed = (covered != image).any(2)[pixels[:, 1], pixels[:, 0]]
        assert changed[hidden].mean() > 0.9
        # the soft edge of an occluder may change a pixel that does not count as hidden
        assert changed[~hidden].mean() < 0.25


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_the_same_seed_gives_the_same_occluder(kind: str) -> None:
    image, points = noise_face()
    first, second = (
        occlude(kind, image, points, [image], np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("seed", range(12))
def test_the_mask_of_cover_box_changes_none_of_its_pixels(seed: int) -> None:
    image, points = noise_face()
    plain, layers = image.copy(), with_cover(image)
    box = landmark_box(points)
    cover_box(plain, box, 10.0, np.random.default_rng(seed))
    cover_box(layers, box, 10.0, np.random.default_rng(seed))
    np.testing.assert_array_equal(layers[..., :3], plain)
    opacity = layers[..., 3]
    change = np.abs(plain.astype(int) - image).max(2)
    assert change[opacity == 0].max() <= 2  # opacities below 1/255 are rounded to 0
    assert (opacity > 0).any()


def test_landmarks_outside_the_image_are_not_hidden() -> None:
    opacity = np.full((10, 20), 255, np.uint8)
    points = np.array([[5, 5], [-1, 5], [5, 10], [19, 9], [20, 9]], np.float32)
    assert hidden_by(opacity, points).tolist() == [True, False, False, True, False]
