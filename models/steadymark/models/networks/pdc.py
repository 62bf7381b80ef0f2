"""Probability Density Centralization (convlstm_jitter_pdc, Algorithm 1) over 1D and 2D heatmaps."""

from __future__ import annotations

import torch
from torch import Tensor

PDC_THRESHOLD = 0.2


def _cut(heatmap: Tensor, threshold: float, *, soft: bool) -> Tensor:
    """Set what lies under `threshold` of the heatmap's range, and what is negative, to 0.

    heatmap: (..., N); the range is that of each row: from 0 (or its least value, where larger) to
    its greatest value. soft: also take the threshold off what is kept, so that a bin that crosses
    it does not jump in.
    """
    positive = heatmap.clamp_min(0)
    low = positive.amin(-1, keepdim=True)
    high = positive.amax(-1, keepdim=True)
    least = low + threshold * (high - low)
    if soft:
        return (positive - least).clamp_min(0) + positive * (high <= low).to(positive.dtype)
    return positive * (positive >= least).to(positive.dtype)


def pdc_1d(
    heatmap: Tensor, threshold: float = PDC_THRESHOLD, *, soft: bool = False
) -> tuple[Tensor, Tensor]:
    """Centre of mass of what lies above the threshold.

    Args:
        heatmap: (..., L), any scale.
        threshold: Θ_PDC, share of the heatmap's range.
        soft: weigh each bin by its excess over the threshold (ours) instead of by its value
            (Algorithm 1): a Gaussian between two bins is then found to 0.01 bins, not 0.15.

    Returns:
        position: (...), 0-based bins (the paper counts from 1); argmax where the heatmap is empty.
        kept: (...), share of the heatmap's positive mass that lies within ±3 % of L of the
        position: 1 for one sharp peak, small for a flat or torn one, 0 for an empty heatmap.
    """
    bins = torch.arange(heatmap.shape[-1], device=heatmap.device, dtype=heatmap.dtype)
    cut = _cut(heatmap, threshold, soft=soft)
    mass = cut.sum(-1)
    empty = mass <= 0
    centre = (cut * bins).sum(-1) / torch.where(empty, torch.ones_like(mass), mass)
    position = torch.where(empty, heatmap.argmax(-1).to(heatmap.dtype), centre)
    reach = max(1.0, 0.03 * heatmap.shape[-1])
    near = ((bins - position.unsqueeze(-1)).abs() <= reach).to(heatmap.dtype)
    positive = heatmap.clamp_min(0)
    total = positive.sum(-1)
    share = (positive * near).sum(-1) / torch.where(empty, torch.ones_like(total), total)
    return position, torch.where(empty, torch.zeros_like(share), share)


def pdc_of_distribution(p: Tensor, threshold: float = PDC_THRESHOLD) -> tuple[Tensor, Tensor]:
    """`pdc_1d(p, threshold, soft=True)` in few operations, for what is positive and sums to 1.

    p: (..., L), a softmax. For the exported graph, where every operation counts.
    """
    bins = torch.arange(p.shape[-1], device=p.device, dtype=p.dtype)
    low, high = p.amin(-1, keepdim=True), p.amax(-1, keepdim=True)
    cut = torch.relu(p - (low + threshold * (high - low)))  # never empty but for a flat p
    moments = cut @ torch.stack((bins, torch.ones_like(bins)), -1)  # (..., 2)
    position = moments[..., 0] / moments[..., 1].clamp_min(1e-12)
    reach = max(1.0, 0.03 * p.shape[-1])
    near = (bins - position.unsqueeze(-1)).abs() <= reach
    return position, (p * near.to(p.dtype)).sum(-1)


def pdc_2d(
    heatmap: Tensor, threshold: float = PDC_THRESHOLD, *, soft: bool = False
) -> tuple[Tensor, Tensor]:
    """PDC over (..., H, W) → positions (..., 2), x, y in 0-based pixels, and the kept share."""
    height, width = heatmap.shape[-2:]
    flat = heatmap.flatten(-2)
    cut = _cut(flat, threshold, soft=soft)
    mass = cut.sum(-1)
    empty = mass <= 0
    safe = torch.where(empty, torch.ones_like(mass), mass)
    index = torch.arange(height * width, device=heatmap.device)
    columns = (index % width).to(heatmap.dtype)
    rows = torch.div(index, width, rounding_mode="floor").to(heatmap.dtype)
    peak = flat.argmax(-1)
    x = torch.where(empty, columns[peak], (cut * columns).sum(-1) / safe)
    y = torch.where(empty, rows[peak], (cut * rows).sum(-1) / safe)
    reach = max(1.0, 0.03 * max(height, width))
    near = ((columns - x.unsqueeze(-1)).abs() <= reach) & ((rows - y.unsqueeze(-1)).abs() <= reach)
    positive = flat.clamp_min(0)
    total = torch.where(empty, torch.ones_like(mass), positive.sum(-1))
    share = (positive * near.to(positive.dtype)).sum(-1) / total
    return torch.stack((x, y), -1), torch.where(empty, torch.zeros_like(share), share)


def bins_to_px(bins: Tensor, crop: int, length: float | Tensor) -> Tensor:
    """0-based bins → crop pixels: bin j stands for the j-th of `length` equal parts of the crop."""
    return (bins + 0.5) * (crop / length) - 0.5


def px_to_bins(px: Tensor, crop: int, length: float | Tensor) -> Tensor:
    """Crop pixels → fractional 0-based bins."""
    return (px + 0.5) * (length / crop) - 0.5
