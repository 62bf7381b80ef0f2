"""Networks that are small enough for quick tests."""

from __future__ import annotations

from steadymark.models.networks.heatmap1d import Heatmap1dConfig
from steadymark.models.networks.pyramid import PyramidConfig

SMALL_HEATMAP1D = Heatmap1dConfig(
    landmarks=5,
    crop=64,
    bins=128,
    channels=8,
    hidden=8,
    backbone=PyramidConfig(stem=8, widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), out=8),
)
