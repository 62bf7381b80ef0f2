"""Starts a heatmap1d network with the weights of one that has another crop or fewer blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from steadymark.models.networks.heatmap1d import Heatmap1d

_COMPRESSING = re.compile(r"cnn1_[xy]\.0\.weight")
_FACE_LAYER = "face.2.weight"
_ADDED_BLOCK = re.compile(r"backbone\.stages\.\d+\.\d+\.body\.")
_LAST_NORM = re.compile(r"backbone\.stages\.\d+\.\d+\.body\.2\.1\.weight")


@torch.no_grad()
def grow(source: Heatmap1d, target: Heatmap1d) -> None:
    """Copy the weights of a network into one with another crop, or with more residual blocks.

    Convolutions that run over a whole axis, and the layer of the face score, are resampled to the
    new size; their sums stay. A block that only the target has begins as the identity: the scale
    of its last norm is 0.

    Args:
        source: The trained network.
        target: The network to start; it is changed in place.

    Raises:
        ValueError: The networks differ in more than crop, bins and blocks.
    """
    stored = source.state_dict()
    grown = {}
    for name, weight in target.state_dict().items():
        if name in stored:
            grown[name] = _resampled(name, stored[name], weight.shape)
        elif _ADDED_BLOCK.match(name):
            grown[name] = torch.zeros_like(weight) if _LAST_NORM.match(name) else weight
        else:
            raise ValueError(f"the trained network has no weights for {name}")
    target.load_state_dict(grown)


def _resampled(name: str, weight: Tensor, shape: torch.Size) -> Tensor:
    """Return a weight in the target's shape."""
    if weight.shape == shape:
        return weight
    if _COMPRESSING.fullmatch(name):
        return _resampled_map(weight, shape[2], shape[3])
    if name == _FACE_LAYER:
        channels = 32
        old, new = (round((n // channels) ** 0.5) for n in (weight.shape[1], shape[1]))
        grid = weight.view(1, channels, old, old)
        return _resampled_map(grid, new, new).reshape(shape)
    raise ValueError(
        f"{name} has the shape {tuple(shape)}, in the trained network {tuple(weight.shape)}: only"
        " crop, bins and blocks may differ, and bins must stay in proportion to the crop"
    )


def _resampled_map(weight: Tensor, height: int, width: int) -> Tensor:
    """Resample weights (N, C, h, w) to another height and width; their sums stay."""
    share = weight.shape[2] * weight.shape[3] / (height * width)
    return functional.interpolate(weight, (height, width), mode="bilinear") * share
