"""Formats, sizes and frame rates of a Linux camera, queried from the kernel (V4L2)."""

from __future__ import annotations

import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Ioctl = Callable[[int, int, bytearray], object]

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_DISCRETE = 1
_DECODED = ("MJPG", "JPEG", "YUYV", "UYVY", "NV12", "YU12", "BGR3", "RGB3", "GREY")
_MOST = 256  # Largest length of a list; some drivers never end one.
_COMMON = ((640, 480), (800, 600), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160))
_RATES = (60.0, 30.0, 15.0)


def camera_formats(
    path: str, ioctl: Ioctl | None = None
) -> tuple[tuple[str, int, int, float], ...]:
    """Return the formats that a camera offers.

    Args:
        path: Device path of the camera.
        ioctl: fcntl.ioctl, or a fake in tests.

    Returns:
        Tuples of four-letter code, width and height in pixels, and frames per second; empty if the
            device does not report them.
    """
    try:
        device = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return ()
    try:
        chosen = ioctl or _ioctl()
        return tuple(_modes(device, chosen)) if chosen is not None else ()
    finally:
        os.close(device)


def _ioctl() -> Ioctl | None:
    if sys.platform == "win32":
        return None
    import fcntl

    return lambda device, request, data: fcntl.ioctl(device, request, data, True)


def _modes(device: int, ioctl: Ioctl) -> Iterator[tuple[str, int, int, float]]:
    for data in _entries(device, ioctl, 2, "III32s5I", lambda i: (i, _CAPTURE, 0, b"")):
        code = struct.unpack_from("I", data, 44)[0]
        name = code.to_bytes(4, sys.byteorder).decode("ascii", "replace")
        if name not in _DECODED:
            continue
        for width, height in _sizes(device, ioctl, code):
            for fps in _rates(device, ioctl, (code, width, height)):
                yield name, width, height, fps


def _sizes(device: int, ioctl: Ioctl, code: int) -> Iterator[tuple[int, int]]:
    for data in _entries(device, ioctl, 74, "11I", lambda i: (i, code)):
        kind, *size = struct.unpack_from("7I", data, 8)
        if kind == _DISCRETE:
            yield size[0], size[1]
            continue
        least_w, most_w, _, least_h, most_h, _ = size
        for width, height in _COMMON:
            if least_w <= width <= most_w and least_h <= height <= most_h:
                yield width, height
        return


def _rates(device: int, ioctl: Ioctl, of: tuple[int, int, int]) -> Iterator[float]:
    any_rate = False
    for data in _entries(device, ioctl, 75, "13I", lambda i: (i, *of)):
        kind, seconds, parts, *rest = struct.unpack_from("7I", data, 16)
        any_rate = True
        if kind == _DISCRETE:
            if seconds:
                yield parts / seconds
            continue
        slowest = rest[1] / rest[0] if rest[0] else 0.0
        fastest = parts / seconds if seconds else 0.0
        yield from (rate for rate in _RATES if slowest <= rate <= fastest)
        return
    if not any_rate:
        yield 30.0


def _entries(
    device: int, ioctl: Ioctl, number: int, layout: str, of: Callable[[int], tuple[object, ...]]
) -> Iterator[bytearray]:
    """Yield the entries of one V4L2 list: call `_IOWR('V', number, …)` until it fails."""
    size = struct.calcsize(layout)
    request = 3 << 30 | size << 16 | ord("V") << 8 | number
    for index in range(_MOST):
        given = of(index)
        head = "".join("32s" if isinstance(v, bytes) else "I" for v in given)
        data = bytearray(size)
        struct.pack_into(head, data, 0, *given)
        try:
            ioctl(device, request, data)
        except OSError:
            return
        yield data
