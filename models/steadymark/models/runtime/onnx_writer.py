"""Write ONNX nodes, constants, inputs and outputs as bytes, without the package `onnx`.

An ONNX file is a protobuf message. This module knows only the fields that a wrapped network needs,
by their numbers in onnx.proto3. "As a field of the graph" means that the returned bytes can be
appended to the bytes of a GraphProto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.runtime.onnx_reader import fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

GRAPH, OPSETS = 7, 8  # fields of a ModelProto
NODE, INITIALIZER, INPUT, OUTPUT, VALUE_INFO = 1, 5, 11, 12, 13  # fields of a GraphProto
FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10  # TensorProto.DataType
_VARINT, _BYTES = 0, 2  # protobuf's wire types
_DTYPES = {"float32": FLOAT, "int64": INT64}


def varint(value: int) -> bytes:
    """Encode an integer as a protobuf varint; negative numbers take ten bytes."""
    value &= (1 << 64) - 1
    content = b""
    while value >= 128:
        content += bytes([value & 127 | 128])
        value >>= 7
    return content + bytes([value])


def field(number: int, content: bytes | str) -> bytes:
    """Encode a protobuf field that holds bytes, text or a message."""
    if isinstance(content, str):
        content = content.encode()
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    """Encode a protobuf field that holds an integer."""
    return varint(number << 3 | _VARINT) + varint(value)


def node(
    kind: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    **attributes: int | Sequence[int],
) -> bytes:
    """Encode a node as a field of the graph.

    Args:
        kind: Name of the ONNX operator.
        inputs: Names of the input tensors.
        outputs: Names of the output tensors.
        **attributes: Attributes of the operator, integers or lists of integers.

    Returns:
        The bytes.
    """
    parts = [field(1, name) for name in inputs] + [field(2, name) for name in outputs]
    parts += [field(3, f"{outputs[0]}:node"), field(4, kind)]
    for name, value in attributes.items():
        if isinstance(value, int):
            encoded = number_field(3, value) + number_field(20, 2)
        else:
            encoded = b"".join(number_field(8, each) for each in value) + number_field(20, 7)
        parts.append(field(5, field(1, name) + encoded))
    return field(NODE, b"".join(parts))


def constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """Encode a constant (an initializer) as a field of the graph.

    Args:
        name: Name of the tensor.
        values: The values, float32 or int64, of any shape.

    Returns:
        The bytes.
    """
    content = b"".join(number_field(1, side) for side in values.shape)
    content += number_field(2, _DTYPES[str(values.dtype)]) + field(8, name)
    content += field(9, np.ascontiguousarray(values).tobytes())
    return field(INITIALIZER, content)


def value_info(number: int, name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """Encode an input or output as a field of the graph.

    Args:
        number: `INPUT` or `OUTPUT`.
        name: Name of the tensor.
        kind: Data type, for example `FLOAT`.
        shape: Length of each axis; a string names an axis of variable length.

    Returns:
        The bytes.
    """
    sides = b"".join(
        field(1, field(2, side) if isinstance(side, str) else number_field(1, side))
        for side in shape
    )
    tensor = number_field(1, kind) + field(2, sides)
    return field(number, field(1, name) + field(2, field(1, tensor)))


def messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Iterate over the values that a protobuf message has in one field of bytes.

    Args:
        message: The bytes of the message.
        number: Number of the field, which may be repeated.

    Yields:
        The bytes of each value.
    """
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def opset_of(content: bytes) -> int:
    """Read the version of ONNX's standard operators that a model uses.

    Args:
        content: The ONNX file.

    Returns:
        The version, or 0 if the file does not state it.

    Raises:
        ContentError: This is not an ONNX file.
    """
    version = 0
    for each in messages(memoryview(content), OPSETS):
        opset = dict(fields(each))
        domain, number = opset.get(1, b""), opset.get(2)
        if isinstance(number, int) and not isinstance(domain, int) and bytes(domain) == b"":
            version = number
    return version


def rename_tensors(graph: memoryview, names: Mapping[str, str]) -> bytes:
    """Rename tensors of a graph and of the graphs nested in it.

    Args:
        graph: The bytes of a GraphProto.
        names: The new name of each tensor, by its old name.

    Returns:
        The bytes of the changed GraphProto.
    """
    parts = []
    for number, value in fields(graph):
        if isinstance(value, int):
            parts.append(number_field(number, value))
        elif number == NODE:
            parts.append(field(NODE, _rename_in_node(value, names)))
        elif number in _NAME_FIELDS:
            parts.append(field(number, _rename_message(value, _NAME_FIELDS[number], names)))
        else:
            parts.append(field(number, bytes(value)))
    return b"".join(parts)


def tensors_of(graph: memoryview) -> set[str]:
    """Return the names of all inputs and outputs of a graph's nodes, without nested graphs."""
    nodes = messages(graph, NODE)
    return {
        bytes(value).decode()
        for each in nodes
        for number, value in fields(each)
        if number in (1, 2) and not isinstance(value, int)
    }


def _rename_in_node(message: memoryview, names: Mapping[str, str]) -> bytes:
    parts = []
    for number, value in fields(message):
        if isinstance(value, int):
            parts.append(number_field(number, value))
            continue
        content = bytes(value)
        if number in (1, 2):
            content = names.get(content.decode(), content.decode()).encode()
        elif number == _ATTRIBUTE:
            content = _rename_in_attribute(value, names)
        parts.append(field(number, content))
    return b"".join(parts)


def _rename_in_attribute(message: memoryview, names: Mapping[str, str]) -> bytes:
    """Rename tensors in the graphs of an attribute; other attributes are returned unchanged.

    An attribute with graphs has no fields of fixed width, which `fields` would skip.
    """
    attribute_fields = [(number, value) for number, value in fields(message)]
    if not any(
        number in _GRAPHS and not isinstance(value, int) for number, value in attribute_fields
    ):
        return bytes(message)
    parts = []
    for number, value in attribute_fields:
        if isinstance(value, int):
            parts.append(number_field(number, value))
        else:
            content = rename_tensors(value, names) if number in _GRAPHS else bytes(value)
            parts.append(field(number, content))
    return b"".join(parts)


def _rename_message(message: memoryview, number: int, names: Mapping[str, str]) -> bytes:
    """Rename a named message by appending its new name; protobuf uses the last of two values."""
    found = [bytes(value).decode() for value in messages(message, number)]
    other = names.get(found[-1]) if found else None
    return bytes(message) + (field(number, other) if other else b"")


_ATTRIBUTE, _GRAPHS = 5, (6, 11)  # fields of a NodeProto and of an AttributeProto
_NAME_FIELDS = {INITIALIZER: 8, INPUT: 1, OUTPUT: 1, VALUE_INFO: 1}
