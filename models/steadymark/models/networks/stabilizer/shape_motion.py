"""How landmarks move beside the face's rigid motion, told from noise: talk, blinks, turns.

Noise moves each landmark by itself, a face moves many together. So what differs from memory is seen
in a basis of the shapes that faces have: what stands out of the noise of its direction is motion,
and memory goes along with it; the rest stays for memory to take away. Landmarks whose heatmaps
are less sharp than before, in a blurred frame or behind a hand, have less say. Ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.schema import LandmarkSchema

    Floats = NDArray[np.float64]

PARTS = (("eyes", 8), ("mouth", 10))  # regions that move by themselves, and directions of each
_LEAST_NOISE_PX = 1e-3
_STRICT = 8  # nine tenths of the usual share count by less than a half
_LEAST_TRUST = 0.5
_LEARN = 0.05  # of a frame, in what is usual


class ShapeMotion(nn.Module):
    """basis: (2K, 2K), a direction a row, x and y of a landmark beside each other.

    least: (2K,), crop pixels: motion along a direction by so much counts by half.
    """

    basis: Tensor
    least: Tensor

    def __init__(self, landmarks: int) -> None:
        super().__init__()
        self.register_buffer("basis", torch.eye(2 * landmarks))
        self.register_buffer("least", torch.full((2 * landmarks,), 8.0))

    def forward(self, found: Tensor, kept: Tensor, trust: Tensor) -> Tensor:
        """How landmarks moved, (B, K, 2) crop px.

        found, kept: points of this frame and of memory, (B, K, 2). trust: see `trusted`.
        """
        differ = ((found - kept) * trust.unsqueeze(-1)).flatten(1)
        # no matrix product: under autocast that would have the eight bits of bfloat16
        along = (differ.unsqueeze(1) * self.basis).sum(-1)
        squared = along.square()
        least = self.least / trust.mean(1, keepdim=True)
        moved = along * squared / (squared + least.square())
        return (moved.unsqueeze(-1) * self.basis).sum(1).view_as(found)


def trusted(share: Tensor, usual: Tensor) -> tuple[Tensor, Tensor]:
    """By how much each landmark is believed, in (0, 1], and its usual share from now on, (B, K).

    share: of a heatmap's mass near its peak. usual: that of frames before, 0 if there were none.
    """
    usual = torch.where(usual > 0, usual, share)
    trust = (share / usual.clamp_min(1e-6)).clamp(_LEAST_TRUST, 1.0) ** _STRICT
    return trust, usual + _LEARN * (share - usual)


def shape_basis(shapes: Floats, schema: LandmarkSchema) -> tuple[Floats, int]:
    """Orthonormal directions (2K, 2K) of shapes (N, K, 2) in upright crops, greatest first.

    Those of the parts that move by themselves come before all others; their number is given too.
    """
    flat = (shapes - shapes.mean(0)).reshape(len(shapes), -1)
    covariance = flat.T @ flat / len(flat)
    rows = []
    for region, count in PARTS:
        own = [2 * index + axis for index in schema.regions.get(region, ()) for axis in (0, 1)]
        if own:
            whole = np.zeros((min(count, len(own)), len(covariance)))
            whole[:, own] = _directions(covariance[np.ix_(own, own)])[: len(whole)]
            rows.append(whole)
    first = np.concatenate(rows) if rows else np.zeros((0, len(covariance)))
    rest = np.eye(len(covariance)) - first.T @ first
    # what is left of the unit matrix keeps directions without any shape apart from `first`
    left = rest @ (covariance / np.trace(covariance) + 1e-6 * np.eye(len(rest))) @ rest
    return np.concatenate((first, _directions(left)[: len(rest) - len(first)])), len(first)


def _directions(covariance: Floats) -> Floats:
    """Eigenvectors in rows, greatest eigenvalue first."""
    vectors: Floats = np.linalg.eigh(covariance)[1].T[::-1]
    return vectors


def noise_along(errors: Floats, basis: Floats) -> Floats:
    """How far noise alone goes in a frame along each direction, crop px, one sigma, (2K,).

    errors: (N, T, K, 2), found minus true points of sequences.
    """
    along = errors.reshape(*errors.shape[:2], -1) @ basis.T
    sigma: Floats = np.diff(along, axis=1).std((0, 1)) / np.sqrt(2)
    return sigma.clip(_LEAST_NOISE_PX)
