"""Deviation of stabilized points from raw ones, on videos with known results."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.metrics.deviation import (
    deviation,
    furthest_point,
    restarts,
    slow_course,
)
from support.fakes.fake_results import face_points

FACE = face_points().astype(np.float64)
EYE_DISTANCE = math.dist(FACE[36], FACE[45])
STILL = np.repeat(FACE[None], 50, axis=0)
TIMES = np.arange(50) / 25


def test_furthest_point_is_the_largest_distance_of_one_landmark_in_one_frame() -> None:
    shifted = STILL.copy()
    shifted[:, 5] += (3.0, 4.0)
    shifted[17, 8] += (6.0, 8.0)
    shifted[30] = np.nan
    assert furthest_point(shifted, STILL) == pytest.approx(10 / EYE_DISTANCE * 100)
    assert math.isnan(furthest_point(np.full_like(STILL, np.nan), STILL))


def test_deviation_gives_mean_and_98th_percentile_of_the_found_points() -> None:
    shifted = STILL.copy()
    shifted[:, :17, 0] += EYE_DISTANCE * 0.02  # a quarter of the landmarks by 2 %
    shifted[3] = np.nan
    result = deviation(shifted, STILL)
    assert result.mean == pytest.approx(0.5)
    assert result.most == pytest.approx(2)
    assert math.isnan(deviation(np.full_like(STILL, np.nan), STILL).mean)


def test_slow_course_keeps_slow_motion_without_lag_and_drops_fast_noise() -> None:
    t = np.arange(200) / 25
    path = np.stack((20 * np.sin(2 * np.pi * 0.5 * t), 0 * t), -1)
    shaking = np.where(np.arange(200) % 2, 1.0, -1.0)[:, None, None]
    moving = FACE + path[:, None]
    course = slow_course(moving + shaking, t)
    result = deviation(course[25:-25], moving[25:-25])
    assert result.mean < 0.01 * deviation(moving + shaking, moving).mean + 0.2
    with_gap = moving.copy()
    with_gap[60] = np.nan
    assert np.isnan(slow_course(with_gap, t)[60]).all()
    assert np.isfinite(slow_course(with_gap, t)[61:]).all()


def test_a_restart_is_a_return_to_the_raw_points_a_detection_or_a_cut() -> None:
    raw = np.random.default_rng(0).normal(0, 1, (20, 68, 2)) + FACE
    steady = raw + 0.5
    steady[0] = raw[0]  # as at the start of every video
    steady[6] = raw[6]  # a restart
    raw[10:12], steady[10:12] = np.nan, np.nan
    steady[12] = raw[12]
    detected, cuts = np.zeros(20, bool), np.zeros(20, bool)
    detected[[0, 12]] = True  # at the start, and after it was lost
    cuts[15] = True
    assert np.flatnonzero(restarts(raw, steady, detected)).tolist() == [6, 12]
    assert np.flatnonzero(restarts(raw, steady, detected, cuts)).tolist() == [6, 12, 15]
    nothing = np.zeros(20, bool)
    assert not restarts(raw, raw, nothing).any()  # without a stabilizer nothing restarts
