"""What a stabilizer is validated by: it must not pay to freeze lips, or to be late."""

from __future__ import annotations

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
    """Two faces (2, 48, K, 2) that drift, talk and blink; exact."""
    known = load_schema(schema)
    rng = np.random.default_rng(0)
    points = np.tile(known.mean_shape.astype(np.float64) * 100, (2, 48, 1, 1))
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
    truth = talking()
    measured = stabilizer_score(truth, truth, SCHEMA)
    assert (measured.nrmse, measured.mav) == (0.0, 0.0)
    assert measured.lag == pytest.approx(0, abs=0.05)
    assert measured.mouth == measured.lids == pytest.approx(1.0)


def test_half_of_the_way_of_lips_is_half_an_amplitude() -> None:
    truth = talking()
    frozen = truth.copy()
    lips = [index for pair in MOUTH for index in pair]
    frozen[:, :, lips] += 0.5 * (truth[:, :1, lips] - truth[:, :, lips])
    frozen[:, :, lips] += 0.5 * (truth - truth[:, :1])[:, :, [30]]  # but with the head
    measured = stabilizer_score(frozen, truth, SCHEMA)
    assert measured.mouth == pytest.approx(0.5, abs=0.03)
    assert measured.lids == pytest.approx(1.0)


def test_two_frames_late_is_a_lag_of_two() -> None:
    truth = talking()
    late = np.concatenate((truth[:, :1], truth[:, :1], truth[:, :-2]), 1)
    assert stabilizer_score(late, truth, SCHEMA).lag == pytest.approx(2, abs=0.1)


def test_mav_of_white_noise_is_its_variance() -> None:
    truth = talking()
    eyes = np.linalg.norm(truth[0, 0, 36] - truth[0, 0, 45])
    measured = stabilizer_score(noisy(truth), truth, SCHEMA)
    assert measured.mav == pytest.approx((0.5 * 100 / eyes) ** 2, rel=0.05)


def test_the_score_prefers_a_shaking_face_to_one_with_frozen_lips() -> None:
    truth = talking()
    mean = truth.mean(1, keepdims=True)
    frozen = mean + (truth - mean) * 0.4
    good, bad, raw = (
        stabilizer_score(points, truth, SCHEMA)
        for points in (noisy(truth, 0.4), frozen, noisy(truth))
    )
    assert bad.mouth < 0.6
    assert good.score(raw) < bad.score(raw)


def test_lag_and_amplitudes_outside_of_their_bounds_cost() -> None:
    fine = StabilizerScore(2.0, 0.5, 0.05, 1.04, 0.96)
    raw = StabilizerScore(2.0, 2.0, 0.0, 1.1, 1.0)
    assert fine.score(raw) == pytest.approx(1.0)
    for worse in (
        StabilizerScore(2.0, 0.5, 0.3, 1, 1),
        StabilizerScore(2.0, 0.5, 0, 0.85, 1),
        StabilizerScore(2.0, 0.5, 0, 1, 1.15),
    ):
        assert worse.score(raw) == pytest.approx(np.e, rel=0.01)
    unknown = StabilizerScore(2.0, 0.5, float("nan"), float("nan"), float("nan"))
    assert unknown.score(unknown) == pytest.approx(1.0)
    blind = StabilizerScore(2.0, 2.0, 0.0, 1.0, 0.4)  # a network that hardly sees lids
    assert StabilizerScore(2.0, 0.5, 0, 1, 0.39).score(blind) == pytest.approx(1.0)
    assert StabilizerScore(2.0, 0.5, 0, 1, 0.28).score(blind) == pytest.approx(np.e, rel=0.01)


def test_other_schemas_are_measured_by_their_points_of_ibug68() -> None:
    truth = talking("wflw98")
    measured = stabilizer_score(noisy(truth), truth, load_schema("wflw98"))
    assert measured.mav > 0
    assert np.isnan(measured.mouth)  # these lips do not move
