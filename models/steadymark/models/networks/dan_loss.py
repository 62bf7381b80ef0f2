"""Losses of the deep alignment network: eq. 4 of papers/dan.txt, and of each landmark's spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from steadymark.models.face.schema import LandmarkSchema

TOLERANCE = 0.1  # of the pupils' distance; a landmark farther off is counted as lost


def pupil_distance(points: Tensor, schema: LandmarkSchema) -> Tensor:
    """d_ipd, (B,): between the means of the two eyes' contours of points (B, K, 2)."""
    right, left = (
        points[:, list(next(c for c, _ in schema.contours if corner in c))].mean(1)
        for corner in schema.eyes
    )
    apart: Tensor = torch.linalg.vector_norm(right - left, dim=-1)
    return apart


def landmark_errors(shape: Tensor, truth: Tensor, schema: LandmarkSchema) -> Tensor:
    """Distances of points (B, K, 2) to the truth, in the pupils' distance of the truth: (B, K).

    That distance counts as 1 px at least, so that a full profile cannot outweigh all other faces.
    """
    apart = pupil_distance(truth, schema).clamp_min(1.0)
    away: Tensor = torch.linalg.vector_norm(shape - truth, dim=-1)
    return away / apart.unsqueeze(-1)


def dan_loss(
    shape: Tensor, truth: Tensor, schema: LandmarkSchema, weight: Tensor | None = None
) -> Tensor:
    """Eq. 4, the mean over landmarks of `landmark_errors`, averaged over the batch: ().

    shape: S_t, already carried back by T_t⁻¹. truth: S*. Both (B, K, 2) crop px. weight: (B,), 0
    for a sample without a face; the mean is weighted, and 0 where all weights are.
    """
    return _mean(landmark_errors(shape, truth, schema).mean(-1), weight)


def spread_loss(
    log_spread: Tensor,
    shape: Tensor,
    truth: Tensor,
    schema: LandmarkSchema,
    weight: Tensor | None = None,
) -> Tensor:
    """−log p of the landmarks' errors, p ∝ exp(−|e| / s) / s² in the plane, s = e^log_spread: ().

    The errors are taken as they are: the shape learns by eq. 4 alone.
    """
    error = landmark_errors(shape.detach(), truth, schema)
    return _mean((2 * log_spread + error * torch.exp(-log_spread)).mean(-1), weight)


def found_share(log_spread: Tensor) -> Tensor:
    """Probability, under the density of `spread_loss`, of an error below TOLERANCE."""
    reach = TOLERANCE * torch.exp(-log_spread)
    return 1 - (1 + reach) * torch.exp(-reach)


def _mean(per_sample: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return per_sample.mean()
    return (per_sample * weight).sum() / weight.sum().clamp_min(1e-6)
