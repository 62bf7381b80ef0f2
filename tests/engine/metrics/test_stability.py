"""The stability measures against plain loops and motions with known results."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.metrics.accuracy import nrmse
from steadymark.engine.metrics.stability import (
    allan_variance,
    allan_variance_of_positions,
    coefficient_of_variation,
    fast_and_slow_error,
    lag_frames,
    mav,
    mav_of_positions,
    mcv,
    mcv_of_positions,
    mcv_still,
    mean_motion,
    nmf,
    with_dropped_frames,
)
from support.fakes.fake_results import face_points

RNG = np.random.default_rng(5)
STILL = np.repeat(face_points()[None].astype(np.float64), 40, axis=0)
NOISY = STILL + RNG.normal(0, 0.4, STILL.shape)


def swinging_face(frames: int = 200, late: float = 0.0) -> np.ndarray:
    """Return a face that swings in both axes, delayed by `late` frames."""
    t = np.arange(frames) - late
    path = np.stack((30 * np.sin(t / 9), 12 * np.cos(t / 5.3)), axis=-1)
    moved: np.ndarray = face_points()[None] + path[:, None]
    return moved


def eye_distance(video: np.ndarray) -> float:
    return sum(math.dist(f[36], f[45]) for f in video) / len(video)


def test_mav_is_equation_11_in_plain_loops() -> None:
    size = eye_distance(NOISY) / 100
    values = []
    for k in range(68):
        for axis in range(2):
            u = [frame[k][axis] / size for frame in NOISY]
            total = sum((u[t + 1] - u[t]) ** 2 for t in range(len(u) - 1))
            values.append(total / (2 * (len(u) - 1)))
    assert allan_variance(NOISY) == pytest.approx(sum(values) / len(values))


def test_mav_of_a_moving_face_measures_its_error() -> None:
    ground_truth = swinging_face()
    assert allan_variance(ground_truth, ground_truth) == 0
    noisy = ground_truth + RNG.normal(0, 0.4, ground_truth.shape)
    size = eye_distance(ground_truth) / 100
    assert allan_variance(noisy, ground_truth) == pytest.approx((0.4 / size) ** 2, rel=0.05)


def test_mav_averages_over_videos_and_ignores_empty_ones() -> None:
    other = STILL + RNG.normal(0, 1, STILL.shape)
    nothing = np.full_like(STILL, np.nan)
    expected = (allan_variance(NOISY) + allan_variance(other)) / 2
    assert mav([NOISY, other, nothing]) == pytest.approx(expected)


def test_frames_without_the_face_are_ignored() -> None:
    gap = NOISY.copy()
    gap[20] = np.nan
    parts = [allan_variance(NOISY[:20]) * 19, allan_variance(NOISY[21:]) * 18]
    assert allan_variance(gap) == pytest.approx(sum(parts) / 37, rel=0.01)
    assert math.isfinite(mean_motion(gap))


def test_mean_motion_is_in_percent_of_the_eye_distance() -> None:
    size = eye_distance(NOISY)
    steps = [
        math.dist(NOISY[t + 1][k], NOISY[t][k]) for t in range(len(NOISY) - 1) for k in range(68)
    ]
    assert mean_motion(NOISY) == pytest.approx(100 * sum(steps) / len(steps) / size)
    assert mean_motion(STILL) == 0


def test_the_coefficient_of_variation_is_equation_9() -> None:
    x = [3.0, 4.0, 8.0]
    mean = sum(x) / 3
    expected = math.sqrt(sum((v - mean) ** 2 for v in x) / 2) / mean
    assert float(coefficient_of_variation(np.array([*x, np.nan]))) == pytest.approx(expected)


def test_mcv_is_equation_10_in_percent() -> None:
    errors = [nrmse(NOISY, STILL), nrmse(NOISY[:10] + 1, STILL[:10])]
    each = [np.std(e, ddof=1) / np.mean(e) for e in errors]
    assert mcv(errors) == pytest.approx(100 * sum(each) / 2)


def test_mcv_without_ground_truth_uses_distances_to_the_mean_position() -> None:
    values = []
    for k in range(68):
        mean = [sum(f[k][a] for f in NOISY) / len(NOISY) for a in range(2)]
        d = [math.dist(f[k], mean) for f in NOISY]
        middle = sum(d) / len(d)
        values.append(math.sqrt(sum((v - middle) ** 2 for v in d) / (len(d) - 1)) / middle)
    assert mcv_still([NOISY]) == pytest.approx(100 * sum(values) / 68)


@pytest.mark.parametrize("late", [-2, -0.5, 0, 0.3, 1, 1.54, 3])
def test_lag_is_measured_to_fractions_of_a_frame(late: float) -> None:
    noisy = swinging_face(late=late) + RNG.normal(0, 0.05, (200, 68, 2))
    assert lag_frames(noisy, swinging_face()) == pytest.approx(late, abs=0.05)


def test_an_exponential_filter_lags() -> None:
    ground_truth = swinging_face()
    smooth = ground_truth.copy()
    for t in range(1, len(smooth)):
        smooth[t] = 0.5 * smooth[t - 1] + 0.5 * ground_truth[t]
    assert 0.6 < lag_frames(smooth, ground_truth) < 1.2


def test_lag_is_nan_without_motion() -> None:
    assert math.isnan(lag_frames(STILL, STILL))
    assert math.isnan(lag_frames(STILL[:2], STILL[:2]))


def test_a_delay_increases_the_error_of_the_fastest_frames() -> None:
    ground_truth = np.concatenate((STILL, STILL + 30))
    delayed = np.concatenate((STILL, STILL[:1], STILL[1:] + 30))
    fast, rest = fast_and_slow_error(nrmse(delayed, ground_truth), ground_truth, share=1 / 79)
    assert fast == pytest.approx(float(nrmse(STILL[0], STILL[0] + 30)))
    assert rest == 0


def test_one_frame_has_no_motion() -> None:
    assert math.isnan(mean_motion(STILL[:1]))
    assert math.isnan(allan_variance(STILL[:1]))
    assert all(math.isnan(v) for v in fast_and_slow_error(np.zeros(1), STILL[:1]))


def test_motion_in_percent_of_the_true_eye_distance() -> None:
    assert mean_motion(NOISY, 2 * STILL) == pytest.approx(
        mean_motion(NOISY) * eye_distance(NOISY) / eye_distance(2 * STILL)
    )


def test_fast_frames_are_found_with_incomplete_ground_truth() -> None:
    ground_truth = swinging_face()
    errors = RNG.uniform(1, 2, len(ground_truth))
    partial = np.full_like(ground_truth, np.nan)
    partial[:, [36, 45, 50]] = ground_truth[:, [36, 45, 50]]
    fast, rest = fast_and_slow_error(errors, partial)
    assert (fast, rest) == pytest.approx(fast_and_slow_error(errors, ground_truth))
    assert math.isfinite(fast)


def test_mav_of_positions_is_equation_11_of_locations_in_square_pixels() -> None:
    video = np.zeros((4, 2, 2))
    video[:, 0] = [(0, 0), (3, 4), (3, 4), (3, 6)]  # squares of steps: 25, 0, 4
    expected = (25 + 0 + 4) / (2 * 3)
    assert allan_variance_of_positions(video) == pytest.approx(expected / 2)  # the other is still
    assert mav_of_positions([video, 0 * video]) == pytest.approx(expected / 4)
    moved = swinging_face(20)
    assert allan_variance_of_positions(moved) > 1  # true motion counts
    assert allan_variance_of_positions(2 * moved) == pytest.approx(
        4 * allan_variance_of_positions(moved)
    )


def test_mcv_of_positions_is_equations_9_and_10_of_coordinates() -> None:
    video = np.full((3, 1, 2), 50.0)
    video[:, 0, 0] = [99, 100, 101]  # standard deviation 1 by N - 1, mean 100: 1 %
    assert mcv_of_positions([video]) == pytest.approx((1 + 0) / 2)
    gap = np.concatenate((video, np.full((1, 1, 2), np.nan)))
    still = np.full((3, 1, 2), 50.0)
    assert mcv_of_positions([gap, still]) == pytest.approx(0.25)


def test_nmf_is_the_mean_change_of_the_error_in_percent_of_the_eye_distance() -> None:
    ground_truth = swinging_face(4)
    size = eye_distance(ground_truth)
    found = ground_truth + 7.0  # an error that does not change is no flicker
    assert nmf(found, ground_truth) == pytest.approx(0, abs=1e-9)
    found[2, 10] += (3.0, 4.0)  # 5 px there and back, of 3 steps of 68 landmarks
    assert nmf(found, ground_truth) == pytest.approx(10 / (3 * 68) / size * 100)
    found[3] = np.nan
    assert nmf(found, ground_truth) == pytest.approx(5 / (2 * 68) / size * 100)


def test_dropped_frames_do_not_count_as_motion() -> None:
    times = np.array([0, 1, 2, 5, 6, 90, 91]) / 30
    moving_on = STILL[:7] + np.rint(times * 30)[:, None, None]
    whole = with_dropped_frames(moving_on, times)
    assert len(whole) == 7 + 2 + 10
    assert np.isnan(whole[3:5]).all()
    np.testing.assert_array_equal(whole[[0, 1, 2, 5, 6, -2, -1]], moving_on)
    assert mean_motion(whole) == pytest.approx(100 * math.sqrt(2) / eye_distance(moving_on))
    assert mean_motion(moving_on) > 10 * mean_motion(whole)
    np.testing.assert_array_equal(with_dropped_frames(STILL[:1], times[:1]), STILL[:1])
