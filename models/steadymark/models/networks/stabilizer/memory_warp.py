"""Recurrent memory over a face and a crop that move: carried to where the face is now.

Memory that stays where the face was smooths and lags at once. Carried along with the face's rigid
motion (registration.py) it holds only what the face does in itself, and its mean costs no lag.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from steadymark.models.networks.pdc import bins_to_px, px_to_bins


def identity_motion(faces: int) -> Tensor:
    """(faces, 2, 3): faces that have not moved."""
    return torch.eye(2, 3).expand(faces, 2, 3)


def apply_motion(matrix: Tensor, points: Tensor) -> Tensor:
    """(B, 2, 3) affine matrices on points (B, ..., 2).

    No matrix product: under autocast that would have the eight bits of bfloat16.
    """
    rows = matrix
    for _ in range(points.ndim - 2):
        rows = rows.unsqueeze(1)
    x, y = points[..., :1], points[..., 1:]
    return x * rows[..., 0] + y * rows[..., 1] + rows[..., 2]


def inverse_motion(matrix: Tensor) -> Tensor:
    """Of affine matrices (B, 2, 3)."""
    a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
    turned = torch.stack((d, -b, -c, a), -1).view(-1, 2, 2) / (a * d - b * c)[:, None, None]
    back = -(turned * matrix[:, None, :, 2]).sum(-1, keepdim=True)
    return torch.cat((turned, back), -1)


def warp_heatmaps_1d(
    memory: Tensor, moved: Tensor, points: Tensor, axis: int, crop: int, shift: Tensor | None = None
) -> Tensor:
    """Memory along x (axis 0) or y (axis 1) of the last frame's crop → along that of this one's.

    Where a bin lay in the last crop depends on the other coordinate too, once face or crop have
    turned: that of the landmark is taken, or the mean of all for memory that mixes them.

    memory: (B, C, L), zero beyond its ends. moved: (B, 2, 3), from pixels of this frame's crop to
    those of the last one's, along with the face. points: (B, K, 2), pixels of this crop. shift:
    (B, K, 2), by how many of its pixels each landmark has moved besides.
    """
    count, length = memory.shape[1:]
    along = bins_to_px(torch.arange(length, device=memory.device), crop, length)
    if shift is not None:
        points = points - shift
        own = shift[..., axis]
        along = along - (own if own.shape[1] == count else own.mean(1, keepdim=True))[..., None]
    other = points[..., 1 - axis]  # (B, K)
    if other.shape[1] != count:
        other = other.mean(1, keepdim=True).expand(-1, count)
    row = moved[:, axis, :, None, None]  # (B, 3, 1, 1)
    px = row[:, axis] * along + row[:, 1 - axis] * other[..., None] + row[:, 2]  # (B, C, L)
    at = px_to_bins(px, crop, length).clamp(-1, length)
    padded = functional.pad(memory, (1, 2))  # bin -1 is at 0
    low = at.floor()
    index = low.long() + 1
    share = at - low
    return padded.gather(2, index) * (1 - share) + padded.gather(2, index + 1) * share


def warp_heatmaps_2d(
    memory: Tensor, moved: Tensor, crop: int, shift: Tensor | None = None
) -> Tensor:
    """Memory (B, C, H, W) of the last crop → of this crop; else as in `warp_heatmaps_1d`."""
    count, height, width = memory.shape[1:]
    x = bins_to_px(torch.arange(width, device=memory.device), crop, width)
    y = bins_to_px(torch.arange(height, device=memory.device), crop, height)
    ours = torch.stack((x.expand(height, width), y[:, None].expand(height, width)), -1)
    if shift is None:
        px = apply_motion(moved, ours[None])
    else:  # each landmark's map by itself
        px = apply_motion(moved, ours - shift[:, :, None, None]).flatten(0, 1)
        memory = memory.flatten(0, 1).unsqueeze(1)
    grid = (px + 0.5) * (2 / crop) - 1  # edges at ±1
    carried = functional.grid_sample(memory, grid, padding_mode="zeros", align_corners=False)
    return carried if shift is None else carried.view(-1, count, height, width)
