"""Probability density centralization (PDC): read landmarks off 1D and 2D heatmaps.

PDC is Algorithm 1 of the paper convlstm_jitter_pdc: the centre of mass of a heatmap's values above
a threshold.
"""

from __future__ import annotations

import torch
from torch import Tensor

PDC_THRESHOLD = 0.2
_LEAST_EXCESS = 1e-6  # of the largest bins over the threshold of a flat heatmap


def _above_threshold(heatmap: Tensor, threshold: float, *, soft: bool) -> Tensor:
    """Set negative values, and values below a share `threshold` of the range, to 0.

    heatmap: (..., N). The range of each row goes from its minimum, at least 0, to its maximum.
    soft: subtract the threshold from the values that remain, so that a bin that crosses it does
    not jump.
    """
    positive = heatmap.clamp_min(0)
    low = positive.amin(-1, keepdim=True)
    high = positive.amax(-1, keepdim=True)
    minimum = low + threshold * (high - low)
    if soft:
        return (positive - minimum).clamp_min(0) + positive * (high <= low).to(positive.dtype)
    return positive * (positive >= minimum).to(positive.dtype)


def pdc_1d(
    heatmap: Tensor, threshold: float = PDC_THRESHOLD, *, soft: bool = False
) -> tuple[Tensor, Tensor]:
    """Compute the position of a landmark from its 1D heatmap.

    Args:
        heatmap: (..., L), any scale.
        threshold: Θ_PDC, a share of the heatmap's range.
        soft: Weight each bin by its excess over the threshold (our change) instead of by its value
            (Algorithm 1). The error for a Gaussian between two bins is then 0.01 bins, not 0.15.

    Returns:
        The position (...) in 0-based bins (the paper counts from 1), and the share (...) of the
        heatmap's positive mass within ±3 % of L around it. For an empty heatmap the share is 0, and
        the position is the argmax, or with `soft` the mean of the largest bins. The share is 1 for
        one sharp peak, and small for a flat heatmap or one with several peaks.
    """
    if soft:
        return _soft_pdc_1d(heatmap, threshold)
    bins = torch.arange(heatmap.shape[-1], device=heatmap.device, dtype=heatmap.dtype)
    weights = _above_threshold(heatmap, threshold, soft=soft)
    mass = weights.sum(-1)
    empty = mass <= 0
    centre = (weights * bins).sum(-1) / torch.where(empty, torch.ones_like(mass), mass)
    position = torch.where(empty, heatmap.argmax(-1).to(heatmap.dtype), centre)
    positive = heatmap.clamp_min(0)
    total = positive.sum(-1)
    share = _mass_near(positive, position) / torch.where(empty, torch.ones_like(total), total)
    return position, torch.where(empty, torch.zeros_like(share), share)


def _soft_pdc_1d(heatmap: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Compute `pdc_1d` with `soft` in as few operations as possible, for the exported graphs.

    The threshold of a row without any range lies just below its maximum, so that all its largest
    bins have the same weight.
    """
    low, high = heatmap.amin(-1, keepdim=True).clamp_min(0), heatmap.amax(-1, keepdim=True)
    just_below = high - _LEAST_EXCESS * (1 + high.abs())
    minimum = torch.where(high > low, low + threshold * (high - low), just_below)
    weights = torch.relu(heatmap - minimum)
    bins = torch.arange(heatmap.shape[-1], device=heatmap.device, dtype=heatmap.dtype)
    # no matrix product, which autocast would compute in bfloat16 with eight bits
    position = (weights * bins).sum(-1) / weights.sum(-1)
    positive = torch.relu(heatmap)
    return position, _mass_near(positive, position) / positive.sum(-1).clamp_min(1e-12)


def _mass_near(positive: Tensor, position: Tensor) -> Tensor:
    """Return the mass (...) of a heatmap (..., L) within ±3 % of L around a position (...)."""
    bins = torch.arange(positive.shape[-1], device=positive.device, dtype=positive.dtype)
    reach = max(1.0, 0.03 * positive.shape[-1])
    near = (bins - position.unsqueeze(-1)).abs() <= reach
    return (positive * near.to(positive.dtype)).sum(-1)


def pdc_of_distribution(p: Tensor, threshold: float = PDC_THRESHOLD) -> tuple[Tensor, Tensor]:
    """Compute `pdc_1d(p, threshold, soft=True)` of a distribution in fewer operations.

    The exported graph uses it, because each operation costs time there.

    Args:
        p: (..., L), a softmax: positive, with sum 1.
        threshold: Θ_PDC, a share of the range.

    Returns:
        The position and the share, see `pdc_1d`.
    """
    low, high = p.amin(-1, keepdim=True), p.amax(-1, keepdim=True)
    weights = torch.relu(p - (low + threshold * (high - low)))  # all 0 only for a flat p
    bins = torch.arange(p.shape[-1], device=p.device, dtype=p.dtype)
    moments = weights @ torch.stack((bins, torch.ones_like(bins)), -1)  # (..., 2)
    position = moments[..., 0] / moments[..., 1].clamp_min(1e-12)
    return position, _mass_near(p, position)


def pdc_2d(
    heatmap: Tensor, threshold: float = PDC_THRESHOLD, *, soft: bool = False
) -> tuple[Tensor, Tensor]:
    """Compute the position of a landmark from its 2D heatmap.

    Args:
        heatmap: (..., H, W), any scale.
        threshold: See `pdc_1d`.
        soft: See `pdc_1d`.

    Returns:
        The position (..., 2), x and y in 0-based bins, and the share (...) of mass near it.
    """
    height, width = heatmap.shape[-2:]
    flat = heatmap.flatten(-2)
    weights = _above_threshold(flat, threshold, soft=soft)
    mass = weights.sum(-1)
    empty = mass <= 0
    safe_mass = torch.where(empty, torch.ones_like(mass), mass)
    index = torch.arange(height * width, device=heatmap.device)
    columns = (index % width).to(heatmap.dtype)
    rows = torch.div(index, width, rounding_mode="floor").to(heatmap.dtype)
    peak = flat.argmax(-1)
    x = torch.where(empty, columns[peak], (weights * columns).sum(-1) / safe_mass)
    y = torch.where(empty, rows[peak], (weights * rows).sum(-1) / safe_mass)
    reach = max(1.0, 0.03 * max(height, width))
    near = ((columns - x.unsqueeze(-1)).abs() <= reach) & ((rows - y.unsqueeze(-1)).abs() <= reach)
    positive = flat.clamp_min(0)
    total = torch.where(empty, torch.ones_like(mass), positive.sum(-1))
    share = (positive * near.to(positive.dtype)).sum(-1) / total
    return torch.stack((x, y), -1), torch.where(empty, torch.zeros_like(share), share)


def bins_to_px(bins: Tensor, crop: int, length: float | Tensor) -> Tensor:
    """Convert bins to crop pixels; bin j is the j-th of `length` equal parts of the crop.

    Args:
        bins: (...) fractional 0-based bins.
        crop: Side of the crop, pixels.
        length: Number of bins along the side.

    Returns:
        (...) crop pixels.
    """
    return (bins + 0.5) * (crop / length) - 0.5


def px_to_bins(px: Tensor, crop: int, length: float | Tensor) -> Tensor:
    """Convert crop pixels to bins, as the inverse of `bins_to_px`.

    Args:
        px: (...) crop pixels.
        crop: Side of the crop, pixels.
        length: Number of bins along the side.

    Returns:
        (...) fractional 0-based bins.
    """
    return (px + 0.5) * (length / crop) - 0.5
