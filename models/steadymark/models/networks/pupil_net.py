"""The network that finds the centre of the pupil in the crop of an eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH
from steadymark.models.networks.onnx_export import count_macs, export_onnx

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_CONTRAST = 4.0  # grey levels added to the standard deviation of a crop
_STRIDE = 2  # crop pixels per cell of the heatmap


@dataclass(frozen=True, slots=True)
class PupilNetConfig:
    """Sizes of the network.

    Attributes:
        width: Number of channels at half of the crop's resolution; there are twice as many at a
            quarter and three times as many at an eighth of it.
        decoder: `heatmap` for the mean of a heatmap (soft-argmax), or `regression` for coordinates
            from a fully connected layer.
    """

    width: int = 16
    decoder: str = "heatmap"

    def __post_init__(self) -> None:
        if self.decoder not in ("heatmap", "regression"):
            raise ValueError(f"decoder={self.decoder}: give heatmap or regression")


class PupilNet(nn.Module):
    """A small encoder with a heatmap at half of the crop's resolution.

    Nibali et al., Numerical Coordinate Regression with Convolutional Neural Networks (2018),
    equation 3: the coordinates are the mean of the heatmap, which sums to 1.
    """

    def __init__(self, config: PupilNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PupilNetConfig()
        fine, middle, coarse = config.width, 2 * config.width, 3 * config.width
        self.fine = nn.Sequential(_layer(1, fine, stride=2), _layer(fine, fine))
        self.middle = nn.Sequential(_layer(fine, middle, stride=2), _layer(middle, middle))
        self.coarse = nn.Sequential(_layer(middle, coarse, stride=2), _layer(coarse, coarse))
        self.seen = nn.Linear(2 * coarse, 1)
        if config.decoder == "heatmap":
            self.coarse_to_middle = nn.Conv2d(coarse, middle, 1)
            self.join_middle = _layer(middle, middle)
            self.middle_to_fine = nn.Conv2d(middle, fine, 1)
            self.join_fine = _layer(fine, fine)
            self.heat = nn.Conv2d(fine, 1, 1)
        else:
            cells = (EYE_HEIGHT // 8) * (EYE_WIDTH // 8)
            self.squeeze = nn.Conv2d(coarse, 16, 1)
            self.regress = nn.Sequential(nn.Linear(16 * cells, 64), nn.ReLU(), nn.Linear(64, 2))
        columns = (torch.arange(EYE_WIDTH // _STRIDE) + 0.5) * _STRIDE - 0.5
        rows = (torch.arange(EYE_HEIGHT // _STRIDE) + 0.5) * _STRIDE - 0.5
        self.register_buffer("columns", columns, persistent=False)
        self.register_buffer("rows", rows, persistent=False)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Find the pupils in crops (n, H, W) uint8 or float grey.

        Returns:
            Centres (n, 2) in crop pixels; the logit (n,) of the pupil being seen; the variance (n,)
            of the heatmap in square pixels, 0 without a heatmap.
        """
        grey = crops.float().unsqueeze(1)  # (n, 1, H, W)
        mean = grey.mean((2, 3), keepdim=True)
        centred = grey - mean
        contrast = centred.square().mean((2, 3), keepdim=True).sqrt() + _LEAST_CONTRAST
        fine = self.fine(centred / contrast)  # (n, C, H/2, W/2)
        middle = self.middle(fine)  # (n, 2C, H/4, W/4)
        coarse = self.coarse(middle)  # (n, 3C, H/8, W/8)
        pooled = torch.cat((coarse.mean((2, 3)), coarse.amax((2, 3))), 1)
        seen = self.seen(pooled).float().squeeze(1)
        if self.config.decoder == "regression":
            flat = self.squeeze(coarse).relu().flatten(1)
            scale = crops.new_tensor((EYE_WIDTH, EYE_HEIGHT), dtype=torch.float32)
            xy = (self.regress(flat).float() * 0.5 + 0.5) * scale
            return xy, seen, torch.zeros_like(seen)
        middle = self.join_middle(_doubled(self.coarse_to_middle(coarse)) + middle)
        fine = self.join_fine(_doubled(self.middle_to_fine(middle)) + fine)
        xy, spread = self._decoded(self.heat(fine).float().squeeze(1))
        return xy, seen, spread

    def _decoded(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean (n, 2) and the variance (n,) of heatmaps (n, H/2, W/2)."""
        heat = logits.flatten(1).softmax(1).view_as(logits)
        along_x, along_y = heat.sum(1), heat.sum(2)  # (n, W/2), (n, H/2)
        columns, rows = self.get_buffer("columns"), self.get_buffer("rows")
        x, y = along_x @ columns, along_y @ rows
        squares = along_x @ columns.square() + along_y @ rows.square()
        return torch.stack((x, y), 1), squares - x.square() - y.square()


class _Inference(nn.Module):
    """The graph that the tracker runs: a probability instead of a logit."""

    def __init__(self, network: PupilNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        xy, seen, _ = self.network(crops)
        return xy, seen.sigmoid()


def export_pupil_net(network: PupilNet, path: Path) -> dict[str, Any]:
    """Write the ONNX file, and return entries for its model card.

    Args:
        network: The network.
        path: The file to write.
    """
    example = torch.randint(0, 256, (2, EYE_HEIGHT, EYE_WIDTH), dtype=torch.uint8)
    export_onnx(
        _Inference(network),
        (example,),
        path,
        inputs=["crops"],
        outputs=["points", "seen"],
        dynamic=({0: torch.export.Dim("eyes")},),
    )
    return {
        "kind": "pupils",
        "schema": None,
        "input": {"type": "uint8 grey", "shape": f"(n, {EYE_HEIGHT}, {EYE_WIDTH})"},
        "params": sum(p.numel() for p in network.parameters()),
        "macs": count_macs(network, example),
    }


def _doubled(values: Tensor) -> Tensor:
    return functional.interpolate(values, scale_factor=2, mode="nearest")


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())
