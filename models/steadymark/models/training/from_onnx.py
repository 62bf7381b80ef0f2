"""Weights for fine-tuning out of an exported model, its folded batch norms put back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from steadymark.models.runtime import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TOLERANCE_PX = 0.05  # on crops with a face; the rest is rounding
_Norm = nn.BatchNorm1d | nn.BatchNorm2d
_Stored = dict[str, "NDArray[np.float32]"]


@torch.no_grad()
def take_weights(file: Path, decoded: nn.Module, crops: Tensor) -> None:
    """Put the weights of an exported model into the network that it was exported from.

    Export folds a batch norm into the convolution before it. Here each norm takes up its mean and
    variance from `crops`, and the scale and shift that leave what comes after it as it was.

    decoded: the module that was exported, changed in place. crops: (B, 3, F, F) uint8 of faces, a
    hundred or so.

    Raises:
        ValueError: the file is of another network.
    """
    stored: _Stored = {w.name: numpy_helper.to_array(w) for w in onnx.load(file).graph.initializer}
    decoded.eval()
    folded = _folded(decoded, stored)
    missing = _copy(stored, decoded, {id(norm) for norm, _ in folded})
    if missing:
        raise ValueError(f"{file} is of another network: it has no weights for {missing[0]}")
    _unfold(folded, decoded, crops)
    theirs = open_file(file)(crops=crops[:8].numpy())[0]
    apart = np.abs(decoded(crops[:8])[0].numpy() - theirs).max()
    if not apart <= TOLERANCE_PX:
        raise ValueError(f"{file} is of another network: its points lie {apart:.2f} px apart")


def _folded(decoded: nn.Module, stored: _Stored) -> list[tuple[_Norm, Tensor]]:
    """Batch norms that the file lacks, each with the bias that it left in the layer before it."""
    found: list[tuple[_Norm, Tensor]] = []
    for name, module in decoded.named_modules():
        if not isinstance(module, nn.Sequential):
            continue
        for (before, _), (_, norm) in pairwise(module.named_children()):
            bias = stored.get(f"{name}.{before}.weight_bias")
            if isinstance(norm, _Norm) and bias is not None:
                found.append((norm, torch.from_numpy(bias.copy())))
    return found


def _copy(stored: _Stored, decoded: nn.Module, norms: set[int]) -> list[str]:
    """Copy weights by name; gives the names of those that the file does not have.

    Export may reshape a small one and rename it: then the only unnamed one of its size counts.
    """
    skipped = {
        f"{name}.{part}"
        for name, module in decoded.named_modules()
        if id(module) in norms
        for part in module.state_dict()
    }
    unnamed = [value for name, value in stored.items() if "." not in name]
    missing = []
    for name, weight in decoded.named_parameters():
        value = stored.get(name)
        if value is None and name not in skipped:
            alike = [u for u in unnamed if u.size == weight.numel() and u.ndim == weight.ndim + 1]
            if not alike:
                missing.append(name)
                continue
            value = alike[0]
            unnamed = [u for u in unnamed if u is not value]
        if value is not None:
            weight.copy_(torch.from_numpy(value.copy()).view_as(weight))
    return missing


def _unfold(folded: list[tuple[_Norm, Tensor]], decoded: nn.Module, crops: Tensor) -> None:
    """One pass in which each norm, as it is reached, takes up what it sees and adds its bias."""
    bias_of = {id(norm): bias for norm, bias in folded}

    def fit(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, _Norm)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        axes = [axis for axis in range(inputs[0].ndim) if axis != 1]
        norm.running_mean.copy_(inputs[0].mean(axes))
        norm.running_var.copy_(inputs[0].var(axes))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean + bias_of[id(norm)])

    hooks = [norm.register_forward_pre_hook(fit) for norm, _ in folded]
    decoded(crops)
    for hook in hooks:
        hook.remove()
