"""The four heatmap modules of local_global, Figure 4: features → one map of logits a landmark.

The paper gives an attention map y one channel (1×H×W) and h = y ⊙ x the size of x; N reweighted
features of C channels then become N heatmaps. Here a 1×1 convolution of each landmark reads its
heatmap off its own reweighted features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

EMPTY = -4.0  # a heatmap is nearly empty: its logits begin where its sigmoid is 0.02


def _maps(channels: int, landmarks: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, landmarks, 1)
    nn.init.constant_(convolution.bias, EMPTY)  # type: ignore[arg-type]
    return convolution


class PlainHeatmaps(nn.Module):
    """Module 1: a 1×1 convolution."""

    def __init__(self, channels: int, landmarks: int) -> None:
        super().__init__()
        self.maps = _maps(channels, landmarks)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.maps(x)
        return y


class LinkedHeatmaps(nn.Module):
    """Module 2: each heatmap takes up its neighbours', moved by learned affine matrices.

    Neighbours are the landmarks before and after in numbering; the first and the last have
    themselves. The paper found this module to do harm.
    """

    def __init__(self, channels: int, landmarks: int) -> None:
        super().__init__()
        self.maps = _maps(channels, landmarks)
        index = torch.arange(landmarks)
        neighbours = torch.cat((index - 1, index + 1)).clamp(0, landmarks - 1)
        self.register_buffer("neighbours", neighbours, persistent=False)
        self.matrix = nn.Parameter(torch.eye(2, 3).repeat(2 * landmarks, 1, 1))
        self.share = nn.Parameter(torch.full((2, landmarks, 1, 1), 0.25))

    def forward(self, x: Tensor) -> Tensor:
        heat = self.maps(x)
        batch, landmarks, height, width = heat.shape
        moved = self._move(heat[:, self.neighbours])  # (B, 2K, H, W)
        pairs = moved.reshape(batch, 2, landmarks, height, width)
        linked: Tensor = heat + (self.share * pairs).sum(1)
        return linked

    def _move(self, heat: Tensor) -> Tensor:
        """heat: (B, 2K, H, W); the sides of a map lie at ±1."""
        batch, count, height, width = heat.shape
        y = (torch.arange(height, device=heat.device, dtype=heat.dtype) * 2 + 1) / height - 1
        x = (torch.arange(width, device=heat.device, dtype=heat.dtype) * 2 + 1) / width - 1
        columns = x.repeat(height)
        rows = y.repeat_interleave(width)
        here = torch.stack((columns, rows, torch.ones_like(rows)), -1)  # (H*W, 3)
        there = (here @ self.matrix.transpose(1, 2)).reshape(1, count, height, width, 2)
        places = there.expand(batch, -1, -1, -1, -1).flatten(0, 1)  # (B*2K, H, W, 2)
        moved = functional.grid_sample(
            heat.reshape(batch * count, 1, height, width),
            places,
            padding_mode="border",
            align_corners=False,
        )
        return moved.reshape(batch, count, height, width)


class PartAttention(nn.Module):
    """Modules 3 and 4: a local attention map a landmark (eq. 4), in 4 after a global one (eq. 3).

    The heatmap of landmark i is v_i · (y_i ⊙ h) + b_i. Since y_i has one channel, that is
    y_i (v_i · h) + b_i, and the N products of C channels are never built.
    """

    def __init__(self, channels: int, landmarks: int, *, whole: bool) -> None:
        super().__init__()
        self.whole = nn.Conv2d(channels, 1, 1) if whole else None
        self.local = nn.Conv2d(channels, landmarks, 1)
        self.read = nn.Conv2d(channels, landmarks, 1, bias=False)
        self.bias = nn.Parameter(torch.full((landmarks, 1, 1), EMPTY))

    def forward(self, x: Tensor) -> Tensor:
        h = x if self.whole is None else self.whole(x).sigmoid() * x  # eqs. 2, 3: (B, C, H, W)
        heat: Tensor = self.local(h).sigmoid() * self.read(h) + self.bias  # eq. 4: (B, K, H, W)
        return heat


def heatmap_module(module: int, channels: int, landmarks: int) -> nn.Module:
    """The module of that number in Figure 4: (B, C, H, W) → logits (B, K, H, W).

    Raises:
        ValueError: there are modules 1 to 4.
    """
    if module == 1:
        return PlainHeatmaps(channels, landmarks)
    if module == 2:
        return LinkedHeatmaps(channels, landmarks)
    if module in {3, 4}:
        return PartAttention(channels, landmarks, whole=module == 4)
    raise ValueError(f"no heatmap module {module}: choose 1 to 4")
