from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from steadymark.models.networks.onnx_export import export_onnx
from steadymark.models.networks.pdc import (
    bins_to_px,
    pdc_1d,
    pdc_2d,
    pdc_of_distribution,
    px_to_bins,
)
from steadymark.models.runtime.onnxruntime_offline import ort

if TYPE_CHECKING:
    from pathlib import Path


def slow_pdc(heatmap: np.ndarray, threshold: float) -> tuple[float, float]:
    """Compute algorithm 1 with loops, as printed; convert 1-based pixels to 0-based."""
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


@pytest.mark.parametrize(("soft", "tolerance"), [(False, 0.15), (True, 0.012)])
def test_a_gaussian_between_bins_is_located(soft: bool, tolerance: float) -> None:
    grid = torch.arange(256.0)
    for position in np.linspace(100, 101, 41):
        x, score = pdc_1d(torch.exp(-0.5 * ((grid - position) / 3) ** 2), soft=soft)
        assert abs(x.item() - position) < tolerance
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


def test_the_short_form_for_distributions_equals_the_full_form() -> None:
    p = (torch.randn(50, 256, dtype=torch.float64) * 4).softmax(-1)
    for expected, full_form in zip(pdc_of_distribution(p), pdc_1d(p, soft=True), strict=True):
        torch.testing.assert_close(expected, full_form)


def test_a_flat_heatmap_has_a_low_score() -> None:
    _, score = pdc_1d(torch.ones(256))
    assert score.item() < 0.1


def test_pdc_is_differentiable() -> None:
    logits = torch.randn(4, 32, dtype=torch.float64, requires_grad=True)
    x, _ = pdc_1d(logits.softmax(-1))
    x.sum().backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0


class PdcNetwork(torch.nn.Module):
    """PDC of 1D and 2D heatmaps, hard and soft, in one graph."""

    def forward(self, lines: torch.Tensor, maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
        results = [pdc_1d(lines, soft=soft) for soft in (False, True)]
        results += [pdc_2d(maps, soft=soft) for soft in (False, True)]
        return tuple(part for pair in results for part in pair)


def random_heatmaps() -> tuple[torch.Tensor, torch.Tensor]:
    """Return heatmaps of several kinds: sharp, flat, negative and empty."""
    rng = torch.Generator().manual_seed(4)
    lines, maps = torch.rand(3, 68, 40, generator=rng), torch.rand(3, 68, 12, 9, generator=rng)
    lines[0] = lines[0] ** 20
    maps[0] = maps[0] ** 20
    lines[1, :30] -= 0.5
    maps[1, :30] -= 0.5
    lines[2, 0], maps[2, 0] = 0.0, 0.0
    return lines, maps


@pytest.mark.slow
def test_pdc_is_the_same_in_onnx_runtime(tmp_path: Path) -> None:
    lines, maps = random_heatmaps()
    path, faces = tmp_path / "pdc.onnx", torch.export.Dim("n")
    names = [f"out{i}" for i in range(8)]
    export_onnx(
        PdcNetwork(),
        (lines, maps),
        path,
        inputs=["lines", "maps"],
        outputs=names,
        dynamic=({0: faces}, {0: faces}),
    )
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results = session.run(names, {"lines": lines.numpy(), "maps": maps.numpy()})
    for expected, result in zip(PdcNetwork()(lines, maps), results, strict=True):
        np.testing.assert_allclose(expected.numpy(), result, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_pdc_is_the_same_on_cuda() -> None:
    lines, maps = random_heatmaps()
    for expected, result in zip(
        PdcNetwork()(lines, maps), PdcNetwork()(lines.cuda(), maps.cuda()), strict=True
    ):
        torch.testing.assert_close(expected, result.cpu(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("length", [32, 256])
def test_bins_and_pixels_convert_into_each_other_and_share_their_edges(length: int) -> None:
    px = torch.tensor([-0.5, 0.0, 63.5, 127.5])
    torch.testing.assert_close(bins_to_px(px_to_bins(px, 128, length), 128, length), px)
    assert px_to_bins(torch.tensor(-0.5), 128, length).item() == -0.5
    assert px_to_bins(torch.tensor(127.5), 128, length).item() == length - 0.5
    middle = (128 / length - 1) / 2  # of the pixels that the first bin stands for
    assert bins_to_px(torch.tensor(0.0), 128, length).item() == middle
