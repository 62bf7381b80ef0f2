"""local_global: local heatmaps, then a global shape regressor (papers/local_global_3d.txt)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.networks.hourglass import (
    STRIDE,
    HourglassConfig,
    HourglassStack,
    HourglassStem,
)
from steadymark.models.networks.part_attention import heatmap_module
from steadymark.models.networks.pdc import bins_to_px, pdc_2d, px_to_bins
from steadymark.models.networks.pyramid import PyramidConvNorm


@dataclass(frozen=True, slots=True)
class LocalGlobalConfig:
    """Sizes of the network of Figure 2; the defaults are the paper's.

    Attributes:
        landmarks: Number of landmarks, K.
        crop: Side F of the input, pixels; a heatmap has F/4 bins per side.
        module: Number of the heatmap module of Figure 4, 1 to 4.
        radius: Radius of the target Gaussians, three standard deviations, bins.
        refine: The finetune module corrects the points that PDC reads off the last heatmaps (our
            change), instead of predicting points itself.
        image: Channels of the finetune module's image branch.
        widths: Channels of its VGG part.
        hidden: Width of its first fully connected layer.
        hourglass: Sizes of the hourglasses.

    Raises:
        ValueError: The side of the crop does not suit the hourglasses.
    """

    landmarks: int = 68
    crop: int = 256
    module: int = 4
    radius: float = 5.0
    refine: bool = False
    image: int = 64
    widths: tuple[int, ...] = (128, 128, 256, 256, 256)
    hidden: int = 512
    hourglass: HourglassConfig = field(default_factory=lambda: HourglassConfig(modified=True))

    def __post_init__(self) -> None:
        if self.crop % self.hourglass.deepest_stride:
            step = self.hourglass.deepest_stride
            raise ValueError(f"crop is {self.crop}, which is no multiple of {step}")

    @property
    def bins(self) -> int:
        """Side of a heatmap."""
        return self.crop // STRIDE


PRESETS = {
    "paper": LocalGlobalConfig(),
    "lite": LocalGlobalConfig(
        crop=128,
        refine=True,
        image=16,
        widths=(48, 64, 96, 128),
        hidden=256,
        hourglass=HourglassConfig(stacks=2, depth=3, channels=64, stem=24, modified=True),
    ),
}


class LocalGlobalOutput(NamedTuple):
    """The output of the network.

    Attributes:
        heatmaps: (B, S, K, n, n) logits of the heatmaps of all S stacks.
        points: (B, K, 2) landmarks, crop pixels.
        face: (B,) logits of the face score.
    """

    heatmaps: Tensor
    points: Tensor
    face: Tensor


class Finetune(nn.Module):
    """The finetune module (Figure 5), which regresses points from the image and all heatmaps.

    It is a small VGG with two fully connected layers. Two strided convolutions reduce the image to
    the side of the heatmaps.
    """

    def __init__(self, config: LocalGlobalConfig) -> None:
        super().__init__()
        first, *widths = config.widths
        heatmaps = config.landmarks * config.hourglass.stacks
        self.image = nn.Sequential(
            PyramidConvNorm(3, config.image, 3, 2),
            PyramidConvNorm(config.image, config.image, 3, 2),
        )
        self.mix = PyramidConvNorm(heatmaps + config.image, first, 1)
        self.vgg = nn.Sequential(
            *(
                nn.Sequential(nn.MaxPool2d(2), PyramidConvNorm(c_in, c_out))
                for c_in, c_out in zip(config.widths, widths, strict=False)
            )
        )
        side = config.bins // 2 ** len(widths)
        last = nn.Linear(config.hidden, config.landmarks * 2)
        nn.init.normal_(last.weight, std=1e-3)
        nn.init.zeros_(last.bias)
        self.full = nn.Sequential(
            nn.Flatten(),
            nn.Linear(config.widths[-1] * side**2, config.hidden),
            nn.ReLU(inplace=True),
            last,
            nn.Unflatten(1, (config.landmarks, 2)),
        )

    def forward(self, image: Tensor, heat: Tensor) -> Tensor:
        """Regress landmark offsets.

        Args:
            image: (B, 3, F, F).
            heat: (B, S*K, n, n) heatmaps in [0, 1].

        Returns:
            (B, K, 2) offsets, as shares of the crop's side.
        """
        mixed = self.mix(torch.cat((heat, self.image(image)), 1))
        y: Tensor = self.full(self.vgg(mixed))
        return y


class LocalGlobal(nn.Module):
    """The network of Figure 2: a stem, hourglasses and the finetune module.

    Each hourglass has heatmaps, which the next hourglass gets as input.
    """

    def __init__(self, config: LocalGlobalConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or LocalGlobalConfig()
        hourglass = config.hourglass
        c, k = hourglass.channels, config.landmarks
        self.stem = HourglassStem(hourglass)
        self.stacks = nn.ModuleList(HourglassStack(hourglass) for _ in range(hourglass.stacks))
        self.heads = nn.ModuleList(
            heatmap_module(config.module, c, k) for _ in range(hourglass.stacks)
        )
        self.joints = nn.ModuleList(nn.Conv2d(c + k, c, 1) for _ in range(hourglass.stacks - 1))
        self.finetune = Finetune(config)
        side = config.crop // hourglass.deepest_stride
        self.face = nn.Sequential(
            PyramidConvNorm(c, 32, 1), nn.Flatten(), nn.Linear(32 * side**2, 1)
        )

    def forward(self, image: Tensor) -> LocalGlobalOutput:
        """Predict the heatmaps and points of images (B, 3, F, F), normalised to about [-1, 1]."""
        x = self.stem(image)
        logits = []
        for i, (stack, head) in enumerate(zip(self.stacks, self.heads, strict=True)):
            features, deepest = stack(x)
            logits.append(head(features))
            if i < len(self.joints):  # the two convolutions of Figure 3 as one
                x = x + self.joints[i](torch.cat((features, logits[i].sigmoid()), 1))
        offsets = self.finetune(image, torch.cat(logits, 1).sigmoid()).float()
        points = self._start(logits[-1]) + offsets * self.config.crop
        return LocalGlobalOutput(torch.stack(logits, 1), points, self.face(deepest).flatten())

    def _start(self, logits: Tensor) -> Tensor | float:
        """Return the start of the offsets: points (B, K, 2) in pixels, or the crop's centre."""
        if not self.config.refine:
            return (self.config.crop - 1) / 2
        bins, _ = pdc_2d(logits.float().sigmoid(), soft=True)
        return bins_to_px(bins, self.config.crop, self.config.bins)


class LocalGlobalDecoded(nn.Module):
    """The exported network: it takes uint8 crops and returns points and scores.

    A landmark's score is the peak of its last heatmap times the face score. Sigmoid cross entropy
    trains a heatmap to be the expected Gaussian, so its peak falls below 1 when the position is
    uncertain.
    """

    def __init__(self, network: LocalGlobal) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict points and scores.

        Args:
            crops: (B, 3, F, F) uint8 BGR.

        Returns:
            Points (B, K, 2) in crop pixels, scores (B, K), and face scores (B,).
        """
        out = self.network((crops.float() - 127.5) / 127.5)
        face = out.face.sigmoid()
        peak = out.heatmaps[:, -1].amax((-1, -2)).sigmoid()
        return out.points, peak * face.unsqueeze(-1), face


def gaussian_maps(points: Tensor, config: LocalGlobalConfig) -> Tensor:
    """Create target heatmaps.

    Args:
        points: (B, K, 2) true landmarks, crop pixels.
        config: Sizes of the network.

    Returns:
        (B, K, n, n) Gaussians with peak 1; rows are y, columns are x.
    """
    grid = torch.arange(config.bins, device=points.device, dtype=points.dtype)
    bins = px_to_bins(points, config.crop, config.bins).unsqueeze(-1)  # (B, K, 2, 1)
    weight = torch.exp(-0.5 * ((grid - bins) / (config.radius / 3)).square())  # (B, K, 2, n)
    return weight[..., 1, :, None] * weight[..., 0, None, :]


def local_global_loss(
    output: LocalGlobalOutput,
    points: Tensor,
    face: Tensor,
    config: LocalGlobalConfig,
    *,
    heat_weight: float = 1.0,
    point_weight: float = 1.0,
) -> Tensor:
    """Compute the joint loss of heatmaps and points (sections 3.1 and 3.3).

    The first part is the sigmoid cross entropy of the heatmaps of every stack. It is divided by the
    area of the target Gaussian, so that the weights suit every size of heatmap. The second part is
    the distance of the points divided by √(w h), the size of the true points' bounding box (eq. 5).
    The face score has a loss of its own.

    Args:
        output: Output of the network.
        points: (B, K, 2) true landmarks, crop pixels.
        face: (B,), 1 for a sample with a face, else 0.
        config: Sizes of the network.
        heat_weight: Weight of the heatmaps.
        point_weight: Weight of the points.

    Returns:
        The mean over the samples with a face, a scalar. It is 0 if there are none.
    """
    has_face = face > 0.5
    points = torch.where(has_face[:, None, None], points.float(), torch.zeros(()).to(points))
    target = gaussian_maps(points, config).unsqueeze(1).expand(output.heatmaps.shape)
    entropy = functional.binary_cross_entropy_with_logits(
        output.heatmaps.float(), target, reduction="none"
    )
    areas = config.bins**2 / (2 * torch.pi * (config.radius / 3) ** 2)
    heat = entropy.mean((-1, -2, -3)).sum(1) * areas  # (B,), over stacks: intermediate supervision
    size = (points.amax(1) - points.amin(1)).prod(-1).sqrt().clamp_min(1)
    distance = torch.linalg.vector_norm(output.points.float() - points, dim=-1).mean(-1) / size
    each = heat_weight * heat + point_weight * distance
    loss: Tensor = (each * has_face).sum() / has_face.sum().clamp_min(1)
    return loss
