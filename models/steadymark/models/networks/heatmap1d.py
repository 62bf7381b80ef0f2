"""heatmap1d: attentive one-dimensional heatmap regression (papers/heatmap1d.txt)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.networks.hourglass import HourglassConfig, StackedHourglass
from steadymark.models.networks.pdc import bins_to_px, pdc_of_distribution
from steadymark.models.networks.pyramid import Pyramid, PyramidConfig, PyramidConvNorm

BackboneConfig = PyramidConfig | HourglassConfig


@dataclass(frozen=True, slots=True)
class Heatmap1dConfig:
    """Sizes of the detector of section 4.1; the defaults are the preset `lite`.

    Attributes:
        landmarks: Number of landmarks, K.
        crop: Side F of the input, pixels.
        bins: Length L of a 1D heatmap.
        gamma: γ of eq. 10.
        rest: Length to which the other axis is compressed before the co-attention (the columns of
            a D_k).
        channels: Channels C of the features of one axis.
        hidden: Channels inside the heads (CNN_2).
        backbone: Sizes of the backbone.
    """

    landmarks: int = 68
    crop: int = 128
    bins: int = 256
    gamma: float = 0.4
    rest: int = 4
    channels: int = 96
    hidden: int = 192
    backbone: BackboneConfig = field(default_factory=PyramidConfig)


PRESETS = {
    "lite": Heatmap1dConfig(),
    "fast": Heatmap1dConfig(crop=96, bins=192),
    "base": Heatmap1dConfig(crop=192, bins=384, backbone=PyramidConfig(blocks=(1, 4, 6, 4))),
    "paper": Heatmap1dConfig(
        crop=256, bins=768, channels=128, hidden=256, backbone=HourglassConfig()
    ),
}


class Heatmaps(NamedTuple):
    """The output of the detector.

    Attributes:
        x: (B, K, L) logits of the heatmaps along x.
        y: (B, K, L) logits of the heatmaps along y.
        face: (B,) logits of the face score.
    """

    x: Tensor
    y: Tensor
    face: Tensor


def build_backbone(config: BackboneConfig) -> nn.Module:
    """Build the backbone that a config describes.

    Args:
        config: Sizes of the backbone.

    Returns:
        A module that maps images (B, 3, F, F) to features (B, out, F/stride, F/stride) and the
        deepest feature map.
    """
    return Pyramid(config) if isinstance(config, PyramidConfig) else StackedHourglass(config)


def face_head(config: BackboneConfig, crop: int) -> nn.Sequential:
    """Build the head that tells whether a crop shows a face.

    Args:
        config: Sizes of the backbone.
        crop: Side F of the input, pixels.

    Returns:
        A module that maps the deepest feature map to one logit per crop, (B, 1).
    """
    side = crop // config.deepest_stride
    return nn.Sequential(
        PyramidConvNorm(config.deepest, 32, 1), nn.Flatten(), nn.Linear(32 * side**2, 1)
    )


class CoAttention(nn.Module):
    """The co-attention of eqs. 9 and 10: the features of each axis attend to the other axis."""

    def __init__(self, rest: int, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.scale = rest**-0.5
        self.p = nn.Parameter(torch.eye(rest))
        self.q = nn.Parameter(torch.eye(rest))

    def forward(self, d_x: Tensor, d_y: Tensor) -> tuple[Tensor, Tensor]:
        """Exchange features between the axes.

        Args:
            d_x: (B, C, rest, n_x) features along x, the paper's D^x transposed.
            d_y: (B, C, n_y, rest) features along y, the paper's D^y transposed.

        Returns:
            Both with the attended features added, (B, C, rest, n).
        """
        w_xy = (d_y @ self.p @ d_x * self.scale).softmax(-1)  # (B, C, n_y, n_x)
        w_yx = ((d_y @ self.q.T @ d_x * self.scale).transpose(-1, -2)).softmax(-1)  # n_x, n_y
        attended_x = d_y.transpose(-1, -2) @ w_yx.transpose(-1, -2)  # (B, C, rest, n_x)
        attended_y = d_x @ w_xy.transpose(-1, -2)  # (B, C, rest, n_y)
        return d_x + self.gamma * attended_x, d_y.transpose(-1, -2) + self.gamma * attended_y


class AxisHead(nn.Module):
    """CNN_2 of one axis: it turns the features of the axis into heatmaps of L bins.

    The remaining columns of the other axis become channels, and a deconvolution makes L bins.
    """

    def __init__(self, config: Heatmap1dConfig, length: int) -> None:
        super().__init__()
        factor = config.bins // length
        self.fold = nn.Sequential(
            nn.Conv1d(config.channels * config.rest, config.hidden, 1, bias=False),
            nn.BatchNorm1d(config.hidden),
            nn.ReLU(inplace=True),
            nn.Conv1d(config.hidden, config.hidden, 3, padding=1, bias=False),
            nn.BatchNorm1d(config.hidden),
            nn.ReLU(inplace=True),
        )
        self.deconv = nn.ConvTranspose1d(
            config.hidden, config.landmarks, 2 * factor, factor, factor // 2
        )

    def forward(self, d: Tensor) -> Tensor:
        """Compute logits (B, K, L) from features d (B, C, rest, n)."""
        return self._deconvolve(self.fold(d.flatten(1, 2)))

    def _deconvolve(self, x: Tensor) -> Tensor:
        """Compute `self.deconv` as a convolution over pairs of neighbours, in half the time.

        x: (B, H, n) → (B, K, L). The deconvolution has kernel 2f, stride f and padding f/2, so that
        f consecutive bins depend on two neighbours: on the second half of the kernel of the first
        one and on the first half of that of the second one.
        """
        weight, bias = self.deconv.weight, self.deconv.bias
        assert bias is not None
        landmarks, half = weight.shape[1], weight.shape[2] // 2
        pairs = torch.stack((weight[..., half:], weight[..., :half]), -1)  # (H, K, f, 2)
        phases = functional.conv1d(x, pairs.flatten(1, 2).transpose(0, 1), padding=1)
        whole = phases.view(-1, landmarks, half, phases.shape[-1]).transpose(2, 3).flatten(2)
        return whole[..., half // 2 : -(half // 2)] + bias[:, None]


class Heatmap1d(nn.Module):
    """The detector: backbone → CNN_1 of both axes → co-attention → CNN_2 of both axes."""

    def __init__(self, config: Heatmap1dConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or Heatmap1dConfig()
        length = config.crop // config.backbone.stride
        stride = length // config.rest
        self.backbone = build_backbone(config.backbone)
        c = config.backbone.out
        self.cnn1_x = self._compress(c, config.channels, (stride, 1))
        self.cnn1_y = self._compress(c, config.channels, (1, stride))
        self.attention = CoAttention(config.rest, config.gamma)
        self.cnn2_x = AxisHead(config, length)
        self.cnn2_y = AxisHead(config, length)
        self.face = face_head(config.backbone, config.crop)

    @staticmethod
    def _compress(c_in: int, c_out: int, stride: tuple[int, int]) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(c_in, c_out, stride, stride, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, image: Tensor) -> Heatmaps:
        """Predict the heatmaps of images (B, 3, F, F), normalised to about [-1, 1]."""
        features, deepest = self.backbone(image)
        d_x = self.cnn1_x(features)  # (B, C, rest, n_x)
        d_y = self.cnn1_y(features)  # (B, C, n_y, rest)
        d_x, d_y = self.attention(d_x, d_y)
        return Heatmaps(self.cnn2_x(d_x), self.cnn2_y(d_y), self.face(deepest).flatten())


class Heatmap1dDecoded(nn.Module):
    """The exported network: it takes uint8 crops and returns points, read off by soft PDC."""

    def __init__(self, network: Heatmap1d) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Predict points, scores and heatmaps.

        Args:
            crops: (B, 3, F, F) uint8 BGR.

        Returns:
            Points (B, K, 2) in crop pixels, scores (B, K), face scores (B,), and the heatmaps
            (B, K, 2, L) along x and y.
        """
        heat = self.network((crops.float() - 127.5) / 127.5)
        both = torch.stack((heat.x, heat.y), 1).softmax(-1)  # (B, 2, K, L)
        bins, share = pdc_of_distribution(both)
        face = heat.face.sigmoid()
        score = (share[:, 0] * share[:, 1]).sqrt() * face.unsqueeze(-1)
        config = self.network.config
        points = bins_to_px(bins, config.crop, config.bins).transpose(1, 2)
        return points, score, face, both.transpose(1, 2)
