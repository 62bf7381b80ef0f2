"""Training of heatmap1d and of its counterpart with 2D heatmaps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.networks.heatmap1d import (
    PRESETS,
    Heatmap1d,
    Heatmap1dConfig,
    Heatmap1dDecoded,
)
from steadymark.models.networks.heatmap2d import Heatmap2d, Heatmap2dDecoded
from steadymark.models.networks.heatmap_losses import joint_loss, marginal_loss, squared_loss
from steadymark.models.networks.pdc import px_to_bins
from steadymark.models.runtime.heatmap_tap import HEATMAPS
from steadymark.models.training.landmarks.grown_start import grow
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.loop.weights_from_onnx import load_onnx_weights
from steadymark.models.training.system import dataclass_from_dict

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.system import Task

PAPER_TITLE = "heatmap1d: Attentive One-Dimensional Heatmap Regression (MM 2020)"


@dataclass(frozen=True)
class Heatmap1dSystem(LandmarkSystem[Heatmap1d]):
    """Training of the detector of heatmap1d.

    Attributes:
        sigma: Standard deviation of the target marginals, in bins.
        l1: Weight of |soft-argmax - truth| in bins, added to the cross entropy.
        squared: Use the paper's loss, eq. 11, instead of the cross entropy, which learns faster
            from few images.
        network: Configuration of the network.
    """

    name: ClassVar[str] = "heatmap1d"
    paper: ClassVar[str] = PAPER_TITLE
    more_outputs: ClassVar[tuple[str, ...]] = (HEATMAPS,)

    sigma: float = 3.0
    l1: float = 0.05
    squared: bool = False
    network: Heatmap1dConfig = field(default_factory=Heatmap1dConfig)

    @property
    def landmarks(self) -> int:
        return self.network.landmarks

    @property
    def crop(self) -> int:
        return self.network.crop

    def build(self) -> Heatmap1d:
        return Heatmap1d(self.network)

    def decoded(self, network: Heatmap1d) -> Heatmap1dDecoded:
        return Heatmap1dDecoded(network)

    def load_onnx_weights(self, file: Path, network: Heatmap1d, task: Task) -> None:
        """Load an exported model; it may have another crop or fewer blocks, see `grow`."""
        config = self._exported_config(file)
        source = Heatmap1d(config)
        crops, _, _ = task.batch(0, 256)
        planes = functional.interpolate(
            crops.permute(0, 3, 1, 2).float(), (config.crop, config.crop), mode="area"
        )
        load_onnx_weights(file, self.decoded(source), planes.round().to(torch.uint8))
        grow(source, network)

    def _exported_config(self, file: Path) -> Heatmap1dConfig:
        """Return the configuration of an exported network by its card, or else this one's."""
        card = file.with_suffix(".json")
        if not card.is_file():
            return self.network
        network = json.loads(read_bounded_text(card)).get("recipe", {}).get("network")
        return dataclass_from_dict(Heatmap1dConfig, network) if network else self.network

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        heat = network(images)
        bins = px_to_bins(points, self.crop, self.network.bins)
        loss = torch.zeros_like(face)
        for logits, axis in ((heat.x.float(), 0), (heat.y.float(), 1)):
            if self.squared:
                loss = loss + squared_loss(logits, bins[..., axis], sigma=self.sigma)
            else:
                loss = loss + marginal_loss(logits, bins[..., axis], sigma=self.sigma, l1=self.l1)
        return self.with_score(loss, heat.face, face)


@dataclass(frozen=True)
class Heatmap2dSystem(LandmarkSystem[Heatmap2d]):
    """Training of 2D heatmaps over the same backbone, for table 1 of the paper (sigma in bins)."""

    name: ClassVar[str] = "heatmap2d"
    paper: ClassVar[str] = PAPER_TITLE

    sigma: float = 1.0
    l1: float = 0.05
    network: Heatmap1dConfig = field(default_factory=lambda: Heatmap1dConfig(bins=32))

    @property
    def landmarks(self) -> int:
        return self.network.landmarks

    @property
    def crop(self) -> int:
        return self.network.crop

    def build(self) -> Heatmap2d:
        return Heatmap2d(self.network)

    def decoded(self, network: Heatmap2d) -> Heatmap2dDecoded:
        return Heatmap2dDecoded(network)

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        heat = network(images)
        bins = px_to_bins(points, self.crop, self.network.bins)
        loss = joint_loss(heat.joint.float(), bins, sigma=self.sigma, l1=self.l1)
        return self.with_score(loss, heat.face, face)


LITE = Heatmap1dSystem()
LITE_2D = Heatmap2dSystem()
BASE = Heatmap1dSystem(preset="base", network=PRESETS["base"])
FAST = Heatmap1dSystem(preset="fast", network=PRESETS["fast"])
PAPER = Heatmap1dSystem(
    preset="paper",
    rate=1e-4,
    weight_decay=0.0,
    batch=10,
    sigma=9.0,
    squared=True,
    network=PRESETS["paper"],
)
