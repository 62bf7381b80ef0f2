"""Synthetic scenes: their ground truth matches the image, and their motion is varied."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.head_path import STEP_S, head_path_of_scene
from steadymark.models.synthesis.scenes import FPS, NOISE, Scene, SceneConfig, make_scene, rigid

SCHEMA = load_schema()
DOTTED = (8, 30, 36, 45)
CRF = (None, 23, 32)
CONFIG = rigid(frames=14, noise=1, flicker=0.0)


def scene(number: int, config: SceneConfig = CONFIG) -> Scene:
    """Return a scene of a grey image with white dots at some landmarks of an upright face."""
    points = (SCHEMA.mean_shape * 170 + 160).astype(np.float32)
    image = np.full((320, 320, 3), 70, np.uint8)
    for x, y in points[list(DOTTED)]:
        at = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(image, at, 4 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return make_scene(image, points, SCHEMA, number, seed=5, config=config)


@pytest.mark.parametrize("number", range(9))
def test_ground_truth_is_the_position_at_the_middle_of_the_exposure(number: int) -> None:
    rendered = scene(number)
    assert (rendered.fps, rendered.crf) == (FPS[number % 3], CRF[number // 3])
    assert rendered.truth.shape == (14, 68, 2)
    rows, columns = np.mgrid[:320, :320]
    for image, ground_truth in zip(rendered.images, rendered.truth, strict=True):
        grey = image.astype(float).mean(-1)
        light = (grey - 70 - 15).clip(0)
        for x, y in ground_truth[list(DOTTED)]:
            if not (20 < x < 300 and 20 < y < 300):
                continue
            near = light * (np.hypot(columns - x, rows - y) < 16)
            centre = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
            assert np.hypot(*(centre - (x, y))) < 0.5


def test_a_scene_is_determined_by_its_number_and_the_level_changes_only_noise() -> None:
    first, repeated = scene(4), scene(4)
    np.testing.assert_array_equal(first.images, repeated.images)
    noisier = scene(4, replace(CONFIG, noise=4))
    np.testing.assert_array_equal(first.truth, noisier.truth)
    assert not np.array_equal(scene(5).truth, first.truth)
    still = scene(0)
    noise_level = {
        level: float(scene(0, replace(CONFIG, noise=level)).images[:, :20, :20].std())
        for level in NOISE
    }
    rounding = 12**-0.5  # the deviation of rounding to grey levels
    for level, deviation in NOISE.items():
        assert noise_level[level] == pytest.approx(np.hypot(deviation, rounding), rel=0.05)
    assert still.crf is None


def test_flicker_changes_the_brightness() -> None:
    rendered = scene(0, replace(CONFIG, flicker=0.3, frames=30))
    light = rendered.images[:, :20, :20].mean((1, 2, 3))
    assert 2 < np.ptp(light) < 2 * 0.3 * 70


def test_paths_contain_rest_slow_and_fast_motion_and_sudden_stops() -> None:
    velocities = np.concatenate(
        [
            np.diff(head_path_of_scene(3, np.random.default_rng(i)).values[:, 0]) / STEP_S
            for i in range(40)
        ]
    )
    speed = np.abs(velocities)  # outer-eye distances a second
    assert 0.1 < (speed < 1e-9).mean() < 0.5
    assert ((speed > 1e-9) & (speed < 0.5)).mean() > 0.2
    assert (speed > 2).mean() > 0.03
    assert np.abs(np.diff(velocities)).max() > 2  # a start or stop between two samples


def test_a_shorter_reach_scales_the_same_path() -> None:
    full_path, short_path = (
        head_path_of_scene(4, np.random.default_rng(3), reach=r).values for r in (1.0, 0.1)
    )
    path_lengths = [np.abs(np.diff(values, axis=0)).sum(0) for values in (full_path, short_path)]
    assert len(full_path) == len(short_path)
    assert (path_lengths[1] < 0.15 * path_lengths[0]).all()
    assert (path_lengths[1] > 0.02 * path_lengths[0]).all()
