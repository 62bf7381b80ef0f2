"""Separate the non-rigid motion of landmarks (speech, blinks, head turns) from noise (our method).

Noise moves each landmark independently, but a face moves many landmarks together. So the difference
between new and remembered landmarks is expressed in a basis of face shapes. A component that is
larger than the noise along its direction is motion, by which the state is warped; the rest is
treated as noise, which the state averages out. Landmarks whose heatmaps are less sharp than usual,
because of blur or occlusion, have less weight.
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

PARTS = (("eyes", 8), ("mouth", 10))  # regions with their own motion, and directions of each
_LEAST_NOISE_PX = 1e-3
_TRUST_EXPONENT = 8  # exponent; at nine tenths of the usual share the trust is below a half
_LEAST_TRUST = 0.5  # smallest ratio of shares, before the exponent
_USUAL_UPDATE = 0.05  # weight of a new frame in the usual share


class ShapeMotion(nn.Module):
    """Estimate the non-rigid motion of the landmarks.

    Attributes:
        basis: (2K, 2K), one direction per row, in the order x, y of each landmark.
        least: (2K,) crop pixels; motion of this length along a direction counts half.
    """

    basis: Tensor
    least: Tensor

    def __init__(self, landmarks: int) -> None:
        super().__init__()
        self.register_buffer("basis", torch.eye(2 * landmarks))
        self.register_buffer("least", torch.full((2 * landmarks,), 8.0))

    def forward(self, found: Tensor, kept: Tensor, trust: Tensor) -> Tensor:
        """Estimate how the landmarks moved.

        Args:
            found: (B, K, 2) landmarks of this frame, crop pixels.
            kept: (B, K, 2) remembered landmarks, moved by the face's rigid motion.
            trust: (B, K), see `trusted`.

        Returns:
            (B, K, 2) motion, crop pixels.
        """
        difference = ((found - kept) * trust.unsqueeze(-1)).flatten(1)
        # no matrix product, which autocast would compute in bfloat16 with eight bits
        along = (difference.unsqueeze(1) * self.basis).sum(-1)
        squared = along.square()
        least = self.least / trust.mean(1, keepdim=True)
        motion = along * squared / (squared + least.square())
        return (motion.unsqueeze(-1) * self.basis).sum(1).view_as(found)


def trusted(share: Tensor, usual: Tensor) -> tuple[Tensor, Tensor]:
    """Compute how much each landmark is trusted, from the sharpness of its heatmap.

    Args:
        share: (B, K) share of a heatmap's mass near its peak.
        usual: (B, K) running mean of the share over earlier frames, 0 if there were none.

    Returns:
        The trust (B, K) in (0, 1], and the new running mean.
    """
    usual = torch.where(usual > 0, usual, share)
    trust = (share / usual.clamp_min(1e-6)).clamp(_LEAST_TRUST, 1.0) ** _TRUST_EXPONENT
    return trust, usual + _USUAL_UPDATE * (share - usual)


def shape_basis(shapes: Floats, schema: LandmarkSchema) -> tuple[Floats, int]:
    """Compute an orthonormal basis of face shapes by principal component analysis.

    The directions of the parts with their own motion (`PARTS`) come first.

    Args:
        shapes: (N, K, 2) landmarks in upright crops.
        schema: The landmark schema.

    Returns:
        The directions (2K, 2K), largest variance first within each group, and the number of
        directions of the parts.
    """
    flat = (shapes - shapes.mean(0)).reshape(len(shapes), -1)
    covariance = flat.T @ flat / len(flat)
    part_directions = []
    for region, count in PARTS:
        coordinates = [
            2 * index + axis for index in schema.regions.get(region, ()) for axis in (0, 1)
        ]
        if coordinates:
            directions = np.zeros((min(count, len(coordinates)), len(covariance)))
            directions[:, coordinates] = _directions(covariance[np.ix_(coordinates, coordinates)])[
                : len(directions)
            ]
            part_directions.append(directions)
    of_parts = (
        np.concatenate(part_directions) if part_directions else np.zeros((0, len(covariance)))
    )
    rest_projection = np.eye(len(covariance)) - of_parts.T @ of_parts
    # the small identity keeps directions without any variance orthogonal to `first`
    rest_covariance = (
        rest_projection
        @ (covariance / np.trace(covariance) + 1e-6 * np.eye(len(rest_projection)))
        @ rest_projection
    )
    return np.concatenate(
        (of_parts, _directions(rest_covariance)[: len(rest_projection) - len(of_parts)])
    ), len(of_parts)


def _directions(covariance: Floats) -> Floats:
    """Return the eigenvectors as rows, largest eigenvalue first."""
    vectors: Floats = np.linalg.eigh(covariance)[1].T[::-1]
    return vectors


def noise_along(errors: Floats, basis: Floats) -> Floats:
    """Compute the standard deviation of the landmarks' noise along each direction.

    Args:
        errors: (N, T, K, 2) found minus true landmarks of N sequences of T frames, crop pixels.
        basis: (2K, 2K), see `shape_basis`.

    Returns:
        (2K,) crop pixels. It is computed from differences between frames, so a constant error does
        not count.
    """
    along = errors.reshape(*errors.shape[:2], -1) @ basis.T
    sigma: Floats = np.diff(along, axis=1).std((0, 1)) / np.sqrt(2)
    return sigma.clip(_LEAST_NOISE_PX)
