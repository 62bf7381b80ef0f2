"""The ways to read landmarks off heatmaps agree on clear heatmaps, and differ on noisy ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from steadymark.models.errors import DataError
from steadymark.models.networks.heatmap1d import Heatmap1d, Heatmaps
from steadymark.models.networks.hourglass import HourglassConfig
from steadymark.models.networks.local_global import (
    LocalGlobal,
    LocalGlobalConfig,
    LocalGlobalOutput,
)
from steadymark.models.networks.pdc import bins_to_px
from steadymark.models.runtime.zoo import find_model
from steadymark.models.training.paper_tables.decoding_table import decoding_table, ways_to_read
from support.small_networks import SMALL_HEATMAP1D

if TYPE_CHECKING:
    from pathlib import Path

ONE_AXIS = replace(SMALL_HEATMAP1D, landmarks=3)
TWO_AXES = LocalGlobalConfig(
    landmarks=3,
    crop=64,
    image=4,
    widths=(8, 8),
    hidden=8,
    hourglass=HourglassConfig(stacks=1, depth=2, channels=8, stem=4, modified=True),
)


def test_every_way_finds_the_peak_of_a_narrow_1d_heatmap() -> None:
    bins = torch.tensor([[40.0, 64.0], [64.0, 20.0], [100.0, 90.0]])  # (K, 2)
    grid = torch.arange(128.0)
    x, y = (-(((grid - bins[:, axis, None]) / 2) ** 2) * 8 for axis in (0, 1))
    output = Heatmaps(x[None], y[None], torch.zeros(1))
    ways = ways_to_read(Heatmap1d(ONE_AXIS))
    assert "finetune module" not in ways
    for read in ways.values():
        torch.testing.assert_close(read(output)[0], bins_to_px(bins, 64, 128), atol=0.1, rtol=0)


def test_a_threshold_ignores_far_values_that_pull_the_mean() -> None:
    heat = torch.zeros(1, 3, 128)
    heat[..., 40], heat[..., 120] = 6.0, 4.0
    output = Heatmaps(heat, heat, torch.zeros(1))
    ways = ways_to_read(Heatmap1d(ONE_AXIS))
    peak = ways["argmax"](output)
    torch.testing.assert_close(ways["PDC, threshold 0.2"](output), peak)
    assert (ways["mean of the positive values"](output) - peak > 3).all()


def test_the_heatmaps_of_local_global_are_read_without_its_finetune_module() -> None:
    logits = torch.full((1, 1, 3, 16, 16), -20.0)
    logits[..., 5, 9] = 20.0  # row 5, column 9
    output = LocalGlobalOutput(logits, torch.full((1, 3, 2), 7.0), torch.zeros(1))
    ways = ways_to_read(LocalGlobal(TWO_AXES))
    expected = bins_to_px(torch.tensor([9.0, 5.0]), 64, 16).expand(3, 2)
    assert (ways.pop("finetune module")(output) == 7).all()
    for read in ways.values():
        torch.testing.assert_close(read(output)[0], expected)


def test_a_model_without_heatmaps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="dan-lite has no heatmaps: name a model of heatmap1d"):
        decoding_table(find_model("dan-lite", "landmarks"), tmp_path)
