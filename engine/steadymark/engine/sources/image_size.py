"""The sizes of image files, read from their first bytes where the format allows it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from steadymark.engine.sources.image_pages import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_NO_LENGTH = (0x01, *range(0xD0, 0xDA))  # JPEG markers without a segment
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame
_MOST_DECODED = 8  # images of other formats that are decoded to compare their sizes


def same_size(files: Sequence[Path]) -> bool:
    """Return whether all readable images have the same stored size.

    PNG and JPEG files are all compared. Of other formats, some images are decoded.

    Args:
        files: The files.

    Returns:
        Whether no two sizes differ.
    """
    sizes = {file: _size_in_header(file) for file in files}
    unknown = [file for file, size in sizes.items() if size is None]
    step = max(1, -(-len(unknown) // _MOST_DECODED))
    decoded = (read_image(file) for file in unknown[::step])
    found = {size for size in sizes.values() if size is not None}
    found |= {(image.shape[1], image.shape[0]) for image in decoded if image is not None}
    return len(found) <= 1


def _size_in_header(file: Path) -> tuple[int, int] | None:
    """Return the width and height of a PNG or JPEG file; None if they are unknown."""
    try:
        with file.open("rb") as opened:
            head = opened.read(24)
            if head.startswith(_PNG):
                width, height = struct.unpack(">II", head[16:24])
                return width, height
            if head.startswith(_JPEG):
                opened.seek(len(_JPEG))
                return _jpeg_size(opened)
    except (OSError, struct.error):
        pass
    return None


def _jpeg_size(opened: BinaryIO) -> tuple[int, int] | None:
    while True:
        prefix, marker = struct.unpack(">BB", opened.read(2))
        while marker == 0xFF:  # fill bytes
            (marker,) = struct.unpack(">B", opened.read(1))
        if prefix != 0xFF or marker in _NO_LENGTH:
            return None
        (length,) = struct.unpack(">H", opened.read(2))
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack(">xHH", opened.read(5))
            return width, height
        opened.seek(length - 2, 1)
