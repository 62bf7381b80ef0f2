"""face_net: where the faces of a picture are, how large and how rolled, without anchors.

After FCOS (Tian et al. 2019): every location of three maps (strides 8, 16, 32) tells a face score,
the distances to the four sides of the face's box and, of our own, the face's roll.
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
_OUTPUTS = 7  # score logit, log(l), log(t), log(r), log(b) in strides, sin and cos of the roll


@dataclass(frozen=True, slots=True)
class FaceNetConfig:
    """Channels at strides 2, 4, 8, 16, 32 and of the heads; blocks at strides 4, 8, 16, 32.

    kernel: of the blocks at stride 32, which must see the whole of a large face. head_blocks: at
    strides 8, 16, 32. top: how many boxes the exported graph gives at most.
    """

    stem: int = 16
    widths: tuple[int, int, int, int] = (32, 48, 80, 128)
    blocks: tuple[int, int, int, int] = (0, 3, 5, 4)
    kernel: int = 7
    head: int = 32
    head_blocks: tuple[int, int, int] = (1, 1, 1)
    top: int = 300


class FaceNetConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless told not to, ReLU."""

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
    """The first convolution; takes 0…255 and scales inside its weights, which costs nothing."""

    def __init__(self, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, c_out, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(
            self.norm(functional.conv2d(image, self.conv.weight / 64, None, stride=2, padding=1))
        )


class HalvingConv(nn.Conv2d):
    """A depthwise 3x3 of stride 2.

    In training it keeps every other value of one of stride 1, which is the same: on a CPU the
    gradient of a strided depthwise convolution takes five times as long.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 3, 2, 1, groups=width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        every = functional.conv2d(x, self.weight, None, 1, 1, groups=self.groups)
        return functional.avg_pool2d(every, 1, 2)


def down(c_in: int, c_out: int) -> nn.Sequential:
    """Halve the resolution: a depthwise 3x3, then 1x1 to the new width."""
    return nn.Sequential(HalvingConv(c_in), nn.BatchNorm2d(c_in), FaceNetConvNorm(c_in, c_out))


class FaceNetBlock(nn.Module):
    """Depthwise convolution and 1x1 with a skip.

    Measured in ONNX Runtime at stride 8: 0.5 ms with 64 channels, a dense 3x3 takes 3.2 ms.
    """

    def __init__(self, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = nn.Sequential(
            FaceNetConvNorm(width, width, kernel, groups=width, relu=False),
            FaceNetConvNorm(width, width, relu=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class FaceNet(nn.Module):
    """Backbone, a top-down path, and one head a stride."""

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
            last.bias.data[0] = -math.log(99)  # one location in a hundred

    def forward(self, image: Tensor) -> Tensor:
        """image: (B, 3, H, W) 0…255, multiples of 32 → (B, n, 7), all locations, stride 8 first."""
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
    """(n,) row numbers of FaceNet → (n, 3): x and y in pixels and the stride of each location.

    Pixels as everywhere: the centre of the top-left pixel is (0, 0).
    """
    told = torch.zeros(len(index), 3)
    first = 0
    for stride in STRIDES:
        columns = width // stride
        cell = index - first
        row = torch.div(cell, columns, rounding_mode="floor")
        xy = torch.stack((cell - row * columns, row), -1)
        here = torch.cat(((xy + 0.5) * stride - 0.5, torch.full((len(index), 1), stride)), 1)
        told = torch.where((cell >= 0)[:, None], here, told)
        first = first + columns * (height // stride)
    return told


def locations(height: int, width: int) -> Tensor:
    """(n, 3): the places of all rows, in their order."""
    count = sum((height // stride) * (width // stride) for stride in STRIDES)
    return places(torch.arange(count), height, width)


def decode(rows: Tensor, where: Tensor) -> Tensor:
    """rows: (..., 7), where: (..., 3), see `places` → (..., 6).

    A result: left, top, right, bottom in pixels, score in [0, 1], roll_deg.
    """
    sides = rows[..., 1:5].clamp(-6, 6).exp() * where[..., 2:3]
    centre = where[..., :2]
    roll = torch.atan2(rows[..., 5], rows[..., 6]).unsqueeze(-1) * (180 / math.pi)
    return torch.cat(
        (centre - sides[..., :2], centre + sides[..., 2:], rows[..., :1].sigmoid(), roll), -1
    )


class FaceNetDecoded(nn.Module):
    """What is exported: a uint8 picture in, the `top` best boxes out; overlaps are left in."""

    def __init__(self, network: FaceNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """image: (1, 3, H, W) uint8 BGR, multiples of 32 → (top, 6), see `decode`, best first."""
        rows = self.network(image.float())[0]  # (n, 7)
        top = self.network.config.top
        spare = torch.full((top, _OUTPUTS), -30.0)  # so that a tiny picture has `top` rows, too
        rows = torch.cat((rows, spare))
        best = rows[:, 0].topk(top).indices
        return decode(rows[best], places(best, image.shape[2], image.shape[3]))


def export_face_net(network: FaceNet, path: Path) -> None:
    """Write the ONNX file: `image` (1, 3, H, W) uint8 → `boxes` (top, 6) float32."""
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
