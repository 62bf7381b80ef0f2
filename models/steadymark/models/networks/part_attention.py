"""The four heatmap modules of local_global (Figure 4), which turn features into heatmap logits.

In the paper an attention map y has one channel (1×H×W) and h = y ⊙ x has the size of x. The N
reweighted features of C channels then become N heatmaps. Here each landmark has a 1×1 convolution
that computes its heatmap from its own reweighted features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

EMPTY = -4.0  # initial logit; its sigmoid is 0.02, since a heatmap is nearly empty


def _maps(channels: int, landmarks: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, landmarks, 1)
    nn.init.constant_(convolution.bias, EMPTY)  # type: ignore[arg-type]
    return convolution


class PlainHeatmaps(nn.Module):
    """Module 1: a 1×1 convolution gives the heatmaps."""

    def __init__(self, channels: int, landmarks: int) -> None:
        super().__init__()
        self.maps = _maps(channels, landmarks)

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, H, W) to logits (B, K, H, W)."""
        y: Tensor = self.maps(x)
        return y


class LinkedHeatmaps(nn.Module):
    """Module 2: to each heatmap its neighbours' heatmaps are added, warped by learned matrices.

    The neighbours are the previous and next landmarks by number; the first and last landmarks are
    their own neighbours. The paper found that this module makes the result worse.
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
        """Convert features (B, C, H, W) to logits (B, K, H, W)."""
        heat = self.maps(x)
        batch, landmarks, height, width = heat.shape
        moved = self._move(heat[:, self.neighbours])  # (B, 2K, H, W)
        pairs = moved.reshape(batch, 2, landmarks, height, width)
        linked: Tensor = heat + (self.share * pairs).sum(1)
        return linked

    def _move(self, heat: Tensor) -> Tensor:
        """Warp heatmaps (B, 2K, H, W) by affine matrices; the edges of a map are at ±1."""
        batch, count, height, width = heat.shape
        y = (torch.arange(height, device=heat.device, dtype=heat.dtype) * 2 + 1) / height - 1
        x = (torch.arange(width, device=heat.device, dtype=heat.dtype) * 2 + 1) / width - 1
        columns = x.repeat(height)
        rows = y.repeat_interleave(width)
        grid_xy = torch.stack((columns, rows, torch.ones_like(rows)), -1)  # (H*W, 3)
        source_xy = (grid_xy @ self.matrix.transpose(1, 2)).reshape(1, count, height, width, 2)
        sample_grid = source_xy.expand(batch, -1, -1, -1, -1).flatten(0, 1)  # (B*2K, H, W, 2)
        moved = functional.grid_sample(
            heat.reshape(batch * count, 1, height, width),
            sample_grid,
            padding_mode="border",
            align_corners=False,
        )
        return moved.reshape(batch, count, height, width)


class PartAttention(nn.Module):
    """Modules 3 and 4: each landmark has a local attention map (eq. 4).

    In module 4 a global attention map (eq. 3) is applied first. The heatmap of landmark i is
    v_i · (y_i ⊙ h) + b_i. Since y_i has one channel, this equals y_i (v_i · h) + b_i, and the N
    products of C channels need not be computed.
    """

    def __init__(self, channels: int, landmarks: int, *, whole: bool) -> None:
        super().__init__()
        self.whole = nn.Conv2d(channels, 1, 1) if whole else None
        self.local = nn.Conv2d(channels, landmarks, 1)
        self.read = nn.Conv2d(channels, landmarks, 1, bias=False)
        self.bias = nn.Parameter(torch.full((landmarks, 1, 1), EMPTY))

    def forward(self, x: Tensor) -> Tensor:
        """Convert features (B, C, H, W) to logits (B, K, H, W), eqs. 2 to 4."""
        h = x if self.whole is None else self.whole(x).sigmoid() * x  # eqs. 2, 3: (B, C, H, W)
        heat: Tensor = self.local(h).sigmoid() * self.read(h) + self.bias  # eq. 4: (B, K, H, W)
        return heat


def heatmap_module(module: int, channels: int, landmarks: int) -> nn.Module:
    """Build a heatmap module of Figure 4, which maps (B, C, H, W) to logits (B, K, H, W).

    Args:
        module: Number of the module, 1 to 4.
        channels: Number of channels C.
        landmarks: Number of landmarks K.

    Returns:
        The module.

    Raises:
        ValueError: There is no module of that number.
    """
    if module == 1:
        return PlainHeatmaps(channels, landmarks)
    if module == 2:
        return LinkedHeatmaps(channels, landmarks)
    if module in {3, 4}:
        return PartAttention(channels, landmarks, whole=module == 4)
    raise ValueError(f"no heatmap module {module}: choose 1 to 4")
