"""Loads the weights of an exported model for fine-tuning, and restores its folded batch norms."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from steadymark.models.runtime.onnx_session import open_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TOLERANCE_PX = 0.05  # largest difference that rounding may cause on crops with a face
_Norm = nn.BatchNorm1d | nn.BatchNorm2d
_Stored = Mapping[str, "NDArray[np.float32]"]


class StoredWeights:
    """The constants of an ONNX file, from which weights are taken one after another.

    Earlier exports renamed the bias of a deconvolution. Such biases are found by order and size.

    Args:
        weights: The constants by name, see `stored_weights`.

    Attributes:
        left: The constants that were not taken, by name.
    """

    def __init__(self, weights: _Stored) -> None:
        self._weights, self.left = weights, dict(weights)

    def take(self, name: str, size: int) -> NDArray[np.float32] | None:
        """Return the weight of this name and number of elements, or None if there is none."""
        found = self.take_name(name, size)
        return None if found is None else self._weights[found]

    def take_name(self, name: str, size: int) -> str | None:
        """Return the name that such a weight has in the file, or None if there is none."""
        if name not in self.left and name.endswith("conv.bias"):
            renamed = (n for n, v in self.left.items() if _is_renamed(n, v, size))
            name = next(renamed, name)
        return None if self.left.pop(name, None) is None else name


def _is_renamed(name: str, value: NDArray[np.float32], size: int) -> bool:
    return "." not in name and value.size == size and value.ndim > 1


@torch.no_grad()
def load_onnx_weights(file: Path, decoded: nn.Module, crops: Tensor) -> None:
    """Copy the weights of an exported model into the network that it was exported from.

    The export folds each batch norm into the convolution before it. Here each norm takes its mean
    and variance from `crops`, and a scale and shift that keep its output unchanged.

    Args:
        file: The ONNX file.
        decoded: The module that was exported; it is changed in place.
        crops: (B, 3, F, F) uint8 crops of about a hundred faces.

    Raises:
        ValueError: The file belongs to another network.
        WeightsError: The file cannot be run.
    """
    runner = open_file(file)
    copy_weights(file, stored_weights(file), decoded, crops)
    expected = runner(["points"], crops=crops[:8].numpy())[0]
    difference_px = np.abs(decoded(crops[:8])[0].numpy() - expected).max()
    if not difference_px <= TOLERANCE_PX:
        raise ValueError(
            f"{file} is of another network: its points lie {difference_px:.2f} px apart"
        )


def stored_weights(file: Path) -> dict[str, NDArray[np.float32]]:
    """Return the constants of an ONNX file by name."""
    return {w.name: numpy_helper.to_array(w) for w in onnx.load(file).graph.initializer}


@torch.no_grad()
def copy_weights(
    file: Path, stored: Mapping[str, NDArray[np.float32]], decoded: nn.Module, images: Tensor
) -> None:
    """Copy stored weights into the module that was exported, and restore its folded batch norms.

    Args:
        file: The ONNX file, for messages.
        stored: Weights by the name that they have in the module, see `stored_weights`.
        decoded: The module; it is changed in place and is in eval mode afterwards.
        images: Input of the module, from which each folded norm takes its mean and variance.

    Raises:
        ValueError: A weight has another size than the module's.
    """
    decoded.eval()
    try:
        _copy(stored, decoded)
        _unfold(_folded(decoded, stored), decoded, images)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{file} is of another network: {reason}") from error


def _folded(decoded: nn.Module, stored: _Stored) -> list[tuple[_Norm, Tensor]]:
    """Return the folded batch norms, each with the bias that it left in the layer before."""
    modules = [(name, part) for name, part in decoded.named_modules() if not any(part.children())]
    found: list[tuple[_Norm, Tensor]] = []
    for (layer, _), (name, norm) in pairwise(modules):
        bias = stored.get(f"{layer}.weight_bias")
        if isinstance(norm, _Norm) and bias is not None and f"{name}.weight" not in stored:
            found.append((norm, torch.from_numpy(bias.copy())))
    return found


def _copy(stored: _Stored, decoded: nn.Module) -> None:
    """Copy the file's weights by name; weights that the graph does not use keep their values."""
    left = StoredWeights(stored)
    for name, weight in decoded.state_dict().items():
        value = left.take(name, weight.numel())
        if value is not None:
            weight.copy_(torch.from_numpy(value.copy()).view_as(weight))


def _unfold(folded: list[tuple[_Norm, Tensor]], decoded: nn.Module, crops: Tensor) -> None:
    """Set the statistics and bias of each folded norm, in order, during one forward pass."""
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
