from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from steadymark.models.networks.hourglass import HourglassConfig
from steadymark.models.networks.local_global import (
    PRESETS,
    LocalGlobal,
    LocalGlobalConfig,
    LocalGlobalDecoded,
    LocalGlobalOutput,
    gaussian_maps,
    local_global_loss,
)
from steadymark.models.networks.onnx_export import count_macs, export_onnx
from steadymark.models.networks.part_attention import LinkedHeatmaps, PartAttention, heatmap_module
from steadymark.models.networks.pdc import bins_to_px
from steadymark.models.runtime.onnxruntime_offline import ort

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Maps = NDArray[np.float64]

SMALL = LocalGlobalConfig(
    landmarks=5,
    crop=64,
    radius=3.0,
    image=4,
    widths=(8, 12, 16),
    hidden=16,
    hourglass=HourglassConfig(stacks=2, depth=2, channels=16, stem=8, modified=True),
)
CONFIGS = {
    "paper": PRESETS["paper"],
    "lite": PRESETS["lite"],
    **{f"module {i}": replace(SMALL, module=i, refine=i % 2 == 0) for i in (1, 2, 3, 4)},
}
ALL_CONFIGS = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n == "paper" else ()) for n in CONFIGS]
)
ALL_BUT_PAPER = pytest.mark.parametrize("name", [name for name in CONFIGS if name != "paper"])


def with_random_statistics(config: LocalGlobalConfig) -> LocalGlobal:
    """Return a network with random batch norm statistics and a random last layer."""
    torch.manual_seed(0)
    network = LocalGlobal(config)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, std=module.in_features**-0.5)
    return network.eval()


def crops(count: int, config: LocalGlobalConfig) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (count, 3, config.crop, config.crop), np.uint8))


def faces(count: int, config: LocalGlobalConfig) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.rand(count, config.landmarks, 2, generator=generator) * (config.crop - 1)


def sigmoid(x: Maps) -> Maps:
    y: Maps = 1 / (1 + np.exp(-x))
    return y


@ALL_CONFIGS
def test_outputs_have_their_shapes_and_are_finite(name: str) -> None:
    config = CONFIGS[name]
    with torch.no_grad():
        out = with_random_statistics(config)(crops(2, config).float() / 127.5 - 1)
    stacks, k, n = config.hourglass.stacks, config.landmarks, config.crop // 4
    assert out.heatmaps.shape == (2, stacks, k, n, n)
    assert out.points.shape == (2, k, 2)
    assert out.face.shape == (2,)
    assert all(torch.isfinite(part).all() for part in out)


@ALL_BUT_PAPER  # the contract of all systems tests the preset itself
def test_every_parameter_gets_a_gradient(name: str) -> None:
    config = CONFIGS[name]
    torch.manual_seed(0)
    network = LocalGlobal(config)
    out = network(crops(2, config).float() / 127.5 - 1)
    loss = local_global_loss(out, faces(2, config), torch.ones(2), config) + out.face.sum()
    loss.backward()
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert without_gradient == []


@ALL_BUT_PAPER
def test_the_result_of_a_face_does_not_depend_on_its_batch(name: str) -> None:
    config = CONFIGS[name]
    decoded, batch = LocalGlobalDecoded(with_random_statistics(config)).eval(), crops(3, config)
    with torch.no_grad():
        together, alone = decoded(batch), decoded(batch[1:2])
    for batched, single in zip(together, alone, strict=True):
        torch.testing.assert_close(batched[1:2], single, atol=2e-3, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [f"module {i}" for i in (1, 2, 3)])  # the presets have module 4
def test_onnx_gives_the_same_points_as_torch(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    config = replace(config, hourglass=replace(config.hourglass, stacks=1, depth=1))
    decoded, path = LocalGlobalDecoded(with_random_statistics(config)).eval(), tmp_path / "n.onnx"
    export_onnx(
        decoded,
        (crops(2, config),),
        path,
        inputs=["crops"],
        outputs=["points", "scores", "face"],
        dynamic=({0: torch.export.Dim("n")},),
    )
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 3):
        crop_batch = crops(count, config)
        points, scores, face = session.run(None, {"crops": crop_batch.numpy()})
        with torch.no_grad():
            expected = decoded(crop_batch)
        np.testing.assert_allclose(points, expected[0].numpy(), atol=0.02)
        np.testing.assert_allclose(scores, expected[1].numpy(), atol=1e-3)
        np.testing.assert_allclose(face, expected[2].numpy(), atol=1e-3)
        assert points.dtype == scores.dtype == face.dtype == np.float32
        assert ((scores >= 0) & (scores <= face[:, None])).all()
        assert ((face >= 0) & (face <= 1)).all()


def test_lite_stays_within_its_budget() -> None:
    network = LocalGlobal(PRESETS["lite"])
    assert count_macs(network, torch.zeros(1, 3, 128, 128)) <= 200e6
    assert sum(p.numel() for p in network.parameters()) <= 2.5e6


def test_the_paper_preset_has_the_settings_of_the_paper() -> None:
    config = PRESETS["paper"]
    assert (config.crop, config.bins, config.module, config.radius) == (256, 64, 4, 5)
    assert (config.hourglass.stacks, config.hourglass.modified, config.refine) == (4, True, False)


def test_a_crop_size_that_is_not_divisible_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        replace(SMALL, crop=72)
    with pytest.raises(ValueError, match="choose 1 to 4"):
        heatmap_module(5, 8, 3)


def attention_in_loops(x: Maps, module: PartAttention) -> Maps:
    """Compute equations 1 to 4 for one sample; every h_i is (C, H, W)."""
    weights = {n: p.detach().numpy().astype(np.float64) for n, p in module.named_parameters()}
    channels, height, width = x.shape

    def attention(w: Maps, b: float, of: Maps) -> Maps:
        y = np.zeros((1, height, width))
        for row in range(height):
            for column in range(width):
                total = b + sum(w[c] * of[c, row, column] for c in range(channels))
                y[0, row, column] = 1 / (1 + math.exp(-total))  # eq. 1, f a sigmoid
        return y

    h_global = x
    if "whole.weight" in weights:
        w, b = weights["whole.weight"][0, :, 0, 0], weights["whole.bias"][0]
        h_global = attention(w, b, x) * x  # eq. 3
    maps = []
    for i in range(len(weights["bias"])):
        y_i = attention(weights["local.weight"][i, :, 0, 0], weights["local.bias"][i], h_global)
        h_i = y_i * h_global  # eqs. 2, 4
        assert h_i.shape == x.shape
        readout = weights["read.weight"][i, :, 0, 0]
        maps.append(np.einsum("c,chw->hw", readout, h_i) + weights["bias"][i, 0, 0])
    return np.stack(maps)


@pytest.mark.parametrize("number", [3, 4])
def test_attention_equals_equations_1_to_4_written_as_loops(number: int) -> None:
    torch.manual_seed(0)
    module = heatmap_module(number, 6, 4).double()
    assert isinstance(module, PartAttention)
    x = torch.randn(2, 6, 5, 7, dtype=torch.float64)
    with torch.no_grad():
        heat = module(x)
    for result, features in zip(heat, x, strict=True):
        np.testing.assert_allclose(
            result.numpy(), attention_in_loops(features.numpy(), module), atol=1e-9
        )


def test_module_1_is_a_1x1_convolution() -> None:
    module = heatmap_module(1, 6, 4)
    x = torch.randn(2, 6, 5, 5)
    weight, bias = (p.detach() for p in module.parameters())
    expected = torch.einsum("kc,bchw->bkhw", weight[:, :, 0, 0], x) + bias[:, None, None]
    torch.testing.assert_close(module(x), expected)


def test_module_2_adds_neighbouring_heatmaps_warped_by_their_matrices() -> None:
    """A matrix that shifts by whole bins reads the values there, with repeated edges."""
    torch.manual_seed(0)
    k, n = 4, 8
    module = heatmap_module(2, 6, k)
    assert isinstance(module, LinkedHeatmaps)
    shifts = np.random.default_rng(0).integers(-2, 3, (2, k, 2))  # x, y in bins
    with torch.no_grad():
        module.matrix[:, :, 2] = torch.from_numpy(shifts * 2 / n).float().reshape(2 * k, 2)
        torch.nn.init.normal_(module.share)
        x = torch.randn(2, 6, n, n)
        heat, linked = module.maps(x).numpy(), module(x).numpy()
    share = module.share.detach().numpy()
    for i in range(k):
        expected = heat[:, i].copy()
        for side, j in enumerate((max(i - 1, 0), min(i + 1, k - 1))):
            columns = (np.arange(n) + shifts[side, i, 0]).clip(0, n - 1)
            rows = (np.arange(n) + shifts[side, i, 1]).clip(0, n - 1)
            expected += share[side, i, 0, 0] * heat[:, j][:, rows][:, :, columns]
        np.testing.assert_allclose(linked[:, i], expected, atol=1e-4)


def test_a_target_is_a_gaussian_whose_radius_is_three_deviations() -> None:
    config = SMALL
    at = bins_to_px(torch.tensor([[[7.0, 4.0]]]), config.crop, config.bins)
    target = gaussian_maps(at, config)[0, 0]
    assert target[4, 7].item() == pytest.approx(1)
    assert target[4, 7 + 3].item() == pytest.approx(math.exp(-4.5), rel=1e-4)
    assert target[4 + 3, 7].item() == pytest.approx(math.exp(-4.5), rel=1e-4)


def test_perfect_heatmaps_are_decoded_to_a_tenth_of_a_pixel() -> None:
    config = PRESETS["lite"]
    points = faces(3, config) * 0.8 + 0.1 * config.crop
    start = LocalGlobal(config)._start(torch.logit(gaussian_maps(points, config), eps=1e-6))
    assert isinstance(start, torch.Tensor)
    torch.testing.assert_close(start, points, atol=0.1, rtol=0)


def loss_in_loops(
    output: LocalGlobalOutput, points: torch.Tensor, face: torch.Tensor, config: LocalGlobalConfig
) -> float:
    """Compute the loss of sections 3.1 and 3.3 with equation 5, bin by bin."""
    logits, predicted, ground_truth = (
        part.detach().numpy().astype(np.float64)
        for part in (output.heatmaps, output.points, points)
    )
    batch, stacks, k, n, _ = logits.shape
    sigma = config.radius / 3
    losses = []
    for b in range(batch):
        if face[b] < 0.5:
            continue
        heat = 0.0
        p = sigmoid(logits[b])
        for i in range(k):
            px, py = ground_truth[b, i]
            for row in range(n):
                for column in range(n):
                    # the centre of the bin in pixels
                    x = (column + 0.5) * config.crop / n - 0.5
                    y = (row + 0.5) * config.crop / n - 0.5
                    distance = ((x - px) ** 2 + (y - py) ** 2) / (config.crop / n) ** 2
                    target = math.exp(-distance / (2 * sigma**2))
                    for s in range(stacks):
                        share = p[s, i, row, column]
                        heat -= target * math.log(share) + (1 - target) * math.log(1 - share)
        heat /= k * 2 * math.pi * sigma**2
        width, height = ground_truth[b].max(0) - ground_truth[b].min(0)
        nme = np.mean([math.dist(predicted[b, i], ground_truth[b, i]) for i in range(k)])
        losses.append(2 * heat + 3 * nme / math.sqrt(width * height))
    return float(np.mean(losses))


def random_output(config: LocalGlobalConfig, count: int) -> LocalGlobalOutput:
    generator = torch.Generator().manual_seed(3)
    shape = (count, config.hourglass.stacks, config.landmarks, config.bins, config.bins)
    return LocalGlobalOutput(
        (torch.randn(shape, generator=generator) * 2).requires_grad_(),
        faces(count, config) + 2 * torch.randn(count, config.landmarks, 2, generator=generator),
        torch.zeros(count),
    )


def test_the_joint_loss_equals_the_paper_written_as_loops() -> None:
    config, face = SMALL, torch.tensor([1.0, 0.0, 1.0])
    output, points = random_output(config, 3), faces(3, config)
    loss = local_global_loss(output, points, face, config, heat_weight=2, point_weight=3)
    assert loss.item() == pytest.approx(loss_in_loops(output, points, face, config), rel=1e-5)


def test_samples_without_a_face_have_no_loss() -> None:
    config, points = SMALL, faces(2, SMALL)
    output, face = random_output(config, 2), torch.tensor([1.0, 0.0])
    unknown = points.clone()
    unknown[1] = torch.nan
    loss = local_global_loss(output, points, face, config)
    torch.testing.assert_close(local_global_loss(output, unknown, face, config), loss)
    assert local_global_loss(output, unknown, torch.zeros(2), config).item() == 0
    loss.backward()  # type: ignore[no-untyped-call]
    grad = output.heatmaps.grad
    assert grad is not None
    assert not grad[1].any()
    assert grad[0].flatten(1).any(1).all()  # every stack is supervised


def test_the_shape_loss_gives_gradients_to_the_heatmaps() -> None:
    network = LocalGlobal(SMALL)
    out = network(crops(2, SMALL).float() / 127.5 - 1)
    loss = local_global_loss(out, faces(2, SMALL), torch.ones(2), SMALL, heat_weight=0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.any() for p in network.heads.parameters())


def test_a_score_is_the_peak_of_the_last_heatmap_times_the_face_score() -> None:
    decoded, crop_batch = LocalGlobalDecoded(with_random_statistics(SMALL)).eval(), crops(2, SMALL)
    with torch.no_grad():
        points, scores, face = decoded(crop_batch)
        out = decoded.network((crop_batch.float() - 127.5) / 127.5)
    peaks = sigmoid(out.heatmaps[:, -1].double().numpy()).max((-1, -2))
    np.testing.assert_allclose(
        scores.numpy(), peaks * sigmoid(out.face.double().numpy())[:, None], atol=1e-6
    )
    torch.testing.assert_close(face, out.face.sigmoid())
    torch.testing.assert_close(points, out.points)


def test_a_small_network_fits_four_faces() -> None:
    torch.manual_seed(0)
    config = replace(SMALL, refine=True)
    network, crop_batch, points = LocalGlobal(config), crops(4, config), faces(4, config)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        out = network(crop_batch.float() / 127.5 - 1)
        loss = local_global_loss(out, points, torch.ones(4), config, point_weight=5)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
