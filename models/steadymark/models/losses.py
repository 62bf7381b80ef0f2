"""Losses over 1D heatmaps."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_targets(bins: Tensor, length: int, sigma: float) -> Tensor:
    """Marginals of eq. 2 (heatmap1d, eq. 12), each normalised to sum 1.

    bins: (...,) fractional 0-based positions → (..., length).
    """
    grid = torch.arange(length, device=bins.device, dtype=bins.dtype)
    weight = torch.exp(-0.5 * ((grid - bins.clamp(0, length - 1).unsqueeze(-1)) / sigma) ** 2)
    return weight / weight.sum(-1, keepdim=True)


def marginal_loss(logits: Tensor, bins: Tensor, *, sigma: float, l1: float) -> Tensor:
    """Cross entropy with Gaussian marginals + l1 × |soft-argmax − truth| in bins, (B,) per sample.

    logits: (B, K, L); bins: (B, K) true positions. The paper's squared error (eq. 11) on L bins
    is `squared_loss`; it learns slowly from few pictures.
    """
    length = logits.shape[-1]
    log_p = logits.log_softmax(-1)
    entropy = -(gaussian_targets(bins, length, sigma) * log_p).sum(-1).mean(-1)
    grid = torch.arange(length, device=logits.device, dtype=logits.dtype)
    soft = (log_p.exp() * grid).sum(-1)
    return entropy + l1 * (soft - bins.clamp(0, length - 1)).abs().mean(-1)


def squared_loss(logits: Tensor, bins: Tensor, *, sigma: float) -> Tensor:
    """Eq. 11 per sample, (B,): squared distance of the marginals over landmarks and bins."""
    target = gaussian_targets(bins, logits.shape[-1], sigma)
    return (logits.softmax(-1) - target).square().sum((-1, -2))
