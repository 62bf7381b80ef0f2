from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch.nn import functional

from steadymark.models.networks.hourglass import (
    Deconvolution,
    Hourglass,
    HourglassConfig,
    PostResidual,
    PreResidual,
    StackedHourglass,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = HourglassConfig(stacks=2, depth=2, channels=16, stem=8)
BOTH_VARIANTS = pytest.mark.parametrize(
    "config", [SMALL, replace(SMALL, modified=True)], ids=["original", "modified"]
)


def with_batch_norm_statistics(config: HourglassConfig) -> StackedHourglass:
    """Return a backbone with random batch norm statistics."""
    torch.manual_seed(0)
    network = StackedHourglass(config)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return network.eval()


def images(count: int, side: int = 32) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


@BOTH_VARIANTS
def test_features_have_stride_4_and_the_deepest_map_its_own_stride(config: HourglassConfig) -> None:
    network = with_batch_norm_statistics(config)
    with torch.no_grad():
        features, deepest = network(images(2, 64))
    assert features.shape == (2, config.out, 16, 16)
    assert deepest.shape == (2, config.out, 64 // config.deepest_stride, 64 // 16)
    assert torch.isfinite(features).all()
    assert torch.isfinite(deepest).all()


@BOTH_VARIANTS
def test_every_parameter_gets_a_gradient(config: HourglassConfig) -> None:
    torch.manual_seed(0)
    network = StackedHourglass(config)
    features, deepest = network(images(2))
    (features.square().sum() + deepest.square().sum()).backward()
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert without_gradient == []


@BOTH_VARIANTS
def test_the_result_of_an_image_does_not_depend_on_its_batch(config: HourglassConfig) -> None:
    network, batch = with_batch_norm_statistics(config), images(3)
    with torch.no_grad():
        torch.testing.assert_close(
            network(batch)[0][1:2], network(batch[1:2])[0], atol=1e-4, rtol=1e-4
        )


def max_pooled(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply max pooling by 2 to rows and then to columns."""
    rows = np.maximum(x[..., ::2, :], x[..., 1::2, :])
    return np.maximum(rows[..., ::2], rows[..., 1::2])


@pytest.mark.parametrize("modified", [False, True])
def test_an_hourglass_of_identities_sums_the_scales_of_its_input(modified: bool) -> None:
    """Newell: out_d = in_d + up(out_{d+1}(pool(in_d))); `up` starts as nearest neighbour."""
    hourglass = Hourglass(HourglassConfig(depth=3, channels=4, modified=modified))
    for levels in (hourglass.keep, hourglass.down, hourglass.rise):
        for i in range(len(levels)):
            levels[i] = torch.nn.Identity()
    hourglass.bottom = torch.nn.Identity()
    x = np.random.default_rng(0).normal(size=(2, 4, 16, 16)).astype(np.float32)
    with torch.no_grad():
        out, deepest = hourglass(torch.from_numpy(x))
    scale, expected = x, x.copy()
    for i in range(1, 4):
        scale = max_pooled(scale)
        expected += scale.repeat(2**i, -1).repeat(2**i, -2)
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-5)
    np.testing.assert_array_equal(deepest.numpy(), scale)


def test_deconvolution_by_a_1x1_convolution_equals_deconvolution() -> None:
    up = Deconvolution(5).double()
    torch.nn.init.normal_(up.spread.weight)
    x = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    kernel = up.spread.weight.reshape(5, 2, 2, 5).permute(3, 0, 1, 2)  # (in, out, 2, 2)
    torch.testing.assert_close(up(x), functional.conv_transpose2d(x, kernel, stride=2))


def test_the_modified_residual_keeps_its_input_and_the_original_rectifies_it() -> None:
    x = torch.randn(2, 8, 4, 4)
    before, after = PreResidual(8, 8).eval(), PostResidual(8, 8).eval()
    for body in (before.body, after.body):
        for parameter in body.parameters():
            torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        torch.testing.assert_close(before(x), x)
        torch.testing.assert_close(after(x), x.relu())


def test_the_modified_hourglass_has_a_final_residual_and_learned_upsampling() -> None:
    for modified in (False, True):
        network = StackedHourglass(replace(SMALL, modified=modified))
        kinds = [type(module).__name__ for module in network.modules()]
        assert isinstance(network.stacks[0].after, PreResidual) is modified
        assert kinds.count("Deconvolution") == (SMALL.stacks * SMALL.depth if modified else 0)
        assert kinds.count("Upsample") == (0 if modified else SMALL.stacks * SMALL.depth)
        assert not any("Dropout" in kind for kind in kinds)
