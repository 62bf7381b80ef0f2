"""The probability that a landmark is in place, from the outputs of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steadymark.models.errors import ContentError, WeightsError
from steadymark.models.face.point_scores import PointScores

KNOTS = ((-2.0, 0.0, 2.0), (0.1, 0.5, 0.9))


def test_the_probability_is_interpolated_between_the_knots() -> None:
    found = PointScores(*KNOTS).of(np.array([[0.5, 1 / (1 + np.exp(-1))]], np.float32), None)
    np.testing.assert_allclose(found, [[0.5, 0.7]], atol=1e-5)
    assert found.dtype == np.float32


def test_scores_beyond_the_knots_get_the_values_of_the_ends() -> None:
    found = PointScores(*KNOTS).of(np.array([[0.0, 1.0]], np.float32), None)
    np.testing.assert_allclose(found, [[0.1, 0.9]])


def test_a_score_that_is_unknown_stays_unknown() -> None:
    assert np.isnan(PointScores(*KNOTS).of(np.array([[np.nan]], np.float32), None)).all()


def test_a_landmark_whose_score_is_lower_than_is_typical_for_it_is_less_likely_in_place() -> None:
    low_and_high = PointScores(*KNOTS, typical=(-1.0, 1.0))
    found = low_and_high.of(np.full((1, 2), 0.5, np.float32), None)
    np.testing.assert_allclose(found, [[0.7, 0.3]], atol=1e-5)


def test_a_landmark_that_seems_hidden_is_less_likely_in_place() -> None:
    scores, visible = np.full((1, 2), 0.5, np.float32), np.array([[0.2, 0.8]], np.float32)
    hidden, seen = PointScores(*KNOTS, visible_weight=1.0).of(scores, visible)[0]
    assert hidden < 0.5 < seen


@pytest.mark.parametrize(
    "entries",
    [
        {"signals": (0.0,), "shares": (0.5,)},
        {"signals": (0.0, 0.0), "shares": (0.1, 0.5)},
        {"signals": (0.0, 1.0), "shares": (0.5, 0.1)},
        {"signals": (0.0, 1.0), "shares": (0.5, 1.1)},
        {"signals": (0.0, 1.0), "shares": (0.1, 0.2, 0.3)},
        {"signals": (0.0, 1.0), "shares": (0.1, 0.2), "typical": (float("nan"),)},
    ],
)
def test_numbers_that_are_no_rising_probability_are_refused(
    entries: dict[str, tuple[float, ...]],
) -> None:
    with pytest.raises(ContentError, match="point_scores"):
        PointScores(**entries)  # type: ignore[arg-type]


def test_numbers_of_another_network_are_refused() -> None:
    shapes = {"scores": ("n", 68), "points": ("n", 68, 2)}
    with pytest.raises(WeightsError, match=r"net\.onnx lacks the output visible"):
        PointScores(*KNOTS, visible_weight=1.0).check(Path("net.onnx"), shapes)
    with pytest.raises(WeightsError, match="2 landmarks, but the network has 68"):
        PointScores(*KNOTS, typical=(0.0, 0.0)).check(Path("net.onnx"), shapes)
    PointScores(*KNOTS, typical=(0.0,) * 68).check(Path("net.onnx"), shapes)
