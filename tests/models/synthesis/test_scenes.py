"""Made scenes: their truth is where the picture shows it, and they move as they should."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.head_path import STEP_S, head_path_of_scene
from steadymark.models.synthesis.scenes import FPS, NOISE, Scene, SceneConfig, make_scene, rigid

SCHEMA = load_schema("ibug68")
SEEN = (8, 30, 36, 45)
CRF = (None, 23, 32)
CONFIG = rigid(frames=14, noise=1, flicker=0.0)


def scene(number: int, config: SceneConfig = CONFIG) -> Scene:
    """A grey picture with white dots at some landmarks of an upright face."""
    points = (SCHEMA.mean_shape * 170 + 160).astype(np.float32)
    picture = np.full((320, 320, 3), 70, np.uint8)
    for x, y in points[list(SEEN)]:
        at = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(picture, at, 4 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return make_scene(picture, points, SCHEMA, number, seed=5, config=config)


@pytest.mark.parametrize("number", range(9))
def test_truth_lies_where_the_middle_of_the_exposure_shows_it(number: int) -> None:
    made = scene(number)
    assert (made.fps, made.crf) == (FPS[number % 3], CRF[number // 3])
    assert made.truth.shape == (14, 68, 2)
    rows, columns = np.mgrid[:320, :320]
    for image, truth in zip(made.images, made.truth, strict=True):
        grey = image.astype(float).mean(-1)
        light = (grey - 70 - 15).clip(0)
        for x, y in truth[list(SEEN)]:
            if not (20 < x < 300 and 20 < y < 300):
                continue
            near = light * (np.hypot(columns - x, rows - y) < 16)
            centre = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
            assert np.hypot(*(centre - (x, y))) < 0.5


def test_a_scene_follows_from_its_number_and_only_noise_from_the_level() -> None:
    first, again = scene(4), scene(4)
    np.testing.assert_array_equal(first.images, again.images)
    louder = scene(4, replace(CONFIG, noise=4))
    np.testing.assert_array_equal(first.truth, louder.truth)
    assert not np.array_equal(scene(5).truth, first.truth)
    still = scene(0)
    grain = {
        level: float(scene(0, replace(CONFIG, noise=level)).images[:, :20, :20].std())
        for level in NOISE
    }
    rounding = 12**-0.5  # what whole grey levels add
    for level, deviation in NOISE.items():
        assert grain[level] == pytest.approx(np.hypot(deviation, rounding), rel=0.05)
    assert still.crf is None


def test_light_flickers() -> None:
    made = scene(0, replace(CONFIG, flicker=0.3, frames=30))
    light = made.images[:, :20, :20].mean((1, 2, 3))
    assert 2 < np.ptp(light) < 2 * 0.3 * 70


def test_paths_rest_go_slowly_and_fast_and_stop_at_once() -> None:
    every = np.concatenate(
        [
            np.diff(head_path_of_scene(3, np.random.default_rng(i)).values[:, 0]) / STEP_S
            for i in range(40)
        ]
    )
    speed = np.abs(every)  # outer-eye distances a second
    assert 0.1 < (speed < 1e-9).mean() < 0.5
    assert ((speed > 1e-9) & (speed < 0.5)).mean() > 0.2
    assert (speed > 2).mean() > 0.03
    assert np.abs(np.diff(every)).max() > 2  # a start or stop between two samples


def test_a_shorter_reach_makes_the_same_path_smaller() -> None:
    whole, short = (
        head_path_of_scene(4, np.random.default_rng(3), reach=r).values for r in (1.0, 0.1)
    )
    ways = [np.abs(np.diff(values, axis=0)).sum(0) for values in (whole, short)]
    assert len(whole) == len(short)
    assert (ways[1] < 0.15 * ways[0]).all()
    assert (ways[1] > 0.02 * ways[0]).all()
