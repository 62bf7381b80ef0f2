"""Replace weights in an exported flow cell, to measure what training contributes.

The functions take the bytes of an ONNX file and return changed bytes. They find the layers of
`networks.stabilizer.flow_cell` by the names of their biases in the exported graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_reader import fields
from steadymark.models.runtime.onnx_weights import read_weights, replace_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.models.runtime.onnx_weights import Floats

FIRST_SHARES = (0.15, 0.4, 0.05, 0.1, 0.04)  # before training, see flow_cell
_OUT = "out"
_LAYERS = ("into", "near", "joined", _OUT)
_GATES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
# field numbers of onnx.proto
_GRAPH, _NODE = 7, 1
_INPUT, _OUTPUT = 1, 2


class _Node(NamedTuple):
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def flow_with_constant_shares(content: bytes, shares: Sequence[float]) -> bytes:
    """Make the cell use the same shares for every frame and landmark.

    Args:
        content: The ONNX file.
        shares: Shares of the flow, of the flow within the deformation modes, of the error, of the
            error within the modes, and of the raw landmarks; each in [0, 1].

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model is not a flow cell.
    """
    weight, bias = _layer(content, _OUT)
    clipped = np.clip(np.asarray(shares, np.float64), 1e-9, 1 - 1e-9)
    logits = np.log(clipped / (1 - clipped))
    return replace_weights(
        content, {weight: np.zeros_like(read_weights(content)[weight]), bias: logits}
    )


def flow_with_constant_mean(content: bytes, gain: float) -> bytes:
    """Make the cell a running mean of frames that moves only with the face's rigid motion.

    Args:
        content: The ONNX file.
        gain: Odds of the newest frame's weight, above 0.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model is not a flow cell.
    """
    return flow_with_constant_shares(content, (0, 0, gain / (1 + gain), 0, 0))


def flow_with_first_shares(content: bytes, gain: float = 1.0) -> bytes:
    """Make the cell use the constant shares from which training starts.

    Args:
        content: The ONNX file.
        gain: Factor on the odds of the shares, above 0.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model is not a flow cell.
    """
    odds = [gain * share / (1 - share) for share in FIRST_SHARES]
    return flow_with_constant_shares(content, [each / (1 + each) for each in odds])


def flow_with_untrained_weights(content: bytes, seed: int = 0) -> bytes:
    """Replace the weights by untrained ones: random layers, and `FIRST_SHARES` as the output.

    Args:
        content: The ONNX file.
        seed: Seed of the random weights.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model is not a flow cell.
    """
    rng, weights = np.random.default_rng(seed), read_weights(content)
    untrained: dict[str, Floats] = {}
    for layer in _LAYERS[:-1]:
        names = _layer(content, layer)
        bound = (weights[names[1]].size / weights[names[0]].size) ** 0.5  # as nn.Linear does
        untrained |= {name: _random(rng, bound, weights[name]) for name in names}
    hidden = weights[f"{(_weight_prefix(weights))}memory.weight_hh"].shape[1]
    for gate in _GATES:
        name = f"{_weight_prefix(weights)}memory.{gate}"
        untrained[name] = _random(rng, hidden**-0.5, weights[name])  # as nn.GRUCell does
    return flow_with_first_shares(replace_weights(content, untrained))


def _random(rng: np.random.Generator, bound: float, old: Floats) -> Floats:
    return rng.uniform(-bound, bound, old.shape).astype(np.float32)


def _weight_prefix(weights: dict[str, Floats]) -> str:
    """Return the prefix of the names of the cell's weights."""
    for name in weights:
        if name.endswith(f"{_OUT}.bias") and f"{name[:-8]}memory.weight_hh" in weights:
            return name[:-8]
    raise WeightsError("the model is no flow cell, whose weights could be replaced")


def _layer(content: bytes, layer: str) -> tuple[str, str]:
    """Return the names of a linear layer's weight and bias.

    The weight is found through the graph, because the exporter renames it.
    """
    weights = read_weights(content)
    bias = f"{_weight_prefix(weights)}{layer}.bias"
    nodes = list(_nodes(content))
    for node in nodes:
        if bias not in node.inputs:
            continue
        producers = [n for n in nodes if set(n.outputs) & set(node.inputs)]
        for name in (i for each in (node, *producers) for i in each.inputs):
            if name in weights and weights[name].ndim == 2:
                return name, bias
    raise WeightsError("the model is no flow cell, whose weights could be replaced")


def _nodes(content: bytes) -> Iterator[_Node]:
    for number, graph in fields(memoryview(content)):
        if number != _GRAPH or not isinstance(graph, memoryview):
            continue
        for kind, message in fields(graph):
            if kind == _NODE and isinstance(message, memoryview):
                parts = [
                    (n, bytes(v).decode("utf-8", "replace"))
                    for n, v in fields(message)
                    if n in (_INPUT, _OUTPUT) and isinstance(v, memoryview)
                ]
                yield _Node(*(tuple(v for n, v in parts if n == k) for k in (_INPUT, _OUTPUT)))
