from __future__ import annotations

import numpy as np

from steadymark.engine.core.types import Landmarks
from steadymark.engine.stabilizers.one_euro import OneEuro
from steadymark.models.face.schema import load_schema


def points(noise: float, rng: np.random.Generator) -> Landmarks:
    shape = load_schema("ibug68").mean_shape * 100
    xy = (shape + rng.normal(0, noise, shape.shape)).astype(np.float32)
    return Landmarks(xy, np.ones(68, np.float32))


def test_one_euro_reduces_jitter() -> None:
    rng, stabilizer = np.random.default_rng(0), OneEuro()
    state, raw, steady = stabilizer.start(), [], []
    for i in range(100):
        raw_points = points(0.5, rng)
        smoothed, state = stabilizer.step(raw_points, i / 30, state)
        raw.append(raw_points.xy_px)
        steady.append(smoothed.xy_px)
    assert np.diff(steady[20:], axis=0).std() < 0.4 * np.diff(raw[20:], axis=0).std()


def test_one_euro_depends_on_time_not_on_frame_count() -> None:
    rng, stabilizer = np.random.default_rng(0), OneEuro()
    first, second = points(0, rng), points(3, rng)
    steps = []
    for gap_s in (1 / 60, 1 / 10):
        _, state = stabilizer.step(first, 0.0, stabilizer.start())
        smoothed, _ = stabilizer.step(second, gap_s, state)
        steps.append(np.abs(smoothed.xy_px - first.xy_px).mean())
    assert steps[0] < 0.7 * steps[1]


def test_one_euro_restarts_after_a_gap_or_a_jump_back() -> None:
    rng, stabilizer = np.random.default_rng(0), OneEuro()
    _, state = stabilizer.step(points(0, rng), 5.0, stabilizer.start())
    for t_s in (7.0, 4.0):
        later = points(3, rng)
        smoothed, _ = stabilizer.step(later, t_s, state)
        np.testing.assert_array_equal(smoothed.xy_px, later.xy_px)
