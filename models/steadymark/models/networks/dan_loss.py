"""Losses of the deep alignment network: eq. 4 of papers/dan.txt, and a loss for the spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from steadymark.models.face.schema import LandmarkSchema

TOLERANCE = 0.1  # pupil distances; a landmark with a larger error counts as lost


def pupil_distance(points: Tensor, schema: LandmarkSchema) -> Tensor:
    """Compute the pupil distance d_ipd, the distance between the mean points of both eyes.

    Args:
        points: (B, K, 2) landmarks.
        schema: The landmark schema.

    Returns:
        (B,) distances in the unit of `points`.
    """
    right, left = (
        points[:, list(next(c for c, _ in schema.contours if corner in c))].mean(1)
        for corner in schema.eyes
    )
    distance: Tensor = torch.linalg.vector_norm(right - left, dim=-1)
    return distance


def landmark_errors(shape: Tensor, truth: Tensor, schema: LandmarkSchema) -> Tensor:
    """Compute each landmark's error, divided by the pupil distance of the true landmarks.

    The pupil distance is at least 1 px, so that a full profile cannot dominate all other faces.

    Args:
        shape: (B, K, 2) predicted landmarks, pixels.
        truth: (B, K, 2) true landmarks, pixels.
        schema: The landmark schema.

    Returns:
        (B, K) errors in pupil distances.
    """
    pupils = pupil_distance(truth, schema).clamp_min(1.0)
    distance: Tensor = torch.linalg.vector_norm(shape - truth, dim=-1)
    return distance / pupils.unsqueeze(-1)


def dan_loss(
    shape: Tensor, truth: Tensor, schema: LandmarkSchema, weight: Tensor | None = None
) -> Tensor:
    """Compute the loss of eq. 4: the mean of `landmark_errors` over landmarks and batch.

    Args:
        shape: S_t, (B, K, 2), crop pixels, already transformed back by T_t⁻¹.
        truth: S*, (B, K, 2) true landmarks, crop pixels.
        schema: The landmark schema.
        weight: (B,) weights of the samples, 0 for a sample without a face; 1 by default.

    Returns:
        The weighted mean, a scalar. It is 0 if all weights are 0.
    """
    return _mean(landmark_errors(shape, truth, schema).mean(-1), weight)


def spread_loss(
    log_spread: Tensor,
    shape: Tensor,
    truth: Tensor,
    schema: LandmarkSchema,
    weight: Tensor | None = None,
) -> Tensor:
    """Compute the negative log likelihood of the landmarks' errors.

    The density of an error e in the plane is p ∝ exp(−|e| / s) / s² with s = e^log_spread. No
    gradient flows into the shape, which learns from eq. 4 only.

    Args:
        log_spread: (B, K) logarithms of s.
        shape: (B, K, 2) predicted landmarks, crop pixels.
        truth: (B, K, 2) true landmarks, crop pixels.
        schema: The landmark schema.
        weight: See `dan_loss`.

    Returns:
        The weighted mean, a scalar.
    """
    error = landmark_errors(shape.detach(), truth, schema)
    return _mean((2 * log_spread + error * torch.exp(-log_spread)).mean(-1), weight)


def probability_within_tolerance(log_spread: Tensor) -> Tensor:
    """Compute the probability of an error below `TOLERANCE` under the density of `spread_loss`.

    Args:
        log_spread: (...) logarithms of the scale s.

    Returns:
        (...) probabilities.
    """
    relative_tolerance = TOLERANCE * torch.exp(-log_spread)
    return 1 - (1 + relative_tolerance) * torch.exp(-relative_tolerance)


def _mean(per_sample: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return per_sample.mean()
    return (per_sample * weight).sum() / weight.sum().clamp_min(1e-6)
