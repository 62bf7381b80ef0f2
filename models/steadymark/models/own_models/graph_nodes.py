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

    def values(self, values: object, kind: type = np.float32) -> str:
        """Add a constant and return its name."""
        name = self._name()
        array: NDArray[np.float32] = np.asarray(values, kind)
        self.parts.append(constant(name, array))
        return name

    def reduced(
        self, kind: str, value: str, axis: int, *, keep: bool = True, named: str = ""
    ) -> str:
        """Add ReduceMax, ReduceMin or ReduceMean, whose axes became an input in opset 18."""
        if self._opset < 18:
            return self.add(kind, value, named=named, axes=[axis], keepdims=int(keep))
        return self.add(kind, value, self.values([axis], np.int64), named=named, keepdims=int(keep))

    def reshaped(self, value: str, shape: Sequence[int]) -> str:
        """Add a reshape and return the name of its output."""
        return self.add("Reshape", value, self.values(shape, np.int64))

    def taken(self, value: str, indices: Sequence[int], axis: int) -> str:
        """Add a node that takes indices along an axis; return the name of its output."""
        return self.add("Gather", value, self.values(indices, np.int64), axis=axis)

    def written(self) -> bytes:
        """Return the nodes that were added since the last call."""
        content, self.parts = b"".join(self.parts), []
        return content

    def _name(self) -> str:
        self._count += 1
        return f"{PREFIX}{self._count}"


def bin_places(bins: NDArray[np.integer], crop: int, length: int) -> NDArray[np.float64]:
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
    low, high = nodes.reduced("ReduceMin", value, 2), nodes.reduced("ReduceMax", value, 2)
    span = nodes.add("Mul", nodes.add("Sub", high, low), nodes.values(PDC_THRESHOLD))
    cut = nodes.add("Relu", nodes.add("Sub", value, nodes.add("Add", low, span)))
    bins, sides = places.shape
    moments = nodes.add("MatMul", cut, nodes.values(places))  # (n, K, D)
    mass = nodes.add("MatMul", cut, nodes.values(np.ones((bins, 1))))  # (n, K, 1)
    tiny = nodes.values(1e-12)
    centre = nodes.add("Div", moments, nodes.add("Max", mass, tiny))
    near = ""
    for side in range(sides):
        off = nodes.add(
            "Sub", nodes.taken(centre, [side], 2), nodes.values(places[None, None, :, side])
        )
        inside = nodes.add("Less", nodes.add("Abs", off), nodes.values(reach[side] * (1 + 1e-6)))
        inside = cast(nodes, inside)
        near = nodes.add("Mul", near, inside) if near else inside
    total = nodes.add("MatMul", value, nodes.values(np.ones((bins, 1))))
    ours = nodes.add("MatMul", nodes.add("Mul", value, near), nodes.values(np.ones((bins, 1))))
    share = nodes.add("Div", ours, nodes.add("Max", total, tiny))
    return centre, share, high


def add_scores(nodes: GraphNodes, found: Sequence[tuple[str, str]]) -> bytes:
    """Add `scores`, the mean share of mass near the peak, and `face`, the mean of share × peak.

    Args:
        nodes: The nodes to add to.
        found: The names of share and peak, as `add_centres` returns them, of each heatmap.

    Returns:
        The bytes of all nodes since `written` was last called.
    """
    share = found[0][0]
    for quality, _ in found[1:]:
        share = nodes.add("Mul", nodes.add("Add", share, quality), nodes.values(0.5))
    nodes.reduced("ReduceMean", share, 2, keep=False, named="scores")
    weighed = nodes.add("Mul", share, found[0][1])
    for _, peak in found[1:]:
        weighed = nodes.add("Mul", weighed, peak)
    mean = nodes.reduced("ReduceMean", weighed, 2, keep=False)
    nodes.reduced("ReduceMean", mean, 1, keep=False, named="face")
    return nodes.written()
