"""Losses over heatmaps."""

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


def geman_mcclure(heat: Tensor, target: Tensor, *, threshold: float = 1.0) -> Tensor:
    """The pixel loss of the Jitter loss (convlstm_jitter_pdc, eq. 7), element by element."""
    squared = (heat - target).square()
    return squared / (squared + threshold**2)


def jitter_modulation(
    points: Tensor,
    truth: Tensor,
    points_before: Tensor,
    truth_before: Tensor,
    *,
    threshold: float = 1.0,
    xi: float = 0.5,
) -> Tensor:
    """Ψ of eqs. 3 and 4 (convlstm_jitter_pdc): (..., K, 2) each, same unit as xi → (..., K)."""
    change = _length(points - truth - points_before + truth_before)
    moved = _length(truth - truth_before)
    return (change / (moved + xi)).clamp(max=threshold)


def _length(vectors: Tensor) -> Tensor:
    """Euclidean, with a gradient at 0."""
    return (vectors.square().sum(-1) + 1e-12).sqrt()


def jitter_loss(
    heat: Tensor,
    target: Tensor,
    modulation: Tensor,
    *,
    threshold: float = 1.0,
    least: float = 0.0,
) -> Tensor:
    """Eq. 2: Ψ · L_pixel, the pixel loss summed over a landmark's heatmap: (B, K) → mean, a scalar.

    heat, target: (B, K, ...); modulation: Ψ (B, K). least: λ of eq. 8, a share of the pixel loss
    that counts even where nothing jitters; without it a steady error costs nothing.
    """
    pixel = geman_mcclure(heat, target, threshold=threshold).flatten(2).sum(-1)
    return ((modulation + least) * pixel).mean()


def joint_loss(logits: Tensor, bins: Tensor, *, sigma: float, l1: float) -> Tensor:
    """`marginal_loss` on 2D heatmaps: logits (B, K, L, L), bins (B, K, 2) true x, y → (B,).

    The Gaussian of eq. 2 (heatmap1d) is the product of its marginals, so the cross entropy takes
    both and never the whole target.
    """
    length = logits.shape[-1]
    log_p = logits.flatten(2).log_softmax(-1).view_as(logits)
    target = gaussian_targets(bins, length, sigma)  # (B, K, 2, L)
    along_x = (log_p * target[..., 0, :].unsqueeze(-2)).sum(-1)  # (B, K, L)
    entropy = -(along_x * target[..., 1, :]).sum(-1).mean(-1)
    p = log_p.exp()
    grid = torch.arange(length, device=logits.device, dtype=logits.dtype)
    soft = torch.stack(((p.sum(-2) * grid).sum(-1), (p.sum(-1) * grid).sum(-1)), -1)
    return entropy + l1 * (soft - bins.clamp(0, length - 1)).abs().sum(-1).mean(-1)


def change_loss(points: Tensor, truth: Tensor) -> Tensor:
    """Mean length of the change of the error from frame to frame: neither jitter nor lag is free.

    points, truth: (B, T, K, 2). An error that stays, which no memory can undo, costs nothing.
    """
    error = points - truth
    change: Tensor = torch.linalg.vector_norm(error[:, 1:] - error[:, :-1], dim=-1)
    return change.mean()
