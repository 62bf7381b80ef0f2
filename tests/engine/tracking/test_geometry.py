from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.core.types import FaceBox
from steadymark.engine.tracking.geometry import (
    Recentre,
    box_of_landmarks,
    crop_of_box,
    crop_of_landmarks,
    to_frame,
)
from steadymark.models.face.crop import (
    Crop,
    Points,
    cut,
    fit_crop,
    inverse,
    keep_crop_if_still,
    lead,
    transform,
)
from steadymark.models.face.schema import load_schema

SCHEMA = load_schema("ibug68")


def face_at(x: float, y: float, size: float, roll_deg: float) -> Points:
    a = np.radians(roll_deg)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    moved: Points = (SCHEMA.mean_shape @ turn.T * size + (x, y)).astype(np.float32)
    return moved


@pytest.mark.parametrize("roll_deg", [-170, -45, 0, 10, 90])
def test_a_fitted_crop_has_the_centre_size_and_roll_of_the_face(roll_deg: float) -> None:
    crop = fit_crop(face_at(300, 200, 80, roll_deg), SCHEMA.mean_shape, margin=1.5)
    assert (crop.x, crop.y, crop.side) == pytest.approx((300, 200, 120), abs=1e-3)
    assert crop.roll_deg == pytest.approx(roll_deg, abs=1e-3)


def test_both_rules_agree_on_an_average_upright_face() -> None:
    xy = face_at(100, 100, 80, 5)
    fit = crop_of_landmarks(xy, SCHEMA, margin=1.4)
    eyes = crop_of_landmarks(xy, SCHEMA, margin=1.4, rule=Recentre.EYES)
    assert eyes.side == pytest.approx(fit.side, rel=1e-4)
    assert (eyes.x, eyes.y) == pytest.approx(tuple(xy.mean(0)), abs=1e-3)


def test_the_eyes_rule_shrinks_on_a_profile_and_the_fit_does_not() -> None:
    profile = face_at(100, 100, 80, 0)
    profile[:, 0] = 100 + 0.25 * (profile[:, 0] - 100)
    fit = crop_of_landmarks(profile, SCHEMA, margin=1.4)
    eyes = crop_of_landmarks(profile, SCHEMA, margin=1.4, rule=Recentre.EYES)
    assert eyes.side < 0.3 * 112
    assert fit.side > 0.55 * 112


def test_mapping_to_the_frame_and_back_is_exact() -> None:
    crop = Crop(123.4, 56.7, 89.1, 33)
    points = np.random.default_rng(0).uniform(0, 127, (68, 2)).astype(np.float32)
    back = transform(crop.matrix_from_image(128), to_frame(points, crop, 128))
    np.testing.assert_allclose(back, points, atol=1e-3)


def test_a_crop_of_the_whole_image_equals_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    cropped = cut(image, Crop(31.5, 31.5, 64).matrix_to_image(64), 64)
    np.testing.assert_array_equal(cropped, image)


@pytest.mark.parametrize("factor", [1.3, 2.0, 3.7, 8.2])
def test_a_point_is_cut_to_the_position_of_the_matrix_at_every_scale(factor: float) -> None:
    rows, columns = np.mgrid[0:900, 0:1200].astype(np.float32)
    blob = 255 * np.exp(-((columns - 612.3) ** 2 + (rows - 431.8) ** 2) / (2 * (6 * factor) ** 2))
    image = np.repeat(blob.astype(np.uint8)[..., None], 3, axis=2)
    matrix = Crop(600, 440, 128 * factor, 12).matrix_to_image(128)
    crop = cut(image, matrix, 128)[..., 0].astype(float)
    crop[crop < 30] = 0
    y, x = np.mgrid[0:128, 0:128]
    centre = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum()
    ground_truth = transform(inverse(matrix), np.array([612.3, 431.8]))
    assert np.abs(centre - ground_truth).max() < 0.1


@pytest.mark.parametrize("crop", [Crop(-5000, 0, 900), Crop(10, 10, 9000), Crop(5, 5, 1e-3)])
def test_crops_outside_the_image_or_of_extreme_size_give_an_image(crop: Crop) -> None:
    image = np.full((40, 60, 3), 255, np.uint8)
    assert cut(image, crop.matrix_to_image(128), 128).shape == (128, 128, 3)


def test_the_crop_does_not_move_within_the_dead_band() -> None:
    current = Crop(100, 100, 100, 0)
    for target in (Crop(103, 98, 100), Crop(100, 100, 103), Crop(100, 100, 100, 4)):
        assert keep_crop_if_still(current, target, dead_band=0.04) == current


def test_outside_the_dead_band_the_crop_moves_by_the_remainder() -> None:
    current = Crop(100, 100, 100, 0)
    assert keep_crop_if_still(current, Crop(110, 100, 100), dead_band=0.04).x == pytest.approx(106)
    grown = keep_crop_if_still(current, Crop(100, 100, 120), dead_band=0.04).side
    assert grown == pytest.approx(120 / np.exp(0.04))
    turned = keep_crop_if_still(current, Crop(100, 100, 100, 20), dead_band=0.04).roll_deg
    assert turned == pytest.approx(20 - np.degrees(0.08))


def test_the_crop_moves_continuously() -> None:
    current = Crop(100, 100, 100, 0)
    for x in np.linspace(100, 110, 200):
        near, slightly_moved = (
            keep_crop_if_still(current, Crop(x + e, 100, 100), dead_band=0.04).x for e in (0, 1e-6)
        )
        assert abs(near - slightly_moved) < 1e-5


def test_roll_differences_wrap_at_180_degrees() -> None:
    current = Crop(100, 100, 100, 179.5)
    assert keep_crop_if_still(current, Crop(100, 100, 100, -179.5), dead_band=0.04) == current


def test_a_crop_of_a_box_uses_its_longer_side() -> None:
    crop = crop_of_box(FaceBox(10, 20, 40, 60, 1.0, 15), margin=1.5)
    assert crop == Crop(30, 50, 90, 15)


def test_the_box_of_landmarks_is_their_extent() -> None:
    box = box_of_landmarks(face_at(50, 60, 40, 0), score=0.5)
    assert box.width == pytest.approx(40, abs=0.01)
    assert box.left + box.width / 2 == pytest.approx(50, abs=0.01)


def test_a_crop_leads_only_a_fast_face() -> None:
    current = Crop(100, 100, 100, 5)
    assert lead(current, Crop(50, 50, 100), Crop(51.9, 50, 100)) == current
    fast = lead(current, Crop(50, 50, 100), Crop(60, 50, 100))
    assert (fast.x, fast.y, fast.side, fast.roll_deg) == pytest.approx((108, 100, 100, 5))
    assert lead(current, Crop(50, 50, 100), Crop(150, 50, 100)) == current
    step = [lead(current, Crop(0, 0, 100), Crop(v, 0, 100)).x for v in (1.999, 2.001)]
    assert step[1] - step[0] == pytest.approx(0, abs=0.01)
