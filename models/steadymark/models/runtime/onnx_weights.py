"""Read and replace the weights of an ONNX file in its bytes, without the package onnx.

A new tensor must have the same shape and type as the old one. Its bytes then fit into the same
place, and the rest of the file does not change.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_reader import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

Floats = NDArray[np.float32]
# field numbers of onnx.proto
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
_FLOAT = 1


class _Tensor(NamedTuple):
    shape: tuple[int, ...]
    raw: memoryview


def read_weights(content: bytes) -> dict[str, Floats]:
    """Read the float32 weights of a model; weights of other types are left out.

    Args:
        content: The ONNX file.

    Returns:
        Copies of the weights, by name.

    Raises:
        ContentError: This is not an ONNX file.
        IndexError: The file is cut off.
    """
    return {
        name: np.frombuffer(tensor.raw, "<f4").reshape(tensor.shape).copy()
        for name, tensor in _tensors(memoryview(content)).items()
    }


def replace_weights(content: bytes, changed: Mapping[str, NDArray[np.floating]]) -> bytes:
    """Replace weights of a model.

    Args:
        content: The ONNX file.
        changed: The new weights, by name.

    Returns:
        The changed ONNX file.

    Raises:
        WeightsError: The model has no weight of that name, or it has another shape.
        ContentError: This is not an ONNX file.
        IndexError: The file is cut off.
    """
    edited = bytearray(content)
    with memoryview(edited) as view:
        known = _tensors(view)
        for name, values in changed.items():
            shape = known[name].shape if name in known else None
            if shape != values.shape:
                raise WeightsError(
                    "the model has no weight '{name}' of shape {shape}",
                    name=name,
                    shape=values.shape,
                )
            known[name].raw[:] = np.ascontiguousarray(values, "<f4").tobytes()
        for tensor in known.values():
            tensor.raw.release()
        known.clear()
    return bytes(edited)


def _tensors(content: memoryview) -> dict[str, _Tensor]:
    found = {}
    for number, graph in fields(content):
        if number != _GRAPH or not isinstance(graph, memoryview):
            continue
        for kind, message in fields(graph):
            if kind == _INITIALIZER and isinstance(message, memoryview):
                name, tensor = _tensor(message)
                if tensor is not None:
                    found[name] = tensor
    return found


def _tensor(message: memoryview) -> tuple[str, _Tensor | None]:
    """Return the name and content of a TensorProto; None unless it is float32 in raw bytes."""
    name, shape, kind, raw = "", [], 0, None
    for number, value in fields(message):
        if number == _NAME and isinstance(value, memoryview):
            name = bytes(value).decode()
        elif number == _RAW and isinstance(value, memoryview):
            raw = value
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
    if raw is None or kind != _FLOAT or len(raw) != 4 * math.prod(shape):
        return name, None
    return name, _Tensor(tuple(shape), raw)


def _packed(content: memoryview) -> list[int]:
    """Decode the integers of a packed repeated field."""
    numbers, value, shift = [], 0, 0
    for byte in content:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    return numbers
