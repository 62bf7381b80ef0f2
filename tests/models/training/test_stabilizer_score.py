"""The validation score of a stabilizer: frozen lips and lag must not improve it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.models.face.schema import load_schema
from steadymark.models.training.stabilizer.stabilizer_score import (
    LIDS,
    MOUTH,
    StabilizerScore,
    stabilizer_score,
)

SCHEMA = load_schema("ibug68")
T = np.arange(48)


def talking(schema: str = "ibug68") -> np.ndarray:
    """Return exact points (2, 48, K, 2) of two faces that drift, talk and blink."""
    landmark_schema = load_schema(schema)
    rng = np.random.default_rng(0)
    points = np.tile(landmark_schema.mean_shape.astype(np.float64) * 100, (2, 48, 1, 1))
    points += np.cumsum(rng.normal(0, 0.6, (2, 48, 1, 2)), 1)
    if schema == "ibug68":
        for pairs, height in ((MOUTH, 6.0), (LIDS, 3.0)):
            for upper, lower in pairs:
                points[:, :, upper, 1] -= height * (1 + np.sin(0.7 * T))
                points[:, :, lower, 1] += height * (1 + np.sin(0.7 * T))
    return points


def noisy(points: np.ndarray, sigma: float = 0.5) -> np.ndarray:
    noise: np.ndarray = points + np.random.default_rng(1).normal(0, sigma, points.shape)
    return noise


def test_exact_points_have_no_error_no_lag_and_full_amplitude() -> None:
    ground_truth = talking()
    measured = stabilizer_score(ground_truth, ground_truth, SCHEMA)
    assert (measured.nrmse, measured.mav) == (0.0, 0.0)
    assert measured.lag == pytest.approx(0, abs=0.05)
    assert measured.mouth == measured.lids == pytest.approx(1.0)


def test_lips_that_move_half_as_far_have_half_the_amplitude() -> None:
    ground_truth = talking()
    frozen = ground_truth.copy()
    lips = [index for pair in MOUTH for index in pair]
    frozen[:, :, lips] += 0.5 * (ground_truth[:, :1, lips] - ground_truth[:, :, lips])
    frozen[:, :, lips] += (
        0.5 * (ground_truth - ground_truth[:, :1])[:, :, [30]]
    )  # the lips still move with the head
    measured = stabilizer_score(frozen, ground_truth, SCHEMA)
    assert measured.mouth == pytest.approx(0.5, abs=0.03)
    assert measured.lids == pytest.approx(1.0)


def test_a_delay_of_two_frames_is_a_lag_of_two() -> None:
    ground_truth = talking()
    late = np.concatenate((ground_truth[:, :1], ground_truth[:, :1], ground_truth[:, :-2]), 1)
    assert stabilizer_score(late, ground_truth, SCHEMA).lag == pytest.approx(2, abs=0.1)


def test_mav_of_white_noise_is_its_variance() -> None:
    ground_truth = talking()
    eyes = np.linalg.norm(ground_truth[0, 0, 36] - ground_truth[0, 0, 45])
    measured = stabilizer_score(noisy(ground_truth), ground_truth, SCHEMA)
    assert measured.mav == pytest.approx((0.5 * 100 / eyes) ** 2, rel=0.05)


def test_the_score_prefers_a_jittering_face_to_one_with_frozen_lips() -> None:
    ground_truth = talking()
    mean = ground_truth.mean(1, keepdims=True)
    frozen = mean + (ground_truth - mean) * 0.4
    jittering, with_frozen_lips, raw = (
        stabilizer_score(points, ground_truth, SCHEMA)
        for points in (noisy(ground_truth, 0.4), frozen, noisy(ground_truth))
    )
    assert with_frozen_lips.mouth < 0.6
    assert jittering.score(raw) < with_frozen_lips.score(raw)


def test_lag_and_amplitudes_outside_their_bounds_worsen_the_score() -> None:
    within_bounds = StabilizerScore(2.0, 0.5, 0.05, 1.04, 0.96)
    raw = StabilizerScore(2.0, 2.0, 0.0, 1.1, 1.0)
    assert within_bounds.score(raw) == pytest.approx(1.0)
    for worse in (
        StabilizerScore(2.0, 0.5, 0.3, 1, 1),
        StabilizerScore(2.0, 0.5, 0, 0.85, 1),
        StabilizerScore(2.0, 0.5, 0, 1, 1.15),
    ):
        assert worse.score(raw) == pytest.approx(math.e, rel=0.01)
    unknown = StabilizerScore(2.0, 0.5, float("nan"), float("nan"), float("nan"))
    assert unknown.score(unknown) == pytest.approx(1.0)
    weak_network = StabilizerScore(
        2.0, 2.0, 0.0, 1.0, 0.4
    )  # a network that hardly detects lid motion
    assert StabilizerScore(2.0, 0.5, 0, 1, 0.39).score(weak_network) == pytest.approx(1.0)
    assert StabilizerScore(2.0, 0.5, 0, 1, 0.28).score(weak_network) == pytest.approx(
        math.e, rel=0.01
    )


def test_other_schemas_are_scored_by_their_ibug68_landmarks() -> None:
    ground_truth = talking("wflw98")
    measured = stabilizer_score(noisy(ground_truth), ground_truth, load_schema("wflw98"))
    assert measured.mav > 0
    assert np.isnan(measured.mouth)  # these lips do not move
