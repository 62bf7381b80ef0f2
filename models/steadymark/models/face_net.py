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

if TYPE_CHECKING:
    from pathlib import Path

STRIDES = (8, 16, 32)
_OUTPUTS = 7  # score logit, log(l), log(t), log(r), log(b) in strides, sin and cos of the roll


@dataclass(frozen=True, slots=True)
class FaceNetConfig:
    """Channels at strides 2, 4, 8, 16, 32 and of the heads; blocks at strides 4, 8, 16, 32.

    top: how many boxes the exported graph gives at most.
    """

    stem: int = 16
    widths: tuple[int, int, int, int] = (32, 64, 96, 128)
    blocks: tuple[int, int, int, int] = (1, 2, 3, 3)
    head: int = 48
    top: int = 300


class ConvNorm(nn.Sequential):
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


class Stem(nn.Module):
    """The first convolution; takes 0…255 and scales inside its weights, which costs nothing."""

    def __init__(self, c_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, c_out, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, image: Tensor) -> Tensor:
        return torch.relu(
            self.norm(functional.conv2d(image, self.conv.weight / 64, None, stride=2, padding=1))
        )


def down(c_in: int, c_out: int) -> nn.Sequential:
    """Halve the resolution: a depthwise 3x3, then 1x1 to the new width."""
    return nn.Sequential(ConvNorm(c_in, c_in, 3, 2, groups=c_in, relu=False), ConvNorm(c_in, c_out))


class Block(nn.Module):
    """Depthwise 3x3 and 1x1 with a skip.

    Measured in ONNX Runtime at stride 8: 0.5 ms with 64 channels, a dense 3x3 takes 3.2 ms.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(width, width, 3, groups=width, relu=False), ConvNorm(width, width, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class FaceNet(nn.Module):
    """Backbone, a top-down path, and one head a stride."""

    def __init__(self, config: FaceNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FaceNetConfig()
        widths = (config.stem, *config.widths)
        self.stem = Stem(config.stem)
        self.stages = nn.ModuleList(
            nn.Sequential(down(widths[i], widths[i + 1]), *(Block(widths[i + 1]) for _ in range(n)))
            for i, n in enumerate(config.blocks)
        )
        self.sides = nn.ModuleList(
            ConvNorm(width, config.head, relu=False) for width in config.widths[1:]
        )
        self.heads = nn.ModuleList(
            nn.Sequential(Block(config.head), nn.Conv2d(config.head, _OUTPUTS, 1)) for _ in STRIDES
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


def locations(height: int, width: int) -> Tensor:
    """(n, 3): x and y in pixels and the stride of every location, in the order of FaceNet's rows.

    Pixels as everywhere: the centre of the top-left pixel is (0, 0).
    """
    maps = []
    for stride in STRIDES:
        x = (torch.arange(width // stride) + 0.5) * stride - 0.5
        y = (torch.arange(height // stride) + 0.5) * stride - 0.5
        yy, xx = torch.meshgrid(y, x, indexing="ij")
        maps.append(torch.stack((xx, yy, torch.full_like(xx, float(stride))), -1).flatten(0, 1))
    return torch.cat(maps)


def decode(rows: Tensor, places: Tensor) -> Tensor:
    """rows: (..., 7), places: (..., 3) → (..., 6): left, top, right, bottom, score, roll_deg."""
    sides = rows[..., 1:5].clamp(-6, 6).exp() * places[..., 2:3]
    centre = places[..., :2]
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
        """image: (1, H, W, 3) uint8 BGR, multiples of 32 → (top, 6), see `decode`, best first."""
        rows = self.network(image.permute(0, 3, 1, 2).float())[0]  # (n, 7)
        places = locations(image.shape[1], image.shape[2])
        top = self.network.config.top
        spare = torch.zeros(top, _OUTPUTS) - 30.0  # so that a tiny picture has `top` rows, too
        rows = torch.cat((rows, spare))
        places = torch.cat((places, torch.zeros(top, 3)))
        best = rows[:, 0].topk(top).indices
        return decode(rows[best], places[best])


def export_face_net(network: FaceNet, path: Path) -> None:
    """Write the ONNX file: `image` (1, H, W, 3) uint8 → `boxes` (top, 6) float32."""
    height = torch.export.Dim("h", min=1, max=400) * 32
    width = torch.export.Dim("w", min=1, max=400) * 32
    torch.onnx.export(
        FaceNetDecoded(network).eval(),
        (torch.zeros(1, 96, 160, 3, dtype=torch.uint8),),
        str(path),
        input_names=["image"],
        output_names=["boxes"],
        dynamic_shapes={"image": {1: height, 2: width}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
