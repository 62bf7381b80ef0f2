from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from steadymark.models.networks.heatmap1d import CoAttention, Heatmap1d, Heatmap1dDecoded
from steadymark.models.networks.heatmap_losses import gaussian_targets, marginal_loss, squared_loss
from steadymark.models.networks.onnx_export import count_macs
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.training.registry import find_system
from support.exported_networks import exported


def crops(count: int) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, 3, 128, 128), np.uint8))


def softmax_rows(matrix: np.ndarray) -> np.ndarray:
    weights = np.exp(matrix - matrix.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def test_heatmaps_have_l_bins_an_axis_and_are_finite() -> None:
    network = Heatmap1d().eval()
    with torch.no_grad():
        heat = network(torch.randn(2, 3, 128, 128))
    assert heat.x.shape == heat.y.shape == (2, 68, 256)
    assert heat.face.shape == (2,)
    assert all(torch.isfinite(part).all() for part in heat)


def test_every_parameter_gets_a_gradient() -> None:
    network = Heatmap1d()
    heat = network(torch.randn(2, 3, 128, 128))
    bins = torch.rand(2, 68) * 255
    loss = marginal_loss(heat.x, bins, sigma=3, l1=0.05).sum()
    loss = loss + marginal_loss(heat.y, bins, sigma=3, l1=0.05).sum() + heat.face.sum()
    loss.backward()
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert without_gradient == []


def test_lite_stays_within_its_budget() -> None:
    assert count_macs(Heatmap1d(), torch.zeros(1, 3, 128, 128)) <= 150e6


def test_co_attention_equals_equations_9_and_10_written_as_loops() -> None:
    rng = np.random.default_rng(0)
    channels, n, rest, gamma = 3, 7, 4, 0.4
    d_x = rng.normal(size=(channels, n, rest))  # D_k^x
    d_y = rng.normal(size=(channels, rest, n))  # D_k^y
    p, q = rng.normal(size=(rest, rest)), rng.normal(size=(rest, rest))
    attention = CoAttention(rest, gamma).double()
    attention.p.data, attention.q.data = torch.from_numpy(p), torch.from_numpy(q)
    out_x, out_y = attention(
        torch.from_numpy(d_x.transpose(0, 2, 1).copy())[None],
        torch.from_numpy(d_y.transpose(0, 2, 1).copy())[None],
    )
    for k in range(channels):
        w_xy = softmax_rows(d_y[k].T @ p @ d_x[k].T / math.sqrt(rest))
        w_yx = softmax_rows(d_x[k] @ q @ d_y[k] / math.sqrt(rest))
        expected_x = d_x[k] + gamma * w_yx @ d_y[k].T
        expected_y = d_y[k] + gamma * (w_xy @ d_x[k]).T
        np.testing.assert_allclose(out_x[0, k].detach().numpy().T, expected_x, atol=1e-9)
        np.testing.assert_allclose(out_y[0, k].detach().numpy(), expected_y, atol=1e-9)


def test_deconvolution_by_a_convolution_over_pairs_equals_deconvolution() -> None:
    head = Heatmap1d().cnn2_x.double()
    x = torch.randn(2, 192, 16, dtype=torch.float64)
    torch.testing.assert_close(head._deconvolve(x), head.deconv(x))


def test_targets_are_distributions_around_the_ground_truth() -> None:
    target = gaussian_targets(torch.tensor([20.3, 200.0]), 256, 3.0)
    torch.testing.assert_close(target.sum(-1), torch.ones(2))
    mean = (target * torch.arange(256.0)).sum(-1)
    torch.testing.assert_close(mean, torch.tensor([20.3, 200.0]), atol=1e-3, rtol=0)


def test_losses_are_smallest_at_the_ground_truth() -> None:
    bins = torch.tensor([[50.0, 120.0]])
    exact = gaussian_targets(bins, 256, 3.0).clamp_min(1e-9).log()
    shifted = gaussian_targets(bins + 10, 256, 3.0).clamp_min(1e-9).log()
    assert marginal_loss(exact, bins, sigma=3, l1=0.1) < marginal_loss(
        shifted, bins, sigma=3, l1=0.1
    )
    assert squared_loss(exact, bins, sigma=3).item() == pytest.approx(0, abs=1e-6)
    assert squared_loss(shifted, bins, sigma=3).item() > 0.1


def test_the_result_of_a_face_does_not_depend_on_its_batch() -> None:
    decoded = Heatmap1dDecoded(Heatmap1d()).eval()
    batch = crops(3)
    with torch.no_grad():
        together, alone = decoded(batch)[0], decoded(batch[1:2])[0]
    torch.testing.assert_close(together[1:2], alone, atol=1e-3, rtol=0)


def test_onnx_gives_the_same_points_as_torch() -> None:
    system, network, path, _ = exported(find_system("heatmap1d", "lite"))
    decoded = system.decoded(network).eval()
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 3):
        crop_batch = crops(count)
        points, scores, face, heatmaps = session.run(None, {"crops": crop_batch.numpy()})
        with torch.no_grad():
            expected = decoded(crop_batch)
        np.testing.assert_allclose(points, expected[0].numpy(), atol=0.02)
        np.testing.assert_allclose(scores, expected[1].numpy(), atol=1e-3)
        np.testing.assert_allclose(face, expected[2].numpy(), atol=1e-3)
        np.testing.assert_allclose(heatmaps, expected[3].numpy(), atol=1e-4)
