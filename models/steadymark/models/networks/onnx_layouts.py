"""Layouts of an exported graph for which ONNX Runtime has faster kernels."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

_HEIGHT_AXIS = 2
_ELEMENTWISE = ("Relu", "Sigmoid", "Tanh", "Add")


def with_2d_convolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Turn 1D convolutions into 2D convolutions of height 1, which ONNX Runtime computes faster.

    ONNX Runtime has kernels for blocks of channels (NCHWc) of 2D convolutions only. The weights
    stay as they are in the file; a node adds the axis to them, which happens on loading.

    Args:
        model: The graph, with the shapes of its values; it is not changed.

    Returns:
        A graph with the same inputs, weights and outputs.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    del changed.graph.node[:]
    lifting = _Lifting(changed, _ranks(model.graph))
    for node in model.graph.node:
        lifting.add(node)
    changed.graph.node.extend(_used(lifting.nodes, {o.name for o in model.graph.output}))
    return changed


class _Lifting:
    """Copies nodes and gives the values of 1D convolutions an axis of height 1.

    Args:
        model: The graph to which the constant of the axis is added.
        ranks: Number of axes of each value that is known.
    """

    def __init__(self, model: onnx.ModelProto, ranks: dict[str, int]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._graph, self._ranks = model.graph, ranks
        self._lifted: dict[str, str] = {}  # names of values with and without the axis
        self._axis = "height_axis"

    def add(self, node: onnx.NodeProto) -> None:
        """Copy a node, in 2D if it is a 1D convolution or an elementwise node behind one."""
        is_1d = node.op_type == "Conv" and self._ranks.get(node.input[1]) == 3
        is_behind = node.op_type in _ELEMENTWISE and all(i in self._lifted for i in node.input)
        if not is_1d and not is_behind:
            self.nodes.append(node)
            return
        flat = onnx.NodeProto()
        flat.CopyFrom(node)
        for place in range(2 if is_1d else len(node.input)):
            flat.input[place] = self._lift(node.input[place])
        if is_1d:
            for attribute in flat.attribute:
                _add_height(attribute)
        (name,) = node.output
        flat.output[0] = self._lifted[name] = f"{name}_2d"
        squeeze = helper.make_node(
            "Squeeze", [flat.output[0], self._axis], [name], name=f"{name}_1d"
        )
        self.nodes += [flat, squeeze]

    def _lift(self, name: str) -> str:
        """Return the name of a value with the axis, which a node adds to it if necessary."""
        if self._axis not in {w.name for w in self._graph.initializer}:
            axis = numpy_helper.from_array(np.array([_HEIGHT_AXIS], np.int64), self._axis)
            self._graph.initializer.append(axis)
        if name not in self._lifted:
            self._lifted[name] = f"{name}_2d"
            inputs, outputs = [name, self._axis], [self._lifted[name]]
            self.nodes.append(helper.make_node("Unsqueeze", inputs, outputs, name=outputs[0]))
        return self._lifted[name]


def _add_height(attribute: onnx.AttributeProto) -> None:
    """Change an attribute of a 1D convolution to that of a 2D convolution of height 1."""
    values = list(attribute.ints)
    if attribute.name == "pads":
        values = [0, values[0], 0, values[1]]
    elif attribute.name in ("kernel_shape", "strides", "dilations"):
        values = [1, *values]
    else:
        return
    del attribute.ints[:]
    attribute.ints.extend(values)


def _ranks(graph: onnx.GraphProto) -> dict[str, int]:
    ranks = {w.name: len(w.dims) for w in graph.initializer}
    for value in (*graph.value_info, *graph.input, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            ranks[value.name] = len(value.type.tensor_type.shape.dim)
    return ranks


def _used(nodes: list[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes, in their order, that the wanted values need."""
    needed, used = set(wanted), []
    for node in reversed(nodes):
        if needed & set(node.output):
            needed |= set(node.input)
            used.append(node)
    return used[::-1]
