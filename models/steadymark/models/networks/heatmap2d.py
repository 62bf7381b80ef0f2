"""heatmap2d: 2D heatmaps with the backbone of heatmap1d, the baseline of that paper's Table 1."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from steadymark.models.networks.heatmap1d import Heatmap1dConfig, build_backbone, face_head
from steadymark.models.networks.pdc import bins_to_px, pdc_2d


class Heatmaps2d(NamedTuple):
    """The output of the network.

    Attributes:
        joint: (B, K, L, L) logits of the heatmaps; rows are y.
        face: (B,) logits of the face score.
    """

    joint: Tensor
    face: Tensor


class Heatmap2d(nn.Module):
    """The network: a backbone and one deconvolution to K heatmaps of L×L; `bins` is L."""

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
        """Predict the heatmaps of images (B, 3, F, F), normalised to about [-1, 1]."""
        features, deepest = self.backbone(image)
        return Heatmaps2d(self.head(features), self.face(deepest).flatten())


class Heatmap2dDecoded(nn.Module):
    """The exported network: it takes uint8 crops and returns points, read off by soft PDC."""

    def __init__(self, network: Heatmap2d) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict points and scores.

        Args:
            crops: (B, 3, F, F) uint8 BGR.

        Returns:
            Points (B, K, 2) in crop pixels, scores (B, K), and face scores (B,).
        """
        heat = self.network((crops.float() - 127.5) / 127.5)
        joint = torch.softmax(heat.joint.flatten(2), -1).view_as(heat.joint)
        bins, share = pdc_2d(joint, soft=True)
        face = heat.face.sigmoid()
        config = self.network.config
        return bins_to_px(bins, config.crop, config.bins), share * face.unsqueeze(-1), face
