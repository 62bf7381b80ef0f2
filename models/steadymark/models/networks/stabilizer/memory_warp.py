"""Warp the recurrent state by the motion of face and crop, to where the face is now.

Without this, averaging over frames would also delay the motion of the head. After warping by the
face's rigid motion (`face.face_motion`) the state contains only the motion within the face.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from steadymark.models.networks.pdc import bins_to_px, px_to_bins


def identity_motion(faces: int) -> Tensor:
    """Return the motion (faces, 2, 3) of faces that have not moved: identity matrices."""
    return torch.eye(2, 3).expand(faces, 2, 3)


def apply_motion(matrix: Tensor, points: Tensor) -> Tensor:
    """Apply a batch of affine matrices to points.

    It uses no matrix product, which autocast would compute in bfloat16 with eight bits.

    Args:
        matrix: (B, 2, 3).
        points: (B, ..., 2).

    Returns:
        (B, ..., 2).
    """
    rows = matrix
    for _ in range(points.ndim - 2):
        rows = rows.unsqueeze(1)
    x, y = points[..., :1], points[..., 1:]
    return x * rows[..., 0] + y * rows[..., 1] + rows[..., 2]


def inverse_motion(matrix: Tensor) -> Tensor:
    """Invert a batch of affine matrices (B, 2, 3)."""
    a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
    inverse_linear = torch.stack((d, -b, -c, a), -1).view(-1, 2, 2) / (a * d - b * c)[:, None, None]
    inverse_shift = -(inverse_linear * matrix[:, None, :, 2]).sum(-1, keepdim=True)
    return torch.cat((inverse_linear, inverse_shift), -1)


def warp_heatmaps_1d(
    memory: Tensor, moved: Tensor, points: Tensor, axis: int, crop: int, shift: Tensor | None = None
) -> Tensor:
    """Warp 1D state from the previous crop to this crop.

    If face or crop turned, the place of a bin in the previous crop also depends on the other
    coordinate. The landmark's own coordinate is used, or the mean over all landmarks if the
    channels of the state are not landmarks.

    Args:
        memory: (B, C, L) state; it counts as zero outside.
        moved: (B, 2, 3) rigid motion, from pixels of this crop to pixels of the previous crop.
        points: (B, K, 2) landmarks, pixels of this crop.
        axis: Axis of the state, 0 for x and 1 for y.
        crop: Side of the crop, pixels.
        shift: (B, K, 2) motion of each landmark in addition to the rigid motion, pixels of this
            crop.

    Returns:
        (B, C, L).
    """
    count, length = memory.shape[1:]
    px_along = bins_to_px(torch.arange(length, device=memory.device), crop, length)
    if shift is not None:
        points = points - shift
        own_shift = shift[..., axis]
        px_along = (
            px_along
            - (own_shift if own_shift.shape[1] == count else own_shift.mean(1, keepdim=True))[
                ..., None
            ]
        )
    px_across = points[..., 1 - axis]  # (B, K)
    if px_across.shape[1] != count:
        px_across = px_across.mean(1, keepdim=True).expand(-1, count)
    row = moved[:, axis, :, None, None]  # (B, 3, 1, 1)
    source_px = (
        row[:, axis] * px_along + row[:, 1 - axis] * px_across[..., None] + row[:, 2]
    )  # (B, C, L)
    bins = px_to_bins(source_px, crop, length)
    lower = bins.floor().clamp(0, length - 2)
    fraction = bins - lower  # beyond [0, 1] outside of the state
    index = lower.long()
    before = memory.gather(2, index) * torch.relu(1 - fraction.abs())
    return before + memory.gather(2, index + 1) * torch.relu(1 - (1 - fraction).abs())


def warp_heatmaps_2d(
    memory: Tensor, moved: Tensor, crop: int, shift: Tensor | None = None
) -> Tensor:
    """Warp 2D state from the previous crop to this crop.

    Args:
        memory: (B, C, H, W) state; it counts as zero outside.
        moved: See `warp_heatmaps_1d`.
        crop: Side of the crop, pixels.
        shift: See `warp_heatmaps_1d`; C must then be K.

    Returns:
        (B, C, H, W).
    """
    count, height, width = memory.shape[1:]
    x = bins_to_px(torch.arange(width, device=memory.device), crop, width)
    y = bins_to_px(torch.arange(height, device=memory.device), crop, height)
    target_px = torch.stack((x.expand(height, width), y[:, None].expand(height, width)), -1)
    if shift is None:
        source_px = apply_motion(moved, target_px[None])
    else:  # each landmark has its own grid
        source_px = apply_motion(moved, target_px - shift[:, :, None, None]).flatten(0, 1)
        memory = memory.flatten(0, 1).unsqueeze(1)
    grid = (source_px + 0.5) * (2 / crop) - 1  # edges at ±1
    warped = functional.grid_sample(memory, grid, padding_mode="zeros", align_corners=False)
    return warped if shift is None else warped.view(-1, count, height, width)
