"""What an ONNX file holds, read as bytes: whether it takes data from files that are not it.

Only what the question needs of onnx.proto3 is known here, by its field numbers; the package `onnx`
is for training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import ContentError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of a TensorProto; location 1 is another file
_DEEPEST = 64  # graphs inside graphs
_PARTS: dict[str, dict[int, str]] = {
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
    """A model is one file, whose SHA-256 its card tells.

    Raises:
        WeightsError: a tensor of it lies in another file, or it is no ONNX file.
    """
    try:
        outside = _has_external(memoryview(content), "model", 0)
    except (ValueError, IndexError) as error:
        raise WeightsError(
            "{path} cannot be run: it is no ONNX file ({error})", path=path, error=error
        ) from error
    if outside:
        raise WeightsError(
            "{path} takes data from other files, which its model card cannot vouch for: save it "
            "as one file (onnx.save, save_as_external_data=False)",
            path=path,
        )


def _has_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ContentError("graphs inside graphs without end")
    parts = _PARTS.get(kind, {})
    for number, value in fields(message):
        if kind == "tensor" and (number, value) == (_DATA_LOCATION, 1):
            return True
        if kind == "tensor" and number == _EXTERNAL_DATA:
            return True
        inside = parts.get(number)
        if inside and isinstance(value, memoryview) and _has_external(value, inside, depth + 1):
            return True
    return False


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Numbers and values of a protobuf message; values of a fixed width are passed over.

    Raises:
        ValueError, IndexError: it is none, or is cut off.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(message, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ContentError("wire type {number}", number=wire)
        if at + size > len(message):
            raise ContentError("it is cut off")
        if wire == 2:
            yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ContentError("a number is too long")
