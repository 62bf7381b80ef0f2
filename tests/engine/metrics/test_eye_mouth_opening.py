"""Opening of eyes and mouth."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.metrics.eye_mouth_opening import (
    amplitude,
    eye_opening,
    kept_amplitude,
    mouth_opening,
    opening_lag,
)
from steadymark.models.face.schema import load_schema

FACE = load_schema().mean_shape.astype(np.float64) * 100


def faces_with(lids: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Return (T, 68, 2) faces with upper lids and upper inner lips raised by these pixels."""
    points = np.repeat(FACE[None], len(lids), 0)
    points[:, [37, 38, 43, 44], 1] = points[:, [41, 40, 47, 46], 1] - lids[:, None]
    points[:, [37, 38, 43, 44], 0] = points[:, [41, 40, 47, 46], 0]
    points[:, [61, 62, 63], 1] = points[:, [67, 66, 65], 1] - lips[:, None]
    points[:, [61, 62, 63], 0] = points[:, [67, 66, 65], 0]
    return points


def test_openings_are_in_percent_of_the_outer_eye_distance_and_independent() -> None:
    eyes = float(np.linalg.norm(FACE[36] - FACE[45]))
    lids, lips = np.linspace(0, 6, 40), np.full(40, 3.0)
    points = faces_with(lids, lips)
    np.testing.assert_allclose(eye_opening(points), lids / eyes * 100, atol=1e-9)
    np.testing.assert_allclose(mouth_opening(points), lips / eyes * 100, atol=1e-9)
    turned = points @ np.array([[0.8, 0.6], [-0.6, 0.8]]) * 3
    np.testing.assert_allclose(eye_opening(turned), eye_opening(points), atol=1e-9)


def test_a_filter_that_flattens_blinks_reduces_the_amplitude() -> None:
    t = np.arange(300)
    lids = 6 * (1 - np.exp(-(((t % 60) - 30) ** 2) / 8))
    points = faces_with(lids, np.zeros(300))
    flat = np.stack([points[max(0, i - 4) : i + 5].mean(0) for i in range(300)])
    flat[7] = np.nan
    kept = amplitude(eye_opening(flat)) / amplitude(eye_opening(points))
    assert 0.3 < kept < 0.8
    assert np.isnan(amplitude(np.array([np.nan, 1.0])))
    assert amplitude(np.linspace(0, 100, 1001)) == pytest.approx(96)


def test_kept_amplitude_is_a_share_of_the_reference() -> None:
    opening = 2 * np.sin(np.arange(200) / 7)
    half = 0.5 * opening + 3
    assert kept_amplitude(half, opening) == pytest.approx(0.5)
    with_gap = half.copy()
    with_gap[np.argmax(opening) - 3 : np.argmax(opening) + 4] = np.nan
    assert kept_amplitude(with_gap, opening) == pytest.approx(0.5)
    assert np.isnan(kept_amplitude(half, opening / 3))  # a mouth that is still but for noise


@pytest.mark.parametrize("late", [0.0, 0.4, 1.0, -0.3])
def test_the_lag_of_lips_is_measured_to_fractions_of_a_frame(late: float) -> None:
    t = np.arange(300)

    def lip_opening(times: np.ndarray) -> np.ndarray:
        opening: np.ndarray = 4 + 3 * np.sin(times / 3.1) * np.sin(times / 11)
        return opening

    found, true = (
        mouth_opening(faces_with(np.zeros(300), lip_opening(times))) for times in (t - late, t)
    )
    found[40:44] = np.nan
    assert opening_lag(found, true) == pytest.approx(late, abs=0.05)
