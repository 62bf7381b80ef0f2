"""Disable parts of an exported heatmap stabilizer, to measure what each part contributes.

The functions take the bytes of an ONNX file and return changed bytes. They find the parts of
`convlstm` and `shape_motion` by the names of their weights in the exported graph.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_weights import read_weights, replace_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.models.runtime.onnx_weights import Floats

# Initial weights of a ConvLSTM over heatmaps; they make it nearly a running mean of frames.
HEATMAP_SCALE = 0.25  # factor on the heatmap, so that tanh is nearly linear
OUTPUT_GATE_BIAS = 3.0  # bias of the output gate, before the sigmoid
OUTPUT_SCALE = (1 + math.exp(-OUTPUT_GATE_BIAS)) / HEATMAP_SCALE  # factor from h back to a heatmap
NEW_FRAME_WEIGHT = 0.03  # weight of the newest frame in the running mean
INPUT_GATE_BIAS = math.log(NEW_FRAME_WEIGHT / (1 - NEW_FRAME_WEIGHT))  # bias of the input gate
INIT_SCALE = 0.03  # factor on PyTorch's random initial weights of the convolutions

_CELL_WEIGHT = re.compile(r"(?:.*\.)?cells\.\d+\.(gates\.(?:conv|each|down|up)|out)\.(weight|bias)")
_NOISE_LEVELS = re.compile(r"(?:.*\.)?shape\.least")
_HUGE_NOISE_PX = 1e9  # a noise level so large that no motion exceeds it


def with_constant_mean(content: bytes) -> bytes:
    """Make the ConvLSTM a running mean of each heatmap, without mixing bins or landmarks.

    The weights of old and new frames are those from which training starts.

    Args:
        content: The ONNX file.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model has no ConvLSTM.
    """
    return replace_weights(content, _fresh(read_weights(content), spread=0.0))


def with_untrained_weights(content: bytes, seed: int = 0) -> bytes:
    """Replace the ConvLSTM's weights by untrained ones, with small random convolutions.

    Args:
        content: The ONNX file.
        seed: Seed of the random weights.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model has no ConvLSTM.
    """
    return replace_weights(content, _fresh(read_weights(content), spread=INIT_SCALE, seed=seed))


def without_shape_motion(content: bytes) -> bytes:
    """Warp the recurrent state only by the face's rigid motion, not by expressions.

    Args:
        content: The ONNX file.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model has no shape motion.
    """
    found = {
        name: old for name, old in read_weights(content).items() if _NOISE_LEVELS.fullmatch(name)
    }
    if not found:
        raise WeightsError("the model has no shape motion that could be taken out")
    return replace_weights(content, {k: np.full_like(v, _HUGE_NOISE_PX) for k, v in found.items()})


def _fresh(weights: Mapping[str, Floats], *, spread: float, seed: int = 0) -> dict[str, Floats]:
    """Return initial weights of the cells; `spread` is a factor on PyTorch's random range."""
    rng = np.random.default_rng(seed)
    fresh = {}
    for name, old in weights.items():
        part = _CELL_WEIGHT.fullmatch(name)
        if part is None:
            continue
        fresh[name] = np.zeros_like(old)
        if part[2] == "weight" and part[1] != "out":
            bound = spread / np.sqrt(np.prod(old.shape[1:]))  # as nn.Conv1d and nn.Conv2d do
            fresh[name] += rng.uniform(-bound, bound, old.shape).astype(np.float32)
        _add_mean_weights(f"{part[1]}.{part[2]}", fresh[name])
    if not fresh:
        raise WeightsError("the model has no ConvLSTM whose convolutions could be replaced")
    return fresh


def _add_mean_weights(part: str, values: Floats) -> None:
    """Set the weights that make the cell a mean of frames, as `convlstm` does."""
    centre = tuple(side // 2 for side in values.shape[2:])
    if part == "gates.conv.weight":  # (4K, 2K, …): input, forget, output, candidate
        count = len(values) // 4
        for landmark in range(count):
            values[(3 * count + landmark, landmark, *centre)] += HEATMAP_SCALE
    elif part == "gates.each.weight":  # (6K, 1, …): first for heat, then for h; 3 per landmark
        for landmark in range(len(values) // 6):
            values[(3 * landmark + 2, 0, *centre)] += HEATMAP_SCALE
    elif part == "gates.conv.bias":
        values[:] = np.repeat(
            (INPUT_GATE_BIAS, -INPUT_GATE_BIAS, OUTPUT_GATE_BIAS, 0.0), len(values) // 4
        )
    elif part == "gates.up.bias":
        values[:] = np.repeat((INPUT_GATE_BIAS, OUTPUT_GATE_BIAS, 0.0), len(values) // 3)
    elif part == "out.weight":
        values[:] = OUTPUT_SCALE
