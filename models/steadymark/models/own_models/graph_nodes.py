"""Nodes that read landmarks off the outputs of a network, collected as bytes of an ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.runtime.onnx_writer import FLOAT, constant, node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PDC_THRESHOLD = 0.2  # the value of models.networks.pdc, which needs torch
PREFIX = "steadymark/"  # of the names of added tensors


class GraphNodes:
    """A list of nodes to add to a graph, in order."""

    def __init__(self, opset: int) -> None:
        """Begin without nodes.

        Args:
            opset: Version of ONNX's standard operators that the graph uses.
        """
        self._opset = opset
        self._count = 0
        self.parts: list[bytes] = []

    def add(
        self, kind: str, *inputs: str, named: str = "", **attributes: int | Sequence[int]
    ) -> str:
        """Add a node with one output and return the name of the output."""
        name = named or self._name()
        self.parts.append(node(kind, inputs, [name], **attributes))
        return name

    def add_constant(self, values: object, kind: type = np.float32) -> str:
        """Add a constant and return its name."""
        name = self._name()
        array: NDArray[np.float32] = np.asarray(values, kind)
        self.parts.append(constant(name, array))
        return name

    def reduce(
        self, kind: str, value: str, axis: int, *, keep: bool = True, named: str = ""
    ) -> str:
        """Add ReduceMax, ReduceMin or ReduceMean, whose axes became an input in opset 18."""
        if self._opset < 18:
            return self.add(kind, value, named=named, axes=[axis], keepdims=int(keep))
        return self.add(
            kind, value, self.add_constant([axis], np.int64), named=named, keepdims=int(keep)
        )

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """Add a reshape and return the name of its output."""
        return self.add("Reshape", value, self.add_constant(shape, np.int64))

    def gather(self, value: str, indices: Sequence[int], axis: int) -> str:
        """Add a node that takes indices along an axis; return the name of its output."""
        return self.add("Gather", value, self.add_constant(indices, np.int64), axis=axis)

    def take_bytes(self) -> bytes:
        """Return the nodes that were added since the last call."""
        content, self.parts = b"".join(self.parts), []
        return content

    def _name(self) -> str:
        self._count += 1
        return f"{PREFIX}{self._count}"


def bin_centres(bins: NDArray[np.integer], crop: int, length: int) -> NDArray[np.float64]:
    """Convert 0-based bins to crop pixels, as `models.networks.pdc.bins_to_px` does.

    Args:
        bins: Indices of the bins.
        crop: Side of the crop, pixels.
        length: Number of bins along this axis.

    Returns:
        Their centres in crop pixels, in the same shape.
    """
    return (bins.astype(np.float64) + 0.5) * (crop / length) - 0.5


def cast(nodes: GraphNodes, value: str) -> str:
    """Add a cast to float and return the name of its output."""
    return nodes.add("Cast", value, to=FLOAT)


def add_centres(
    nodes: GraphNodes,
    value: str,
    places: NDArray[np.floating],
    reach: Sequence[float],
    *,
    softmax: bool,
) -> tuple[str, str, str]:
    """Add soft PDC (`networks.pdc`) of heatmaps.

    Args:
        nodes: The nodes to add to.
        value: Name of the heatmaps (n, K, B).
        places: Places of the bins, (B, D), crop pixels.
        reach: Distance on each axis (D) within which mass counts as near, crop pixels.
        softmax: The heatmaps are logits.

    Returns:
        The names of the centres (n, K, D), the share of mass near them (n, K, 1), and the peaks
        (n, K, 1).
    """
    if softmax:
        value = nodes.add("Softmax", value, axis=2)
    value = nodes.add("Relu", value)
    low, high = nodes.reduce("ReduceMin", value, 2), nodes.reduce("ReduceMax", value, 2)
    span = nodes.add("Mul", nodes.add("Sub", high, low), nodes.add_constant(PDC_THRESHOLD))
    excess = nodes.add("Relu", nodes.add("Sub", value, nodes.add("Add", low, span)))
    bins, axes = places.shape
    moments = nodes.add("MatMul", excess, nodes.add_constant(places))  # (n, K, D)
    mass = nodes.add("MatMul", excess, nodes.add_constant(np.ones((bins, 1))))  # (n, K, 1)
    epsilon = nodes.add_constant(1e-12)
    centre = nodes.add("Div", moments, nodes.add("Max", mass, epsilon))
    near = ""
    for axis in range(axes):
        offset = nodes.add(
            "Sub", nodes.gather(centre, [axis], 2), nodes.add_constant(places[None, None, :, axis])
        )
        is_inside = nodes.add(
            "Less", nodes.add("Abs", offset), nodes.add_constant(reach[axis] * (1 + 1e-6))
        )
        is_inside = cast(nodes, is_inside)
        near = nodes.add("Mul", near, is_inside) if near else is_inside
    total = nodes.add("MatMul", value, nodes.add_constant(np.ones((bins, 1))))
    near_mass = nodes.add(
        "MatMul", nodes.add("Mul", value, near), nodes.add_constant(np.ones((bins, 1)))
    )
    share = nodes.add("Div", near_mass, nodes.add("Max", total, epsilon))
    return centre, share, high


def add_scores(nodes: GraphNodes, found: Sequence[tuple[str, str]]) -> bytes:
    """Add `scores`, the mean share of mass near the peak, and `face`, the mean of share × peak.

    Args:
        nodes: The nodes to add to.
        found: The names of share and peak, as `add_centres` returns them, of each heatmap.

    Returns:
        The bytes of all nodes since `take_bytes` was last called.
    """
    share = found[0][0]
    for other_share, _ in found[1:]:
        share = nodes.add("Mul", nodes.add("Add", share, other_share), nodes.add_constant(0.5))
    nodes.reduce("ReduceMean", share, 2, keep=False, named="scores")
    weighted = nodes.add("Mul", share, found[0][1])
    for _, peak in found[1:]:
        weighted = nodes.add("Mul", weighted, peak)
    mean = nodes.reduce("ReduceMean", weighted, 2, keep=False)
    nodes.reduce("ReduceMean", mean, 1, keep=False, named="face")
    return nodes.take_bytes()
