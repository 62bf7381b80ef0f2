"""Wrap a user's network: add nodes before and after it so that it becomes a model of the zoo.

The wrapped model has the input `crops` uint8 BGR and the outputs `points` (n, K, 2) crop pixels,
`scores` (n, K) and `face` (n,). The nodes are written as bytes, without torch and onnx.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_reader import fields
from steadymark.models.runtime.onnx_writer import (
    FLOAT,
    FLOAT16,
    GRAPH,
    INPUT,
    OUTPUT,
    UINT8,
    constant,
    field,
    messages,
    node,
    number_field,
    opset_of,
    tensors_of,
    value_info,
    with_other_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PDC_THRESHOLD = 0.2  # the value of models.networks.pdc, which needs torch
OLDEST_OPSET = 9
_OLDEST_IR = 4  # the first version in which constants need not be inputs
_IR = 1  # field of a ModelProto
_KINDS = {"tensor(float)": FLOAT, "tensor(float16)": FLOAT16, "tensor(uint8)": UINT8}
_ADDED = ("crops", "points", "scores", "face")
_MINE = "steadymark/"  # prefix of the names of added tensors


class OutputKind(StrEnum):
    """What a network outputs: coordinates, 2D heatmaps, or 1D heatmaps along x and y (lines)."""

    COORDINATES = "coordinates"
    HEATMAPS = "heatmaps"
    LINES = "lines"


class CoordinateUnit(StrEnum):
    """Units of coordinates: input pixels, 0 … 1 over the input, or −1 … 1 over the input."""

    PIXELS = "pixels"
    UNIT = "unit"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class WrapperConfig:
    """How to prepare the input of a network and how to read its outputs.

    The input is (pixel × white / 255 − mean) / std, with one mean and std per channel in the
    network's order.

    Attributes:
        input: Name of the input.
        input_type: Type of the input, for example `tensor(float)`.
        crop: Side F of the input, pixels.
        outputs: Names of the outputs that contain landmarks.
        shapes: Their shapes, without the batch axis.
        output: Kind of these outputs.
        count: Number of landmarks, K.
        mean: See above.
        std: See above.
        white: The input's value for white before mean and std, 1 or 255.
        rgb: The channels are RGB, not BGR.
        channels_last: The input is (n, F, F, 3).
        scale: Unit of coordinates.
        planar: Coordinates are ordered x_1 … x_K, y_1 … y_K.
        softmax: Heatmaps are logits.
    """

    input: str
    input_type: str
    crop: int
    outputs: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    output: OutputKind
    count: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    white: float = 1.0
    rgb: bool = True
    channels_last: bool = False
    scale: CoordinateUnit = CoordinateUnit.PIXELS
    planar: bool = False
    softmax: bool = False


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
    content, wrapping = apart(content, wrapping)
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
    nodes = _Nodes(opset)
    before = _feed(nodes, wrapping)
    after = {
        OutputKind.COORDINATES: _read_coordinates,
        OutputKind.HEATMAPS: _read_heatmaps,
        OutputKind.LINES: _read_lines,
    }[wrapping.output](nodes, wrapping)
    parts = [number_field(_IR, max(_OLDEST_IR, _ir_of(content)))]
    parts += [_copied(n, v) for n, v in fields(memoryview(content)) if n not in (_IR, GRAPH)]
    parts.append(field(GRAPH, _graph(_graph_of(content), wrapping, before, after)))
    return b"".join(parts)


def _graph_of(content: bytes) -> memoryview:
    """Return the graph; protobuf merges a graph that is stored in several parts."""
    return memoryview(b"".join(messages(memoryview(content), GRAPH)))


def apart(content: bytes, wrapping: WrapperConfig) -> tuple[bytes, WrapperConfig]:
    """Rename the tensors of a network whose names the wrapper needs for its own.

    Args:
        content: The user's ONNX file.
        wrapping: How to wrap it.

    Returns:
        The changed ONNX file, and the settings with the new names.
    """
    graph = _graph_of(content)
    taken = tensors_of(graph) | {wrapping.input}
    names = {n: f"network/{n}" for n in taken if n in _ADDED or n.startswith(_MINE)}
    if not names:
        return content, wrapping
    parts = [_copied(n, v) for n, v in fields(memoryview(content)) if n != GRAPH]
    parts.append(field(GRAPH, with_other_names(graph, names)))
    outputs = tuple(names.get(name, name) for name in wrapping.outputs)
    given = names.get(wrapping.input, wrapping.input)
    return b"".join(parts), replace(wrapping, input=given, outputs=outputs)


def _ir_of(content: bytes) -> int:
    told = (v for n, v in fields(memoryview(content)) if n == _IR and isinstance(v, int))
    return next(told, 0)


def _copied(number: int, value: int | memoryview) -> bytes:
    if isinstance(value, int):
        return number_field(number, value)
    return field(number, bytes(value))


def _graph(graph: memoryview, wrapping: WrapperConfig, before: bytes, after: bytes) -> bytes:
    """Return the network's graph with the added nodes and the new input and outputs."""
    side = wrapping.crop
    shape = [side, side, 3] if wrapping.channels_last else [3, side, side]
    parts = [before, value_info(INPUT, "crops", UINT8, ["n", *shape])]
    for number, value in fields(graph):
        if number == OUTPUT or (number == INPUT and _name_of(value) == wrapping.input):
            continue
        parts.append(_copied(number, value))
    k = wrapping.count
    return b"".join(
        [
            *parts,
            after,
            value_info(OUTPUT, "points", FLOAT, ["n", k, 2]),
            value_info(OUTPUT, "scores", FLOAT, ["n", k]),
            value_info(OUTPUT, "face", FLOAT, ["n"]),
        ]
    )


def _name_of(value: int | memoryview) -> str:
    assert not isinstance(value, int)
    return [bytes(v).decode() for n, v in fields(value) if n == 1 and not isinstance(v, int)][-1]


class _Nodes:
    """A list of nodes to add to a graph, in order."""

    def __init__(self, opset: int) -> None:
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
        return self.add("Reshape", value, self.values(shape, np.int64))

    def taken(self, value: str, indices: Sequence[int], axis: int) -> str:
        return self.add("Gather", value, self.values(indices, np.int64), axis=axis)

    def written(self) -> bytes:
        """Return the nodes that were added since the last call."""
        content, self.parts = b"".join(self.parts), []
        return content

    def _name(self) -> str:
        self._count += 1
        return f"{_MINE}{self._count}"


def _feed(nodes: _Nodes, wrapping: WrapperConfig) -> bytes:
    """Add the nodes from `crops` to the network's input."""
    axis, sides = (3, (1, 1, 1, 3)) if wrapping.channels_last else (1, (1, 3, 1, 1))
    value = nodes.add("Cast", "crops", to=FLOAT)
    if wrapping.rgb:
        value = nodes.taken(value, (2, 1, 0), axis)
    factor = wrapping.white / 255 / np.array(wrapping.std)
    offset = np.array(wrapping.mean) / np.array(wrapping.std)
    value = nodes.add("Mul", value, nodes.values(factor.reshape(sides)))
    value = nodes.add("Sub", value, nodes.values(offset.reshape(sides)))
    nodes.parts.append(node("Cast", [value], [wrapping.input], to=_KINDS[wrapping.input_type]))
    return nodes.written()


def _read_coordinates(nodes: _Nodes, wrapping: WrapperConfig) -> bytes:
    """Read points from outputs of shape (2K), (K, 2), (2, K) or (K, 3) per face."""
    (shape,), k, side = wrapping.shapes, wrapping.count, float(wrapping.crop)
    value = _cast(nodes, wrapping.outputs[0])
    if len(shape) >= 2 and shape[-2:] == (k, 3):
        value = nodes.taken(nodes.reshaped(value, (-1, k, 3)), (0, 1), 2)
    elif wrapping.planar:
        value = nodes.add("Transpose", nodes.reshaped(value, (-1, 2, k)), perm=[0, 2, 1])
    else:
        value = nodes.reshaped(value, (-1, k, 2))
    factor, offset = {
        CoordinateUnit.PIXELS: (1.0, 0.0),
        CoordinateUnit.UNIT: (side, 0.0),
        CoordinateUnit.SIGNED: (side / 2, side / 2),
    }[wrapping.scale]
    value = nodes.add("Mul", value, nodes.values(factor))
    nodes.add("Add", value, nodes.values(offset), named="points")
    even = nodes.add("Mul", nodes.reduced("ReduceMax", "points", 2, keep=False), nodes.values(0.0))
    nodes.add("Add", even, nodes.values(1.0), named="scores")
    nodes.reduced("ReduceMean", "scores", 1, keep=False, named="face")
    return nodes.written()


def _read_heatmaps(nodes: _Nodes, wrapping: WrapperConfig) -> bytes:
    """Read points from heatmaps (C, H, W) or (H, W, C); the first K of C channels are used."""
    (shape,), k = wrapping.shapes, wrapping.count
    value = _cast(nodes, wrapping.outputs[0])
    if last_channels(shape, k):
        value = nodes.add("Transpose", value, perm=[0, 3, 1, 2])
        shape = (shape[2], *shape[:2])
    channels, height, width = shape
    value = nodes.reshaped(value, (-1, channels, height * width))
    if channels != k:
        value = nodes.taken(value, range(k), 1)
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    places = np.stack((_px(columns, wrapping, width), _px(rows, wrapping, height)), -1)
    bins = max(1.0, 0.03 * max(height, width))
    reach = (bins * wrapping.crop / width, bins * wrapping.crop / height)
    points, quality, peak = _centres(nodes, value, places, reach, softmax=wrapping.softmax)
    nodes.add("Reshape", points, nodes.values((-1, k, 2), np.int64), named="points")
    return _scored(nodes, [(quality, peak)])


def _read_lines(nodes: _Nodes, wrapping: WrapperConfig) -> bytes:
    """Read points from two outputs (K, L), 1D heatmaps along x and y."""
    k, found, scores = wrapping.count, [], []
    for name, (_, length) in zip(wrapping.outputs, wrapping.shapes, strict=True):
        value = nodes.reshaped(_cast(nodes, name), (-1, k, length))
        places = _px(np.arange(length), wrapping, length)[:, None]
        reach = max(1.0, 0.03 * length) * wrapping.crop / length
        place, quality, peak = _centres(nodes, value, places, (reach,), softmax=wrapping.softmax)
        found.append(place)
        scores.append((quality, peak))
    nodes.add("Concat", *found, named="points", axis=2)
    return _scored(nodes, scores)


def last_channels(shape: Sequence[int], count: int) -> bool:
    """Return whether heatmaps of this shape are (H, W, C) and not (C, H, W)."""
    return shape[0] not in (count, count + 1) and shape[2] in (count, count + 1)


def _px(bins: NDArray[np.integer], wrapping: WrapperConfig, length: int) -> NDArray[np.float64]:
    """Convert 0-based bins to crop pixels, as `models.networks.pdc.bins_to_px` does."""
    return (bins.astype(np.float64) + 0.5) * (wrapping.crop / length) - 0.5


def _cast(nodes: _Nodes, value: str) -> str:
    return nodes.add("Cast", value, to=FLOAT)


def _centres(
    nodes: _Nodes,
    value: str,
    places: NDArray[np.floating],
    reach: Sequence[float],
    *,
    softmax: bool,
) -> tuple[str, str, str]:
    """Compute soft PDC (`networks.pdc`) of heatmaps (n, K, B) with bins at `places` (B, D) px.

    It returns the names of three tensors: the centres (n, K, D), the share of mass within `reach`
    (D) of them (n, K, 1), and the peaks (n, K, 1).
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
        inside = _cast(nodes, inside)
        near = nodes.add("Mul", near, inside) if near else inside
    total = nodes.add("MatMul", value, nodes.values(np.ones((bins, 1))))
    ours = nodes.add("MatMul", nodes.add("Mul", value, near), nodes.values(np.ones((bins, 1))))
    share = nodes.add("Div", ours, nodes.add("Max", total, tiny))
    return centre, share, high


def _scored(nodes: _Nodes, found: Sequence[tuple[str, str]]) -> bytes:
    """Add `scores`, the mean share of mass near the peak, and `face`, the mean of share × peak."""
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
