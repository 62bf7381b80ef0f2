"""Binary glTF files: the arrays of a document, and the container that holds both.

Source: Khronos Group, glTF 2.0 specification, sections 3.6 (accessors) and 4 (GLB).
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC, _VERSION = 0x46546C67, 2
_JSON, _BINARY = 0x4E4F534A, 0x004E4942  # types of chunks
_FLOAT, _UNSIGNED_SHORT = 5126, 5123
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
VERTICES, INDICES = 34962, 34963  # what the GPU uses a part of the buffer for


class GlbBuilder:
    """A glTF document and its buffer.

    Attributes:
        document: The document; the buffer, its views and the accessors are added by this class.
    """

    def __init__(self) -> None:
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "bufferViews": [],
            "accessors": [],
        }
        self._buffer = bytearray()

    def append(self, kind: str, content: dict[str, Any]) -> int:
        """Append an object to a list of the document, such as `nodes`, and return its index."""
        entries = self.document.setdefault(kind, [])
        entries.append(content)
        return len(entries) - 1

    def floats(self, values: NDArray[np.floating], *, target: int | None = None) -> int:
        """Add numbers, (n,) or (n, columns), as 32-bit floats; return the index of the accessor.

        Args:
            values: The numbers.
            target: What the GPU uses them for; None if they belong to an animation.
        """
        array = np.ascontiguousarray(values, "<f4")
        rows = array.reshape(len(array), -1)
        bounds = {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        return self._accessor(array.tobytes(), _FLOAT, rows.shape, target, bounds)

    def indices(self, triangles: NDArray[np.integer]) -> int:
        """Add the (t, 3) vertices of triangles; return the index of the accessor."""
        array = np.ascontiguousarray(triangles, "<u2")
        return self._accessor(array.tobytes(), _UNSIGNED_SHORT, (array.size, 1), INDICES, {})

    def content(self) -> bytes:
        """Return the content of the file."""
        self.document["buffers"] = [{"byteLength": len(self._buffer)}]
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()
        chunks = _chunk(_JSON, text, b" ") + _chunk(_BINARY, bytes(self._buffer), b"\0")
        return struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks

    def _accessor(
        self,
        content: bytes,
        component: int,
        shape: tuple[int, ...],
        target: int | None,
        bounds: dict[str, list[float]],
    ) -> int:
        view: dict[str, Any] = {
            "buffer": 0,
            "byteOffset": len(self._buffer),
            "byteLength": len(content),
        }
        if target is not None:
            view["target"] = target
        self._buffer += content + b"\0" * (-len(content) % 4)
        described = {
            "bufferView": self.append("bufferViews", view),
            "componentType": component,
            "count": shape[0],
            "type": _TYPES[shape[1]],
        }
        return self.append("accessors", described | bounds)


def _chunk(kind: int, content: bytes, filler: bytes) -> bytes:
    padded = content + filler * (-len(content) % 4)
    return struct.pack("<II", len(padded), kind) + padded
