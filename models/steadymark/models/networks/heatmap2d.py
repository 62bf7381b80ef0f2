"""2D heatmaps over heatmap1d's backbone: what the paper compares with in its table 1."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from steadymark.models.networks.heatmap1d import Heatmap1dConfig, build_backbone, face_head
from steadymark.models.networks.pdc import bins_to_px, pdc_2d


class Heatmaps2d(NamedTuple):
    """Logits of the joint distributions (B, K, L, L), rows are y, and of the face score (B,)."""

    joint: Tensor
    face: Tensor


class Heatmap2d(nn.Module):
    """Backbone → one deconvolution → K maps of L x L. bins of the config is L."""

    def __init__(self, config: Heatmap1dConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or Heatmap1dConfig(bins=32)
        self.backbone = build_backbone(config.backbone)
        c, k = config.backbone.out, config.landmarks
        factor = config.bins * config.backbone.stride // config.crop
        self.head = (
            nn.Conv2d(c, k, 1)
            if factor == 1
            else nn.ConvTranspose2d(c, k, 2 * factor, factor, factor // 2)
        )
        self.face = face_head(config.backbone, config.crop)

    def forward(self, image: Tensor) -> Heatmaps2d:
        """image: (B, 3, F, F), normalised to about [-1, 1]."""
        features, deepest = self.backbone(image)
        return Heatmaps2d(self.head(features), self.face(deepest).flatten())


class Heatmap2dDecoded(nn.Module):
    """What is exported: uint8 crops in, points and scores out, PDC (soft) inside the graph."""

    def __init__(self, network: Heatmap2d) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """crops: (B, 3, F, F) uint8 BGR → points (B, K, 2) crop px, scores (B, K), face (B,)."""
        heat = self.network((crops.float() - 127.5) / 127.5)
        joint = torch.softmax(heat.joint.flatten(2), -1).view_as(heat.joint)
        bins, share = pdc_2d(joint, soft=True)
        face = heat.face.sigmoid()
        config = self.network.config
        return bins_to_px(bins, config.crop, config.bins), share * face.unsqueeze(-1), face
