"""Recurrent memory over a crop that moves: carried into the new crop's coordinates."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from steadymark.models.pdc import bins_to_px, px_to_bins


def still(faces: int) -> Tensor:
    """(faces, 2, 3): crops that have not moved."""
    return torch.eye(2, 3).expand(faces, 2, 3)


def carried_1d(memory: Tensor, moved: Tensor, points: Tensor, axis: int, crop: int) -> Tensor:
    """Memory along x (axis 0) or y (axis 1) of the last crop → along that of this crop.

    Where a bin of this crop lay in the last one depends on the other coordinate too, once the crop
    has turned: that of the landmark is taken, or the mean of all for memory that mixes them.

    memory: (B, C, L), zero beyond its ends. moved: (B, 2, 3), from pixels of this crop to those of
    the last. points: (B, K, 2), pixels of this crop.
    """
    count, length = memory.shape[1:]
    other = points[..., 1 - axis]  # (B, K)
    if other.shape[1] != count:
        other = other.mean(1, keepdim=True).expand(-1, count)
    row = moved[:, axis, :, None, None]  # (B, 3, 1, 1)
    along = bins_to_px(torch.arange(length, device=memory.device), crop, length)
    px = row[:, axis] * along + row[:, 1 - axis] * other[..., None] + row[:, 2]  # (B, C, L)
    at = px_to_bins(px, crop, length).clamp(-1, length)
    padded = functional.pad(memory, (1, 2))  # bin -1 is at 0
    low = at.floor()
    index = low.long() + 1
    share = at - low
    return padded.gather(2, index) * (1 - share) + padded.gather(2, index + 1) * share


def carried_2d(memory: Tensor, moved: Tensor, crop: int) -> Tensor:
    """Memory (B, C, H, W) of the last crop → of this crop; moved as in `carried_1d`."""
    height, width = memory.shape[2:]
    x = bins_to_px(torch.arange(width, device=memory.device), crop, width)
    y = bins_to_px(torch.arange(height, device=memory.device), crop, height)
    ours = torch.stack((x.expand(height, width), y[:, None].expand(height, width)), -1)
    px = ours @ moved[:, None, :, :2].transpose(-1, -2) + moved[:, None, None, :, 2]
    grid = (px + 0.5) * (2 / crop) - 1  # edges at ±1
    return functional.grid_sample(memory, grid, padding_mode="zeros", align_corners=False)
