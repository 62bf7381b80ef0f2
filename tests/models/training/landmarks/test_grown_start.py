"""A heatmap1d network can start with the weights of one of another size."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
import torch

from steadymark.models.networks.heatmap1d import Heatmap1d, Heatmap1dConfig
from steadymark.models.training.landmarks.grown_start import grow
from steadymark.models.training.landmarks.heatmap1d_system import Heatmap1dSystem
from support.small_networks import SMALL_HEATMAP1D

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.networks.pyramid import PyramidConfig
    from steadymark.models.training.system import Task

SMALL = SMALL_HEATMAP1D
DEEP = replace(SMALL, backbone=replace(cast("PyramidConfig", SMALL.backbone), blocks=(1, 3, 2, 2)))


def random_network(config: Heatmap1dConfig) -> Heatmap1d:
    torch.manual_seed(3)
    network = Heatmap1d(config).eval()
    for weight in network.parameters():
        weight.data += 0.05 * torch.randn_like(weight)
    return network


@torch.no_grad()
def test_added_blocks_change_nothing_before_the_training() -> None:
    small, deep, image = random_network(SMALL), Heatmap1d(DEEP).eval(), torch.rand(2, 3, 64, 64)
    grow(small, deep)
    for before, after in zip(small(image), deep(image), strict=True):
        torch.testing.assert_close(after, before)


@torch.no_grad()
@pytest.mark.parametrize("crop", [96, 128])
def test_weights_that_are_resampled_for_a_larger_crop_keep_their_sums(crop: int) -> None:
    small = random_network(SMALL)
    large = Heatmap1d(replace(SMALL, crop=crop, bins=2 * crop)).eval()
    grow(small, large)
    for name in ("x", "y"):
        weights = [getattr(n, f"cnn1_{name}")[0].weight for n in (small, large)]
        torch.testing.assert_close(weights[0].sum((2, 3)), weights[1].sum((2, 3)))
    sums = [cast("torch.nn.Linear", n.face[2]).weight.sum() for n in (large, small)]
    torch.testing.assert_close(*sums)


def test_a_network_with_other_channels_or_bins_is_refused() -> None:
    with pytest.raises(ValueError, match="only crop, bins and blocks may differ"):
        grow(random_network(SMALL), Heatmap1d(replace(SMALL, channels=16)))
    with pytest.raises(ValueError, match="in proportion to the crop"):
        grow(random_network(SMALL), Heatmap1d(replace(SMALL, bins=64)))


class CropTask:
    """A task that has random crops only."""

    def batch(self, number: int, size: int) -> tuple[torch.Tensor, ...]:
        return torch.randint(0, 256, (size, 64, 64, 3), dtype=torch.uint8), *[torch.empty(0)] * 2


@torch.no_grad()
def test_an_exported_model_starts_a_deeper_one(tmp_path: Path) -> None:
    config = replace(SMALL, landmarks=68)
    deep = replace(DEEP, landmarks=68)
    small, file = random_network(config), tmp_path / "small.onnx"
    system = Heatmap1dSystem(network=config)
    system.export(small, tmp_path, file)
    card = {"recipe": {"network": system.describe()["network"]}}
    file.with_suffix(".json").write_text(json.dumps(card), "utf-8")
    started, task = Heatmap1d(deep), cast("Task", CropTask())
    Heatmap1dSystem(network=deep).load_onnx_weights(file, started, task)
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(started.eval()(image).x, small(image).x, atol=1e-3, rtol=1e-3)
