"""Reader of numeric matrices in MATLAB files of version 5 to 7, such as AFLW2000-3D's labels.

It parses the bytes itself, because SciPy's complete reader crashes on damaged files.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MOST_BYTES = 1 << 24  # largest file and largest unpacked content; labels need a thousandth
_HEADER, _VERSION = 128, 0x0100  # bytes of the file header, and the version in it
_NAME, _SIZES, _FLAGS, _MATRIX, _PACKED = 1, 5, 6, 14, 15  # types of data elements
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_NUMERIC = range(6, 16)  # matrix classes: double, single and integers


def read_table(path: Path, name: str) -> NDArray[np.float64] | None:
    """Return the matrix of this name (rows, columns), or None if there is no such numeric matrix.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not of this format, is damaged or is too large.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES >> 20} MiB")
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER - 2 : _HEADER])
    if order is None or struct.unpack_from(f"{order}H", content, _HEADER - 4)[0] != _VERSION:
        raise ValueError("is no MATLAB file of version 5 to 7")
    try:
        return _find(content[_HEADER:], name, order)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"is a damaged MATLAB file ({error})") from error


def _find(content: bytes, name: str, order: str) -> NDArray[np.float64] | None:
    for kind, body in _elements(content, order):
        if kind == _PACKED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(body, MOST_BYTES)
            if unpacker.unconsumed_tail:
                raise ValueError(f"unpacks to more than {MOST_BYTES >> 20} MiB")
            found = _find(unpacked, name, order)
        else:
            found = _table(body, name, order) if kind == _MATRIX else None
        if found is not None:
            return found
    return None


def _table(body: bytes, name: str, order: str) -> NDArray[np.float64] | None:
    """Return the matrix if it has this name, two dimensions and numbers."""
    elements = list(_elements(body, order))
    if [kind for kind, _ in elements[:3]] != [_FLAGS, _SIZES, _NAME] or len(elements) < 4:
        return None
    (_, flags), (_, sizes), (_, stored_name), (kind, numbers) = elements[:4]
    if stored_name != name.encode() or len(sizes) != 8 or kind not in _NUMBERS:
        return None
    if struct.unpack_from(f"{order}I", flags)[0] & 0xFF not in _NUMERIC:
        return None
    rows, columns = struct.unpack(f"{order}2i", sizes)
    dtype = np.dtype(order + _NUMBERS[kind])
    if min(rows, columns) < 0 or math.prod((rows, columns, dtype.itemsize)) != len(numbers):
        raise ValueError(f"holds {len(numbers)} bytes for a table of {rows} times {columns}")
    return np.frombuffer(numbers, dtype).astype(np.float64).reshape((rows, columns), order="F")


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and content of each data element."""
    position = 0
    while position + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, position)
        if kind >> 16:  # small data element: up to four bytes are stored in the tag
            kind, size = kind & 0xFFFF, kind >> 16
            start, limit = position + 4, position + 8
        else:
            start, limit = position + 8, len(content)
        end = start + size
        if end > limit:
            raise ValueError("is a MATLAB file that is damaged or cut off")
        yield kind, content[start:end]
        position = end if kind == _PACKED else end + -end % 8
