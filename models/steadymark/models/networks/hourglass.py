"""The stacked hourglass (Newell et al., 2016) for heatmap1d `paper` and local_global."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from steadymark.models.networks.pyramid import PyramidConvNorm

STRIDE = 4  # input pixels per feature


@dataclass(frozen=True, slots=True)
class HourglassConfig:
    """Sizes of a stacked hourglass; the defaults are Newell's, the backbone of heatmap1d `paper`.

    Attributes:
        stacks: Number of hourglasses.
        depth: How often an hourglass halves its feature map.
        channels: Channels of the features.
        stem: Channels at half the input's side.
        modified: Use the changes 1 to 3 of local_global, section 3.1. Each hourglass is followed by
            a residual instead of a convolution, learned deconvolution replaces nearest-neighbour
            upsampling, and residuals are pre-activation. The stem starts with 3×3 instead of 7×7.
            Neither kind uses dropout.
    """

    stacks: int = 4
    depth: int = 4
    channels: int = 256
    stem: int = 64
    modified: bool = False

    @property
    def out(self) -> int:
        """Channels of the features."""
        return self.channels

    @property
    def deepest(self) -> int:
        """Channels of the deepest feature map."""
        return self.channels

    @property
    def stride(self) -> int:
        """Input pixels per feature."""
        return STRIDE

    @property
    def deepest_stride(self) -> int:
        """Input pixels per element of the deepest map; it must divide the input's side."""
        return STRIDE << self.depth


class NormConv(nn.Sequential):
    """Batch norm, ReLU and convolution, the parts of a pre-activation residual."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1) -> None:
        super().__init__(
            nn.BatchNorm2d(c_in),
            nn.ReLU(inplace=True),
            nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
        )


class PreResidual(nn.Module):
    """Pre-activation bottleneck: 1×1, 3×3, 1×1 convolutions with an identity skip.

    See He et al., "Identity Mappings in Deep Residual Networks", 2016.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        inner = c_out // 2
        self.body = nn.Sequential(
            NormConv(c_in, inner), NormConv(inner, inner, 3), NormConv(inner, c_out)
        )
        self.skip = nn.Identity() if c_in == c_out else nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, c_in, h, w) to (B, c_out, h, w)."""
        y: Tensor = self.skip(x) + self.body(x)
        return y


class PostResidual(nn.Module):
    """Bottleneck of He et al. (2015): norm after each convolution, ReLU after the sum."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        inner = c_out // 2
        self.body = nn.Sequential(
            PyramidConvNorm(c_in, inner, 1),
            PyramidConvNorm(inner, inner),
            PyramidConvNorm(inner, c_out, 1, relu=False),
        )
        self.skip = nn.Identity() if c_in == c_out else PyramidConvNorm(c_in, c_out, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, c_in, h, w) to (B, c_out, h, w)."""
        return torch.relu(self.skip(x) + self.body(x))


class Deconvolution(nn.Module):
    """Learned upsampling by 2: a deconvolution of kernel 2 and stride 2, as a 1×1 convolution.

    Before training it equals nearest-neighbour upsampling.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        self.shuffle = nn.PixelShuffle(2)
        with torch.no_grad():
            nearest = torch.eye(channels).repeat_interleave(4, 0)
            self.spread.weight.copy_(nearest[:, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, h, w) to (B, C, 2h, 2w)."""
        y: Tensor = self.shuffle(self.spread(x))  # (B, 4C, h, w) → (B, C, 2h, 2w)
        return y


def residual(config: HourglassConfig, c_in: int, c_out: int) -> nn.Module:
    """Build the residual module that this kind of hourglass uses."""
    return PreResidual(c_in, c_out) if config.modified else PostResidual(c_in, c_out)


class HourglassStem(nn.Module):
    """The stem, (B, 3, F, F) → (B, C, F/4, F/4): convolution, residual, pooling, two residuals."""

    def __init__(self, config: HourglassConfig) -> None:
        super().__init__()
        c = config.channels
        self.first = PyramidConvNorm(3, config.stem, 3 if config.modified else 7, 2)
        self.wide = residual(config, config.stem, c // 2)
        self.pool = nn.MaxPool2d(2)
        self.rest = nn.Sequential(residual(config, c // 2, c // 2), residual(config, c // 2, c))

    def forward(self, image: Tensor) -> Tensor:
        """Convert images (B, 3, F, F) to features (B, C, F/4, F/4)."""
        half = self.wide(self.first(image))  # (B, C/2, F/2, F/2)
        x: Tensor = self.rest(self.pool(half))
        return x


class Hourglass(nn.Module):
    """One hourglass: it pools `depth` times and upsamples again, with a skip at each size."""

    def __init__(self, config: HourglassConfig) -> None:
        super().__init__()
        c = config.channels

        def level() -> nn.ModuleList:
            return nn.ModuleList(residual(config, c, c) for _ in range(config.depth))

        self.keep, self.down, self.rise = level(), level(), level()
        self.bottom = residual(config, c, c)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ModuleList(
            Deconvolution(c) if config.modified else nn.Upsample(scale_factor=2, mode="nearest")
            for _ in range(config.depth)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of the shape of x (B, C, n, n), and the deepest map.

        The deepest map is (B, C, n/2^depth, n/2^depth).
        """
        skips = []
        for keep, down in zip(self.keep, self.down, strict=True):
            skips.append(keep(x))
            x = down(self.pool(x))
        x = deepest = self.bottom(x)
        for rise, up, skip in zip(self.rise, self.up, reversed(skips), strict=True):
            x = skip + up(rise(x))
        return x, deepest


class HourglassStack(nn.Module):
    """An hourglass with its output layers; it returns features for heatmaps and the deepest map."""

    def __init__(self, config: HourglassConfig) -> None:
        super().__init__()
        c = config.channels
        self.hourglass = Hourglass(config)
        self.after = residual(config, c, c) if config.modified else PyramidConvNorm(c, c, 1)
        # a pre-activation residual ends with a sum that is not normalised
        self.norm = (
            nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(inplace=True))
            if config.modified
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features of the shape of x (B, C, n, n), and the deepest map, see `Hourglass`."""
        whole, deepest = self.hourglass(x)
        return self.norm(self.after(whole)), deepest


class StackedHourglass(nn.Module):
    """A backbone: (B, 3, F, F) → features (B, C, F/4, F/4) and the last hourglass's deepest map.

    It has no heatmaps between the stacks, because heatmap1d has 1D heatmaps of its own. A network
    with intermediate heatmaps combines `HourglassStem`, `HourglassStack` and its own joints.
    """

    def __init__(self, config: HourglassConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HourglassConfig()
        self.stem = HourglassStem(config)
        self.stacks = nn.ModuleList(HourglassStack(config) for _ in range(config.stacks))
        self.joints = nn.ModuleList(
            nn.Conv2d(config.channels, config.channels, 1) for _ in range(config.stacks - 1)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, C, F/4, F/4) of images (B, 3, F, F), and the deepest map."""
        x = self.stem(image)
        features, deepest = self.stacks[0](x)
        for joint, stack in zip(self.joints, self.stacks[1:], strict=True):
            x = x + joint(features)
            features, deepest = stack(x)
        return features, deepest
