"""Writing ONNX nodes, constants, inputs and outputs as bytes, without the package `onnx`.

An ONNX file is a protobuf message. Only the fields that a wrapped network needs are known here, by
their numbers in onnx.proto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.runtime.onnx_reader import fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

GRAPH, OPSETS = 7, 8  # of a ModelProto
NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13  # of a GraphProto
FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10  # TensorProto.DataType
_VARINT, _BYTES = 0, 2  # protobuf's wire types
_DTYPES = {"float32": FLOAT, "int64": INT64}


def varint(value: int) -> bytes:
    """A protobuf number; negative ones take ten bytes."""
    value &= (1 << 64) - 1
    content = b""
    while value >= 128:
        content += bytes([value & 127 | 128])
        value >>= 7
    return content + bytes([value])


def field(number: int, content: bytes | str) -> bytes:
    """A protobuf field of bytes or text."""
    if isinstance(content, str):
        content = content.encode()
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """A protobuf field that holds an integer."""
    return varint(number << 3 | _VARINT) + varint(value)


def node(
    kind: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    **attributes: int | Sequence[int],
) -> bytes:
    """A node of a graph, as a field of the graph. attributes: integers, or lists of them."""
    parts = [field(1, name) for name in inputs] + [field(2, name) for name in outputs]
    parts += [field(3, f"{outputs[0]}:node"), field(4, kind)]
    for name, value in attributes.items():
        if isinstance(value, int):
            told = number_field(3, value) + number_field(20, 2)
        else:
            told = b"".join(number_field(8, each) for each in value) + number_field(20, 7)
        parts.append(field(5, field(1, name) + told))
    return field(NODE, b"".join(parts))


def constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """An initializer of float32 or int64, as a field of the graph."""
    content = b"".join(number_field(1, side) for side in values.shape)
    content += number_field(2, _DTYPES[str(values.dtype)]) + field(8, name)
    content += field(9, np.ascontiguousarray(values).tobytes())
    return field(INITIALIZER, content)


def value_info(number: int, name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """An input or output (number: INPUT, OUTPUT); a text is a side that may vary."""
    sides = b"".join(
        field(1, field(2, side) if isinstance(side, str) else number_field(1, side))
        for side in shape
    )
    tensor = number_field(1, kind) + field(2, sides)
    return field(number, field(1, name) + field(2, field(1, tensor)))


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """What a protobuf message has in a field of bytes."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def opset_of(content: bytes) -> int:
    """The version of ONNX's own operators that a model uses; 0 where it does not say."""
    version = 0
    for each in messages(memoryview(content), OPSETS):
        told = dict(fields(each))
        domain, number = told.get(1, b""), told.get(2)
        if isinstance(number, int) and not isinstance(domain, int) and bytes(domain) == b"":
            version = number
    return version


def with_other_names(graph: memoryview, names: Mapping[str, str]) -> bytes:
    """A graph whose tensors of these names have others, also in the graphs inside it."""
    parts = []
    for number, value in fields(graph):
        if isinstance(value, int):
            parts.append(number_field(number, value))
        elif number == NODE:
            parts.append(field(NODE, _node_with(value, names)))
        elif number in _NAME_FIELDS:
            parts.append(field(number, _named(value, _NAME_FIELDS[number], names)))
        else:
            parts.append(field(number, bytes(value)))
    return b"".join(parts)


def tensors_of(graph: memoryview) -> set[str]:
    """Names of what a graph's nodes take and give, without those of graphs inside it."""
    nodes = messages(graph, NODE)
    return {
        bytes(value).decode()
        for each in nodes
        for number, value in fields(each)
        if number in (1, 2) and not isinstance(value, int)
    }


def _node_with(message: memoryview, names: Mapping[str, str]) -> bytes:
    parts = []
    for number, value in fields(message):
        if isinstance(value, int):
            parts.append(number_field(number, value))
            continue
        content = bytes(value)
        if number in (1, 2):
            content = names.get(content.decode(), content.decode()).encode()
        elif number == _ATTRIBUTE:
            content = _attribute_with(value, names)
        parts.append(field(number, content))
    return b"".join(parts)


def _attribute_with(message: memoryview, names: Mapping[str, str]) -> bytes:
    """As it is, unless it holds graphs, which hold no numbers of a fixed width beside them."""
    held = [(number, value) for number, value in fields(message)]
    if not any(number in _GRAPHS and not isinstance(value, int) for number, value in held):
        return bytes(message)
    parts = []
    for number, value in held:
        if isinstance(value, int):
            parts.append(number_field(number, value))
        else:
            inside = with_other_names(value, names) if number in _GRAPHS else bytes(value)
            parts.append(field(number, inside))
    return b"".join(parts)


def _named(message: memoryview, number: int, names: Mapping[str, str]) -> bytes:
    """Of a field that is there twice, protobuf takes the last."""
    found = [bytes(value).decode() for value in messages(message, number)]
    other = names.get(found[-1]) if found else None
    return bytes(message) + (field(number, other) if other else b"")


_ATTRIBUTE, _GRAPHS = 5, (6, 11)  # of a NodeProto, and of an AttributeProto
_NAME_FIELDS = {INITIALIZER: 8, INPUT: 1, OUTPUT: 1, VALUE_INFO: 1}
