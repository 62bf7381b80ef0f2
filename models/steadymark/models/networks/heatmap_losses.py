"""Losses for 1D and 2D heatmaps (papers heatmap1d and convlstm_jitter_pdc)."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_targets(bins: Tensor, length: int, sigma: float) -> Tensor:
    """Create target heatmaps: Gaussians that are normalised to sum 1 (heatmap1d, eqs. 2 and 12).

    Args:
        bins: (...) true positions, fractional 0-based bins.
        length: Number of bins, L.
        sigma: Standard deviation, bins.

    Returns:
        (..., L).
    """
    grid = torch.arange(length, device=bins.device, dtype=bins.dtype)
    weight = torch.exp(-0.5 * ((grid - bins.clamp(0, length - 1).unsqueeze(-1)) / sigma) ** 2)
    return weight / weight.sum(-1, keepdim=True)


def marginal_loss(logits: Tensor, bins: Tensor, *, sigma: float, l1: float) -> Tensor:
    """Compute cross entropy with Gaussian targets + l1 × |soft-argmax − truth| for 1D heatmaps.

    The paper uses the squared error of eq. 11 instead (`squared_loss`), which learns slowly from
    few images.

    Args:
        logits: (B, K, L).
        bins: (B, K) true positions, fractional 0-based bins.
        sigma: Standard deviation of the targets, bins.
        l1: Weight of the distance.

    Returns:
        (B,) loss of each sample.
    """
    length = logits.shape[-1]
    log_p = logits.log_softmax(-1)
    entropy = -(gaussian_targets(bins, length, sigma) * log_p).sum(-1).mean(-1)
    grid = torch.arange(length, device=logits.device, dtype=logits.dtype)
    soft = (log_p.exp() * grid).sum(-1)
    return entropy + l1 * (soft - bins.clamp(0, length - 1)).abs().mean(-1)


def squared_loss(logits: Tensor, bins: Tensor, *, sigma: float) -> Tensor:
    """Compute the squared error of eq. 11 (heatmap1d), summed over landmarks and bins.

    Args:
        logits: (B, K, L).
        bins: (B, K) true positions, fractional 0-based bins.
        sigma: Standard deviation of the targets, bins.

    Returns:
        (B,) loss of each sample.
    """
    target = gaussian_targets(bins, logits.shape[-1], sigma)
    return (logits.softmax(-1) - target).square().sum((-1, -2))


def geman_mcclure(heat: Tensor, target: Tensor, *, threshold: float = 1.0) -> Tensor:
    """Compute the Geman-McClure loss of each element (convlstm_jitter_pdc, eq. 7).

    Args:
        heat: (...) heatmaps.
        target: (...) target heatmaps.
        threshold: The difference at which the loss is 0.5.

    Returns:
        (...) in [0, 1).
    """
    squared = (heat - target).square()
    return squared / (squared + threshold**2)


def adaptive_wing(heat: Tensor, target: Tensor) -> Tensor:
    """Compute the adaptive wing loss of each element (Wang et al., ICCV 2019, eq. 4).

    Its constants are those of that paper, for targets in [0, 1]: omega 14, theta 0.5, epsilon 1
    and alpha 2.1.

    Args:
        heat: (...) heatmaps.
        target: (...) target heatmaps.

    Returns:
        (...), at least 0.
    """
    omega, theta, power = 14.0, 0.5, 2.1 - target
    at_theta = theta**power
    slope = omega * power * theta ** (power - 1) / (1 + at_theta)
    offset = theta * slope - omega * torch.log1p(at_theta)
    difference = (heat - target).abs()
    small = omega * torch.log1p(difference.clamp_min(1e-6) ** power)
    return torch.where(difference < theta, small, slope * difference - offset)


def squared_difference(heat: Tensor, target: Tensor) -> Tensor:
    """Return the squared difference of each element, (...) of heatmaps and targets (...)."""
    return (heat - target).square()


PIXEL_LOSSES = {"l2": squared_difference, "awing": adaptive_wing}  # to compare with the jitter loss


def jitter_modulation(
    points: Tensor,
    truth: Tensor,
    points_before: Tensor,
    truth_before: Tensor,
    *,
    threshold: float = 1.0,
    xi: float = 0.5,
) -> Tensor:
    """Compute the weight Ψ of the jitter loss (convlstm_jitter_pdc, eqs. 3 and 4).

    Args:
        points: (..., K, 2) predicted landmarks, in the unit of `xi`.
        truth: (..., K, 2) true landmarks.
        points_before: (..., K, 2) predicted landmarks of the previous frame.
        truth_before: (..., K, 2) true landmarks of the previous frame.
        threshold: Largest value of Ψ.
        xi: ξ, which is added to the length of the true motion.

    Returns:
        Ψ, (..., K).
    """
    error_change = _length(points - truth - points_before + truth_before)
    true_motion = _length(truth - truth_before)
    return (error_change / (true_motion + xi)).clamp(max=threshold)


def _length(vectors: Tensor) -> Tensor:
    """Return the Euclidean length, with a finite gradient at 0."""
    return (vectors.square().sum(-1) + 1e-12).sqrt()


def jitter_loss(
    heat: Tensor,
    target: Tensor,
    modulation: Tensor,
    *,
    threshold: float = 1.0,
    least: float = 0.0,
) -> Tensor:
    """Compute the jitter loss Ψ · L_pixel (convlstm_jitter_pdc, eq. 2).

    Args:
        heat: (B, K, ...) heatmaps.
        target: (B, K, ...) target heatmaps.
        modulation: (B, K), Ψ of `jitter_modulation`.
        threshold: Threshold of the Geman-McClure loss.
        least: λ of eq. 8, added to Ψ; without it a constant error costs nothing.

    Returns:
        The mean over batch and landmarks, a scalar. L_pixel is summed over each heatmap.
    """
    pixel = geman_mcclure(heat, target, threshold=threshold).flatten(2).sum(-1)
    return ((modulation + least) * pixel).mean()


def joint_loss(logits: Tensor, bins: Tensor, *, sigma: float, l1: float) -> Tensor:
    """Compute the loss of `marginal_loss` for 2D heatmaps.

    The Gaussian of eq. 2 (heatmap1d) is the product of its marginals, so the cross entropy needs
    only these and not the whole target.

    Args:
        logits: (B, K, L, L); rows are y.
        bins: (B, K, 2) true x and y, fractional 0-based bins.
        sigma: Standard deviation of the targets, bins.
        l1: Weight of the distance.

    Returns:
        (B,) loss of each sample.
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
    """Compute the mean change of the error between frames, which penalises jitter and lag.

    A constant error costs nothing, since a stabilizer cannot correct it.

    Args:
        points: (B, T, K, 2) predicted landmarks of T frames.
        truth: (B, T, K, 2) true landmarks.

    Returns:
        A scalar, in the unit of the points.
    """
    error = points - truth
    error_change: Tensor = torch.linalg.vector_norm(error[:, 1:] - error[:, :-1], dim=-1)
    return error_change.mean()
