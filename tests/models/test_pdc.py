from __future__ import annotations

import numpy as np
import pytest
import torch

from steadymark.models.pdc import pdc_1d, pdc_2d, pdc_of_distribution


def slow_pdc(heatmap: np.ndarray, threshold: float) -> tuple[float, float]:
    """Algorithm 1 as printed, loops and all; 1-based pixels made 0-based at the end."""
    phi = np.maximum(heatmap, 0).astype(float)
    low, high = phi.min(), phi.max()
    height, width = phi.shape
    total = total_x = total_y = 0.0
    for row in range(height):
        for column in range(width):
            value = phi[row, column]
            if value < low + threshold * (high - low):
                continue
            total += value
            total_x += (column + 1) * value
            total_y += (row + 1) * value
    return total_x / total - 1, total_y / total - 1


@pytest.mark.parametrize("seed", range(5))
def test_2d_equals_algorithm_1(seed: int) -> None:
    heatmap = np.random.default_rng(seed).normal(0, 1, (13, 17))
    xy, _ = pdc_2d(torch.from_numpy(heatmap))
    np.testing.assert_allclose(xy.numpy(), slow_pdc(heatmap, 0.2), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_1d_equals_algorithm_1_of_one_row(seed: int) -> None:
    heatmap = np.random.default_rng(seed).uniform(0, 1, (1, 64)) ** 4
    x, _ = pdc_1d(torch.from_numpy(heatmap))
    assert x.item() == pytest.approx(slow_pdc(heatmap, 0.2)[0])


@pytest.mark.parametrize(("soft", "within"), [(False, 0.15), (True, 0.012)])
def test_a_gaussian_between_bins_is_found(soft: bool, within: float) -> None:
    grid = torch.arange(256.0)
    for truth in np.linspace(100, 101, 41):
        x, score = pdc_1d(torch.exp(-0.5 * ((grid - truth) / 3) ** 2), soft=soft)
        assert abs(x.item() - truth) < within
        assert score.item() > 0.97


@pytest.mark.parametrize("soft", [False, True])
def test_1d_and_2d_agree_on_a_blob(soft: bool) -> None:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    blob = torch.exp(-((x - 23.3) ** 2 + (y - 11.8) ** 2) / 18)
    found, _ = pdc_2d(blob, soft=soft)
    torch.testing.assert_close(found, torch.tensor([23.3, 11.8]), atol=0.1, rtol=0)


def test_an_empty_heatmap_falls_back_to_argmax_with_score_0() -> None:
    x, score = pdc_1d(torch.full((3, 10), -1.0))
    assert x.tolist() == [0, 0, 0]
    assert score.tolist() == [0, 0, 0]
    xy, score_2d = pdc_2d(torch.zeros(2, 4, 5))
    assert xy.tolist() == [[0, 0], [0, 0]]
    assert score_2d.tolist() == [0, 0]


def test_the_short_form_for_distributions_gives_the_same() -> None:
    p = (torch.randn(50, 256, dtype=torch.float64) * 4).softmax(-1)
    for ours, long in zip(pdc_of_distribution(p), pdc_1d(p, soft=True), strict=True):
        torch.testing.assert_close(ours, long)


def test_a_flat_heatmap_has_a_low_score() -> None:
    _, score = pdc_1d(torch.ones(256))
    assert score.item() < 0.1


def test_pdc_can_be_differentiated() -> None:
    logits = torch.randn(4, 32, dtype=torch.float64, requires_grad=True)
    x, _ = pdc_1d(logits.softmax(-1))
    x.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
