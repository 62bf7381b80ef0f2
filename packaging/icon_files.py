"""The program's icon as PNG, ICO (Windows) and ICNS (macOS), drawn from its SVG by Qt."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from project_facts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SVG = ROOT / "assets" / "icons" / "steadymark.svg"
PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
_ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
_ICNS_TYPES = {
    "icp4": 16,
    "icp5": 32,
    "ic11": 32,
    "ic12": 64,
    "ic07": 128,
    "ic08": 256,
    "ic09": 512,
}


def png(size_px: int) -> bytes:
    """Return the icon as a PNG file.

    Args:
        size_px: Width and height.
    """
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(SVG)).render(painter)
    painter.end()
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want a file name
    return bytes(content.data())


def write_ico(path: Path) -> Path:
    """Write the icon for Windows, and return its path."""
    pictures = [png(size) for size in _ICO_SIZES]
    start = 6 + 16 * len(pictures)
    entries = b""
    for size, picture in zip(_ICO_SIZES, pictures, strict=True):
        entries += struct.pack(
            "<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), start
        )
        start += len(picture)
    path.write_bytes(struct.pack("<HHH", 0, 1, len(pictures)) + entries + b"".join(pictures))
    return path


def write_icns(path: Path) -> Path:
    """Write the icon for macOS, and return its path."""
    parts = b""
    for kind, size in _ICNS_TYPES.items():
        picture = png(size)
        parts += kind.encode("ascii") + struct.pack(">I", len(picture) + 8) + picture
    path.write_bytes(b"icns" + struct.pack(">I", len(parts) + 8) + parts)
    return path
