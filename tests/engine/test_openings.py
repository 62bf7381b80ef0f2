"""Opening of eyes and mouth."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.metrics.openings import amplitude, eye_opening, mouth_opening
from steadymark.models.schema import load_schema

FACE = load_schema().mean_shape.astype(np.float64) * 100


def faces(lids: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """(T, 68, 2): upper lids and upper inner lips raised by so many pixels."""
    points = np.repeat(FACE[None], len(lids), 0)
    points[:, [37, 38, 43, 44], 1] = points[:, [41, 40, 47, 46], 1] - lids[:, None]
    points[:, [37, 38, 43, 44], 0] = points[:, [41, 40, 47, 46], 0]
    points[:, [61, 62, 63], 1] = points[:, [67, 66, 65], 1] - lips[:, None]
    points[:, [61, 62, 63], 0] = points[:, [67, 66, 65], 0]
    return points


def test_openings_are_in_percent_of_the_outer_eye_distance_and_do_not_mix() -> None:
    eyes = float(np.linalg.norm(FACE[36] - FACE[45]))
    lids, lips = np.linspace(0, 6, 40), np.full(40, 3.0)
    points = faces(lids, lips)
    np.testing.assert_allclose(eye_opening(points), lids / eyes * 100, atol=1e-9)
    np.testing.assert_allclose(mouth_opening(points), lips / eyes * 100, atol=1e-9)
    turned = points @ np.array([[0.8, 0.6], [-0.6, 0.8]]) * 3
    np.testing.assert_allclose(eye_opening(turned), eye_opening(points), atol=1e-9)


def test_a_smoother_that_flattens_blinks_is_told() -> None:
    t = np.arange(300)
    lids = 6 * (1 - np.exp(-(((t % 60) - 30) ** 2) / 8))
    points = faces(lids, np.zeros(300))
    flat = np.stack([points[max(0, i - 4) : i + 5].mean(0) for i in range(300)])
    flat[7] = np.nan
    kept = amplitude(eye_opening(flat)) / amplitude(eye_opening(points))
    assert 0.3 < kept < 0.8
    assert np.isnan(amplitude(np.array([np.nan, 1.0])))
    assert amplitude(np.linspace(0, 100, 1001)) == pytest.approx(96)
