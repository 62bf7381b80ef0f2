"""The accuracy measures against plain loops and values known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.metrics.accuracy import (
    auc,
    box_diagonal,
    box_size,
    cumulative_curve,
    failure_rate,
    inter_pupil_distance,
    mean_of_finite,
    nrmse,
    outer_eye_distance,
    point_errors,
)

RNG = np.random.default_rng(4)
GROUND_TRUTH = RNG.uniform(0, 200, (7, 68, 2))
PREDICTED = GROUND_TRUTH + RNG.normal(0, 3, GROUND_TRUTH.shape)


def test_nrmse_is_the_mean_distance_over_the_outer_eye_distance() -> None:
    for face, value in enumerate(nrmse(PREDICTED, GROUND_TRUTH)):
        total = 0.0
        for k in range(68):
            total += math.dist(PREDICTED[face, k], GROUND_TRUTH[face, k])
        eyes = math.dist(GROUND_TRUTH[face, 36], GROUND_TRUTH[face, 45])
        assert value == pytest.approx(100 * total / 68 / eyes)


def test_other_normalisations_use_the_ground_truth() -> None:
    points = np.zeros((68, 2))
    points[0] = (-3, 0)
    points[1] = (0, 4)
    points[42:48] = (0.0, 2.0)
    assert inter_pupil_distance(points) == pytest.approx(2)
    assert outer_eye_distance(points) == pytest.approx(2)
    assert box_diagonal(points) == pytest.approx(5)
    assert box_size(points) == pytest.approx(math.sqrt(12))
    assert nrmse(points + 1, points, box_diagonal) == pytest.approx(100 * math.sqrt(2) / 5)


def test_failures_are_faces_at_the_bound_or_not_found() -> None:
    errors = np.array([1.0, 7.99, 8.0, 12.0, np.nan])
    assert failure_rate(errors) == pytest.approx(3 / 5)
    assert failure_rate(errors, 10.0) == pytest.approx(2 / 5)


def test_auc_is_the_integral_of_the_cumulative_curve() -> None:
    errors = np.append(RNG.uniform(0, 12, 200), np.nan)
    steps = np.linspace(0, 8, 20_001)
    area = 0.0
    for i in range(len(steps) - 1):
        middle = (steps[i] + steps[i + 1]) / 2
        area += float((errors <= middle).mean()) * (steps[i + 1] - steps[i])
    assert auc(errors, 8.0) == pytest.approx(area / 8, abs=1e-4)


def test_auc_is_one_without_error_and_zero_for_failures() -> None:
    assert auc(np.zeros(3)) == 1
    assert auc(np.array([8.0, np.nan])) == 0


def test_the_cumulative_curve_counts_faces_up_to_each_bound() -> None:
    curve = cumulative_curve(np.array([1.0, 2.0, np.nan, 4.0]), [0, 1, 3, 100])
    assert curve.tolist() == [0, 0.25, 0.5, 0.75]


def test_an_empty_list_of_errors_is_refused() -> None:
    with pytest.raises(ValueError, match="N ≥ 1"):
        auc(np.array([]))


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="against"):
        nrmse(PREDICTED[:3], GROUND_TRUTH)


def test_the_error_of_each_point_is_its_distance_in_percent() -> None:
    errors = point_errors(PREDICTED, GROUND_TRUTH)
    eyes = math.dist(GROUND_TRUTH[2, 36], GROUND_TRUTH[2, 45])
    assert errors.shape == (7, 68)
    assert errors[2, 5] == pytest.approx(
        100 * math.dist(PREDICTED[2, 5], GROUND_TRUTH[2, 5]) / eyes
    )


def test_the_mean_ignores_values_that_are_not_finite() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.inf]])
    assert mean_of_finite(values) == 2
    np.testing.assert_array_equal(mean_of_finite(values, 1), [2, np.nan])
    assert math.isnan(mean_of_finite(np.array([])))


def test_an_error_is_unknown_where_the_reference_length_is_zero() -> None:
    truth = np.zeros((2, 68, 2))
    truth[1, 45] = (4.0, 0.0)
    errors = point_errors(truth + 1.0, truth)
    assert np.isnan(errors[0]).all()
    assert np.isfinite(errors[1]).all()
