"""face_net: an anchor-free face detector that finds the position, size and roll of faces.

It follows FCOS (Tian et al. 2019): each location of three maps (strides 8, 16, 32) predicts a face
score and the distances to the four sides of the face's box. The prediction of the roll is our
addition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.networks.onnx_export import export_onnx

if TYPE_CHECKING:
    from pathlib import Path

STRIDES = (8, 16, 32)
STEM_SCALE = 64  # the stem's weights are divided by it, since its input is 0…255
_OUTPUTS = 7  # score logit; log of left, top, right, bottom in strides; sin, cos of the roll


@dataclass(frozen=True, slots=True)
class FaceNetConfig:
    """Sizes of the network.

    Attributes:
        stem: Channels at stride 2.
        widths: Channels at strides 4, 8, 16 and 32.
        blocks: Number of blocks at strides 4, 8, 16 and 32.
        kernel: Kernel of the blocks at stride 32, which must see the whole of a large face.
        head: Channels of the heads.
        head_blocks: Number of blocks of the heads at strides 8, 16 and 32.
        top: Number of boxes that the exported graph returns.
    """

    stem: int = 16
    widths: tuple[int, int, int, int] = (32, 48, 80, 128)
    blocks: tuple[int, int, int, int] = (0, 3, 5, 4)
    kernel: int = 7
    head: int = 32
    head_blocks: tuple[int, int, int] = (1, 1, 1)
    top: int = 300


class FaceNetConvNorm(nn.Sequential):
    """Convolution, batch norm and an optional ReLU."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        relu: bool = True,
    ) -> None:
        conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(c_out), *([nn.ReLU(inplace=True)] if relu else []))


class FaceNetStem(nn.Module):
    """The first convolution; it takes values 0…255 and scales its weights instead of the input."""

    def __init__(self, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, c_out, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, image: Tensor) -> Tensor:
        """Convert images (B, 3, H, W), BGR 0…255, to features (B, C, H/2, W/2)."""
        return torch.relu(
            self.norm(
                functional.conv2d(image, self.conv.weight / STEM_SCALE, None, stride=2, padding=1)
            )
        )


class HalvingConv(nn.Conv2d):
    """A depthwise 3×3 convolution of stride 2.

    In training it computes stride 1 and keeps every other value, which gives the same result. On a
    CPU the gradient of a strided depthwise convolution takes five times as long.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 3, 2, 1, groups=width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, h, w) to (B, C, h/2, w/2)."""
        if not self.training:
            return super().forward(x)
        full_resolution = functional.conv2d(x, self.weight, None, 1, 1, groups=self.groups)
        return functional.avg_pool2d(full_resolution, 1, 2)


def down(c_in: int, c_out: int) -> nn.Sequential:
    """Halve the resolution with a depthwise 3×3 and a 1×1 convolution to the new width."""
    return nn.Sequential(HalvingConv(c_in), nn.BatchNorm2d(c_in), FaceNetConvNorm(c_in, c_out))


class FaceNetBlock(nn.Module):
    """A residual block of a depthwise and a 1×1 convolution.

    In ONNX Runtime at stride 8 with 64 channels it takes 0.5 ms; a dense 3×3 takes 3.2 ms.
    """

    def __init__(self, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            FaceNetConvNorm(width, width, kernel, groups=width, relu=False),
            FaceNetConvNorm(width, width, relu=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, h, w) to features of the same shape."""
        return torch.relu(x + self.body(x))


class FaceNet(nn.Module):
    """The detector: a backbone, a top-down path, and one head per stride."""

    def __init__(self, config: FaceNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FaceNetConfig()
        widths = (config.stem, *config.widths)
        kernels = (3, 3, 3, config.kernel)
        self.stem = FaceNetStem(config.stem)
        self.stages = nn.ModuleList(
            nn.Sequential(
                down(widths[i], widths[i + 1]),
                *(FaceNetBlock(widths[i + 1], kernels[i]) for _ in range(n)),
            )
            for i, n in enumerate(config.blocks)
        )
        self.sides = nn.ModuleList(
            FaceNetConvNorm(width, config.head, relu=False) for width in widths[2:]
        )
        self.heads = nn.ModuleList(
            nn.Sequential(
                *(FaceNetBlock(config.head) for _ in range(n)), nn.Conv2d(config.head, _OUTPUTS, 1)
            )
            for n in config.head_blocks
        )
        for head in self.heads:
            last = list(head.children())[-1]
            assert isinstance(last, nn.Conv2d)
            assert last.bias is not None
            nn.init.normal_(last.weight, std=0.01)
            nn.init.zeros_(last.bias)
            last.bias.data[0] = -math.log(99)  # prior: one location in a hundred

    def forward(self, image: Tensor) -> Tensor:
        """Predict the raw outputs of all locations.

        Args:
            image: (B, 3, H, W) BGR 0…255; H and W are multiples of 32.

        Returns:
            (B, n, 7), the locations of stride 8 first; see `decode`.
        """
        x = self.stages[0](self.stem(image))  # (B, c, H/4, W/4)
        features = []
        for stage in list(self.stages)[1:]:
            x = stage(x)
            features.append(x)
        y: Tensor | None = None
        outputs = []
        for i in (2, 1, 0):
            side = self.sides[i](features[i])
            if y is not None:
                side = side + functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = torch.relu(side)
            outputs.append(self.heads[i](y).flatten(2))  # (B, 7, h*w)
        return torch.cat(outputs[::-1], 2).transpose(1, 2)


def places(index: Tensor, height: int, width: int) -> Tensor:
    """Compute the location that belongs to each output row of `FaceNet`.

    Args:
        index: (n,) row numbers.
        height: Height of the input, pixels.
        width: Width of the input, pixels.

    Returns:
        (n, 3): x and y in pixels, with the centre of the top-left pixel at (0, 0), and the stride.
    """
    locations_of_rows = torch.zeros(len(index), 3)
    first = 0
    for stride in STRIDES:
        columns = width // stride
        cell = index - first
        row = torch.div(cell, columns, rounding_mode="floor")
        xy = torch.stack((cell - row * columns, row), -1)
        location = torch.cat(((xy + 0.5) * stride - 0.5, torch.full((len(index), 1), stride)), 1)
        locations_of_rows = torch.where((cell >= 0)[:, None], location, locations_of_rows)
        first = first + columns * (height // stride)
    return locations_of_rows


def locations(height: int, width: int) -> Tensor:
    """Compute the locations of all output rows of `FaceNet`.

    Args:
        height: Height of the input, pixels.
        width: Width of the input, pixels.

    Returns:
        (n, 3), see `places`.
    """
    count = sum((height // stride) * (width // stride) for stride in STRIDES)
    return places(torch.arange(count), height, width)


def decode(rows: Tensor, where: Tensor) -> Tensor:
    """Convert raw outputs to boxes.

    Args:
        rows: (..., 7) score logit, logarithms of the distances to the left, top, right and bottom
            sides in strides, sine and cosine of the roll (not normalised).
        where: (..., 3) locations, see `places`.

    Returns:
        (..., 6): left, top, right, bottom in pixels, score in [0, 1], roll in degrees.
    """
    sides = rows[..., 1:5].clamp(-6, 6).exp() * where[..., 2:3]
    centre = where[..., :2]
    roll = torch.atan2(rows[..., 5], rows[..., 6]).unsqueeze(-1) * (180 / math.pi)
    return torch.cat(
        (centre - sides[..., :2], centre + sides[..., 2:], rows[..., :1].sigmoid(), roll), -1
    )


class FaceNetDecoded(nn.Module):
    """The exported network: it returns the `top` best boxes, without removing overlaps."""

    def __init__(self, network: FaceNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Detect faces.

        Args:
            image: (1, 3, H, W) uint8 BGR; H and W are multiples of 32.

        Returns:
            (top, 6) boxes, best first, see `decode`.
        """
        rows = self.network(image.float())[0]  # (n, 7)
        top = self.network.config.top
        padding = torch.full((top, _OUTPUTS), -30.0)  # so that tiny images have `top` rows
        rows = torch.cat((rows, padding))
        best = rows[:, 0].topk(top).indices
        return decode(rows[best], places(best, image.shape[2], image.shape[3]))


def export_face_net(network: FaceNet, path: Path) -> None:
    """Write the detector as an ONNX file.

    Its input is `image` (1, 3, H, W) uint8 and its output is `boxes` (top, 6) float32.

    Args:
        network: The detector.
        path: The file to write.
    """
    height = torch.export.Dim("h", min=1, max=400) * 32
    width = torch.export.Dim("w", min=1, max=400) * 32
    export_onnx(
        FaceNetDecoded(network),
        (torch.zeros(1, 3, 96, 160, dtype=torch.uint8),),
        path,
        inputs=["image"],
        outputs=["boxes"],
        dynamic=({2: height, 3: width},),
    )
