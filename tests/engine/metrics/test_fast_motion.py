"""Motion faster than 5 Hz tells jitter while the face moves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.metrics.fast_motion import fast_motion
from steadymark.models.face.schema import load_schema

FPS, SIZE_PX = 30.0, 100.0
TIMES = np.arange(300) / FPS
FACE = load_schema("ibug68").mean_shape * SIZE_PX
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def moving(hz: float, amplitude_px: float) -> Array:
    """Return a face that moves to and fro sideways."""
    x = amplitude_px * np.sin(2 * np.pi * hz * TIMES)
    return np.asarray(FACE + np.stack([x, 0 * x], -1)[:, None], np.float64)


def noise(sigma_px: float) -> Array:
    return np.random.default_rng(3).normal(0, sigma_px, (len(TIMES), 68, 2))


def test_slow_motion_does_not_count_and_jitter_does() -> None:
    assert fast_motion(moving(1.0, 20), TIMES, SIZE_PX) < 0.05
    still = fast_motion(moving(0, 0) + noise(0.5), TIMES, SIZE_PX)
    assert still == pytest.approx(0.5, rel=0.25)
    assert fast_motion(moving(1.0, 20) + noise(0.5), TIMES, SIZE_PX) == pytest.approx(
        still, rel=0.1
    )


def test_fast_motion_of_the_whole_face_counts() -> None:
    assert fast_motion(moving(10.0, 2), TIMES, SIZE_PX) > 1


def test_twice_the_jitter_is_twice_the_value_whatever_the_size_of_the_face() -> None:
    one, two = (fast_motion(moving(1, 20) + noise(s), TIMES, SIZE_PX) for s in (0.5, 1.0))
    assert two == pytest.approx(2 * one, rel=0.1)
    larger = fast_motion(3 * (moving(1, 20) + noise(0.5)), TIMES, 3 * SIZE_PX)
    assert larger == pytest.approx(one)


def test_a_single_jump_and_the_blink_of_an_eye_count_little() -> None:
    points = moving(1, 20) + noise(0.2)
    before = fast_motion(points, TIMES, SIZE_PX)
    points[150:] += 80
    points[100:103, 36:48] += 6
    assert fast_motion(points, TIMES, SIZE_PX) == pytest.approx(before, rel=0.2)


def test_it_is_unknown_for_slow_videos_and_short_segments() -> None:
    points = moving(1, 20)
    assert math.isnan(fast_motion(points, np.arange(300) / 10, SIZE_PX))
    assert math.isnan(fast_motion(points[:10], TIMES[:10], SIZE_PX))
    gaps = points.copy()
    gaps[::8] = np.nan
    assert math.isnan(fast_motion(gaps, TIMES, SIZE_PX))
    assert math.isnan(fast_motion(points, TIMES, float("nan")))


def test_long_recordings_are_measured_in_parts_with_the_same_result() -> None:
    points = np.tile(moving(0, 0) + noise(0.5), (30, 1, 1))
    times = np.arange(len(points)) / FPS
    whole = fast_motion(points[:300], TIMES, SIZE_PX)
    assert fast_motion(points, times, SIZE_PX) == pytest.approx(whole, rel=0.05)
    assert math.isnan(fast_motion(points, times, SIZE_PX, stop=lambda: True))
