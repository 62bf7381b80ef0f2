"""Parse ONNX files without the package `onnx`, and refuse those that refer to other files.

This module knows only the few fields of onnx.proto3 that it needs, by their numbers. The package
`onnx` is installed for training only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import ContentError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # fields of a TensorProto; location 1 is a file
_MAX_DEPTH = 64  # largest number of nested messages
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
}  # fmt: skip


def refuse_external_data(content: bytes, path: Path) -> None:
    """Refuse a model that stores weights in other files, since its card has only one SHA-256.

    Args:
        content: The ONNX file.
        path: Its path, for messages.

    Raises:
        WeightsError: A tensor is stored in another file, or this is not an ONNX file.
    """
    try:
        outside = _has_external(memoryview(content), "model", 0)
    except (ValueError, IndexError) as error:
        raise WeightsError(
            "{path} cannot be run: it is not an ONNX file ({error})", path=path, error=error
        ) from error
    if outside:
        raise WeightsError(
            "{path} reads data from other files, which its model card cannot "
            "verify: save it as one file (onnx.save, save_as_external_data=False)",
            path=path,
        )


def _has_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        raise ContentError("graphs are nested without end")
    children = _CHILDREN.get(kind, {})
    for number, value in fields(message):
        if kind == "tensor" and (number, value) == (_DATA_LOCATION, 1):
            return True
        if kind == "tensor" and number == _EXTERNAL_DATA:
            return True
        child = children.get(number)
        if child and isinstance(value, memoryview) and _has_external(value, child, depth + 1):
            return True
    return False


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Iterate over the fields of a protobuf message.

    Args:
        message: The bytes of the message.

    Yields:
        The number and the value of each field: an int, or the bytes of text, messages and arrays.
        Fields of fixed width (32 and 64 bits) are skipped.

    Raises:
        ContentError: The bytes are not a protobuf message, or they are cut off.
        IndexError: The bytes are cut off within a number.
    """
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == 2:
            size, position = _varint(message, position)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ContentError("wire type {number}", number=wire_type)
        if position + size > len(message):
            raise ContentError("it is truncated")
        if wire_type == 2:
            yield number, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ContentError("a number is too long")
