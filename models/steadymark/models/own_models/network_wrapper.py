"""Wrap a user's network: add nodes before and after it so that it becomes a model of the zoo.

The wrapped model has the input `crops` uint8 BGR and the outputs `points` (n, K, 2) crop pixels,
`scores` (n, K) and `face` (n,). The nodes are written as bytes, without torch and onnx.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.own_models.graph_nodes import PREFIX, GraphNodes
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.runtime.onnx_reader import fields
from steadymark.models.runtime.onnx_writer import (
    FLOAT,
    FLOAT16,
    GRAPH,
    INPUT,
    OUTPUT,
    UINT8,
    field,
    messages,
    node,
    number_field,
    opset_of,
    rename_tensors,
    tensors_of,
    value_info,
)

if TYPE_CHECKING:
    from steadymark.models.own_models.wrapper_config import WrapperConfig

OLDEST_OPSET = 9
_OLDEST_IR = 4  # the first version in which constants need not be inputs
_IR = 1  # field of a ModelProto
_KINDS = {"tensor(float)": FLOAT, "tensor(float16)": FLOAT16, "tensor(uint8)": UINT8}
_ADDED_TENSORS = ("crops", "points", "scores", "face")


def wrap_network(content: bytes, wrapping: WrapperConfig) -> bytes:
    """Wrap a network.

    Args:
        content: The user's ONNX file.
        wrapping: How to wrap it.

    Returns:
        The wrapped ONNX file.

    Raises:
        WeightsError: Its operators are too old, or the type of its input is not supported.
    """
    content, wrapping = rename_conflicting_tensors(content, wrapping)
    opset = opset_of(content)
    if opset < OLDEST_OPSET:
        raise WeightsError(
            "the model uses ONNX operators of version {found}: export it again with opset "
            "{oldest} or newer",
            found=opset,
            oldest=OLDEST_OPSET,
        )
    if wrapping.input_type not in _KINDS:
        raise WeightsError(
            "the input of the model is {type}: it must be float, float16 or uint8",
            type=wrapping.input_type,
        )
    nodes = GraphNodes(opset)
    preprocessing = _add_preprocessing(nodes, wrapping)
    postprocessing = OUTPUT_KINDS.find(wrapping.output).add_nodes(nodes, wrapping)
    parts = [number_field(_IR, max(_OLDEST_IR, _ir_version(content)))]
    parts += [
        _copy_field(number, value)
        for number, value in fields(memoryview(content))
        if number not in (_IR, GRAPH)
    ]
    parts.append(field(GRAPH, _graph(_graph_of(content), wrapping, preprocessing, postprocessing)))
    return b"".join(parts)


def _graph_of(content: bytes) -> memoryview:
    """Return the graph; protobuf merges a graph that is stored in several parts."""
    return memoryview(b"".join(messages(memoryview(content), GRAPH)))


def rename_conflicting_tensors(
    content: bytes, wrapping: WrapperConfig
) -> tuple[bytes, WrapperConfig]:
    """Rename the tensors of a network whose names the wrapper needs for its own.

    Args:
        content: The user's ONNX file.
        wrapping: How to wrap it.

    Returns:
        The changed ONNX file, and the settings with the new names.
    """
    graph = _graph_of(content)
    used = tensors_of(graph) | {wrapping.input}
    names = {
        name: f"network/{name}"
        for name in used
        if name in _ADDED_TENSORS or name.startswith(PREFIX)
    }
    if not names:
        return content, wrapping
    parts = [
        _copy_field(number, value)
        for number, value in fields(memoryview(content))
        if number != GRAPH
    ]
    parts.append(field(GRAPH, rename_tensors(graph, names)))
    outputs = tuple(names.get(name, name) for name in wrapping.outputs)
    input_name = names.get(wrapping.input, wrapping.input)
    return b"".join(parts), replace(wrapping, input=input_name, outputs=outputs)


def _ir_version(content: bytes) -> int:
    versions = (v for n, v in fields(memoryview(content)) if n == _IR and isinstance(v, int))
    return next(versions, 0)


def _copy_field(number: int, value: int | memoryview) -> bytes:
    if isinstance(value, int):
        return number_field(number, value)
    return field(number, bytes(value))


def _graph(
    graph: memoryview, wrapping: WrapperConfig, preprocessing: bytes, postprocessing: bytes
) -> bytes:
    """Return the network's graph with the added nodes and the new input and outputs."""
    side = wrapping.crop
    shape = [side, side, 3] if wrapping.channels_last else [3, side, side]
    parts = [preprocessing, value_info(INPUT, "crops", UINT8, ["n", *shape])]
    for number, value in fields(graph):
        if number == OUTPUT or (number == INPUT and _name_of(value) == wrapping.input):
            continue
        parts.append(_copy_field(number, value))
    count = wrapping.count
    return b"".join(
        [
            *parts,
            postprocessing,
            value_info(OUTPUT, "points", FLOAT, ["n", count, 2]),
            value_info(OUTPUT, "scores", FLOAT, ["n", count]),
            value_info(OUTPUT, "face", FLOAT, ["n"]),
        ]
    )


def _name_of(value: int | memoryview) -> str:
    assert not isinstance(value, int)
    return [bytes(v).decode() for n, v in fields(value) if n == 1 and not isinstance(v, int)][-1]


def _add_preprocessing(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Add the nodes from `crops` to the network's input."""
    axis, shape = (3, (1, 1, 1, 3)) if wrapping.channels_last else (1, (1, 3, 1, 1))
    value = nodes.add("Cast", "crops", to=FLOAT)
    if wrapping.rgb:
        value = nodes.gather(value, (2, 1, 0), axis)
    factor = wrapping.white / 255 / np.array(wrapping.std)
    offset = np.array(wrapping.mean) / np.array(wrapping.std)
    value = nodes.add("Mul", value, nodes.add_constant(factor.reshape(shape)))
    value = nodes.add("Sub", value, nodes.add_constant(offset.reshape(shape)))
    nodes.parts.append(node("Cast", [value], [wrapping.input], to=_KINDS[wrapping.input_type]))
    return nodes.take_bytes()
