"""A small residual backbone with a top-down path, designed for one CPU core (heatmap1d `lite`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class PyramidConfig:
    """Sizes of the backbone.

    Attributes:
        stem: Channels at stride 2.
        widths: Channels at strides 4, 8, 16 and 32.
        blocks: Number of residual blocks at strides 4, 8, 16 and 32.
        out: Channels of the features.
    """

    stem: int = 24
    widths: tuple[int, int, int, int] = (40, 80, 128, 160)
    blocks: tuple[int, int, int, int] = (1, 2, 2, 1)
    out: int = 96

    @property
    def stride(self) -> int:
        """Input pixels per feature."""
        return 8

    @property
    def deepest(self) -> int:
        """Channels of the deepest feature map."""
        return self.widths[-1]

    @property
    def deepest_stride(self) -> int:
        """Input pixels per element of the deepest map; it must divide the input's side."""
        return 32


class PyramidConvNorm(nn.Sequential):
    """Convolution, batch norm and an optional ReLU."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int = 3, stride: int = 1, *, relu: bool = True
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class Residual(nn.Module):
    """Residual bottleneck of the hourglass papers: 1×1, 3×3, 1×1 convolutions with a skip."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            PyramidConvNorm(width, inner, 1),
            PyramidConvNorm(inner, inner, 3),
            PyramidConvNorm(inner, width, 1, relu=False),
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, h, w) to features of the same shape."""
        y: Tensor = self.relu(x + self.body(x))
        return y


class Pyramid(nn.Module):
    """The backbone: images (B, 3, F, F) → features (B, out, F/8, F/8) and the deepest map.

    The deepest map is (B, widths[3], F/32, F/32).
    """

    def __init__(self, config: PyramidConfig) -> None:
        super().__init__()
        c1, c2, c3, c4 = config.widths
        self.stem = PyramidConvNorm(3, config.stem, 3, 2)
        widths = (config.stem, *config.widths)
        self.stages = nn.ModuleList(
            nn.Sequential(
                PyramidConvNorm(widths[i], widths[i + 1], 3, 2),
                *(Residual(widths[i + 1], (widths[i + 1] * 5 // 8 + 7) // 8 * 8) for _ in range(n)),
            )
            for i, n in enumerate(config.blocks)
        )
        self.fine = nn.Sequential(
            nn.Conv2d(c1, config.out, 2, 2, bias=False), nn.BatchNorm2d(config.out)
        )
        self.side = PyramidConvNorm(c2, config.out, 1, relu=False)
        self.side16 = PyramidConvNorm(c3, config.out, 1, relu=False)
        self.side32 = PyramidConvNorm(c4, config.out, 1, relu=False)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.mix16 = PyramidConvNorm(config.out, config.out, 3)
        self.mix = PyramidConvNorm(config.out, config.out, 3)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (B, out, F/8, F/8) of images (B, 3, F, F), and the deepest map."""
        x4 = self.stages[0](self.stem(image))  # (B, c1, F/4, F/4)
        x8 = self.stages[1](x4)
        x16 = self.stages[2](x8)
        x32 = self.stages[3](x16)
        y16 = self.mix16(torch.relu(self.side16(x16) + self.up(self.side32(x32))))
        # in this order, ONNX Runtime adds within the convolutions
        y8 = self.mix(torch.relu(self.fine(x4) + (self.side(x8) + self.up(y16))))
        return y8, x32
