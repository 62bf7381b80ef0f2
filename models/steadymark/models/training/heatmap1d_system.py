"""heatmap1d and its 2D counterpart as trainable systems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.heatmap1d import (
    PRESETS,
    Heatmap1d,
    Heatmap1dConfig,
    Heatmap1dDecoded,
    px_to_bins,
)
from steadymark.models.heatmap2d import Heatmap2d, Heatmap2dDecoded
from steadymark.models.losses import joint_loss, marginal_loss, squared_loss
from steadymark.models.training.augment import AugmentConfig
from steadymark.models.training.exporting import export_landmarks
from steadymark.models.training.landmark_task import LandmarkTask
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Heatmap1dSystem(System[Heatmap1d]):
    """The detector of heatmap1d.

    sigma: of the target marginals, in bins. squared: eq. 11, the paper's loss, in place of the
    cross entropy, which learns faster from few pictures. l1: weight of |soft-argmax - truth| in
    bins beside the cross entropy.
    """

    name: ClassVar[str] = "heatmap1d"

    sigma: float = 3.0
    l1: float = 0.05
    squared: bool = False
    face_weight: float = 0.3
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: Heatmap1dConfig = field(default_factory=Heatmap1dConfig)

    def build(self) -> Heatmap1d:
        return Heatmap1d(self.network)

    def open(self, data: Path, out: Path, *, seed: int) -> LandmarkTask[Heatmap1d]:
        return LandmarkTask(
            data,
            self.network.crop,
            self.augment,
            seed=seed,
            loss=self.loss,
            decoded=Heatmap1dDecoded,
        )

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        """images: (B, 3, F, F), points: (B, K, 2) crop pixels, face: (B,) → the mean."""
        heat = network(images)
        bins = px_to_bins(points, self.network)
        loss = torch.zeros_like(face)
        for logits, axis in ((heat.x.float(), 0), (heat.y.float(), 1)):
            if self.squared:
                loss = loss + squared_loss(logits, bins[..., axis], sigma=self.sigma)
            else:
                loss = loss + marginal_loss(logits, bins[..., axis], sigma=self.sigma, l1=self.l1)
        return mean_of_faces(loss, heat.face, face, self.face_weight)

    def export(self, network: Heatmap1d, run: Path, path: Path) -> dict[str, Any]:
        facts = export_landmarks(Heatmap1dDecoded(network), self.network.crop, path)
        return {**facts, "margin": self.augment.margin, "paper": _PAPER}


@dataclass(frozen=True)
class Heatmap2dSystem(System[Heatmap2d]):
    """2D heatmaps over the same backbone, for the paper's table 1. sigma: in bins."""

    name: ClassVar[str] = "heatmap2d"

    sigma: float = 1.0
    l1: float = 0.05
    face_weight: float = 0.3
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: Heatmap1dConfig = field(default_factory=lambda: Heatmap1dConfig(bins=32))

    def build(self) -> Heatmap2d:
        return Heatmap2d(self.network)

    def open(self, data: Path, out: Path, *, seed: int) -> LandmarkTask[Heatmap2d]:
        return LandmarkTask(
            data,
            self.network.crop,
            self.augment,
            seed=seed,
            loss=self.loss,
            decoded=Heatmap2dDecoded,
        )

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        """As Heatmap1dSystem.loss."""
        heat = network(images)
        bins = px_to_bins(points, self.network)
        loss = joint_loss(heat.joint.float(), bins, sigma=self.sigma, l1=self.l1)
        return mean_of_faces(loss, heat.face, face, self.face_weight)

    def export(self, network: Heatmap2d, run: Path, path: Path) -> dict[str, Any]:
        facts = export_landmarks(Heatmap2dDecoded(network), self.network.crop, path)
        return {**facts, "margin": self.augment.margin, "paper": _PAPER}


def mean_of_faces(loss: Tensor, logit: Tensor, face: Tensor, weight: float) -> Tensor:
    """Mean of the losses (B,) of samples with a face + weight x cross entropy of the face score."""
    found = (loss * face).sum() / face.sum().clamp_min(1)
    return found + weight * functional.binary_cross_entropy_with_logits(logit.float(), face)


_PAPER = "heatmap1d: Attentive One-Dimensional Heatmap Regression (MM 2020)"
LITE = Heatmap1dSystem()
LITE_2D = Heatmap2dSystem()
PAPER = Heatmap1dSystem(
    preset="paper",
    rate=1e-4,
    weight_decay=0.0,
    batch=10,
    sigma=9.0,
    squared=True,
    network=PRESETS["paper"],
)
