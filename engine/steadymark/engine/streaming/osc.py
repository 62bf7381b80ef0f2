"""Encode Open Sound Control (OSC 1.0, https://opensoundcontrol.stanford.edu/spec-1_0.html)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Message = tuple[str, tuple[str | int | float, ...]]
_BUNDLE_HEAD = b"#bundle\0" + struct.pack(">Q", 1)  # the time tag 1 means: immediately
_LARGEST = 1400  # bytes of a datagram that networks do not split


def osc_message(address: str, values: Iterable[str | float]) -> bytes:
    """Encode a message.

    Args:
        address: Address, such as `/VMC/Ext/OK`.
        values: Texts, integers (int32) and other numbers (float32).

    Returns:
        The message; its length is a multiple of 4.
    """
    types, parts = ",", []
    for value in values:
        if isinstance(value, str):
            types += "s"
            parts.append(_padded(value))
        elif isinstance(value, int):
            types += "i"
            parts.append(struct.pack(">i", value))
        else:
            types += "f"
            parts.append(struct.pack(">f", value))
    return b"".join((_padded(address), _padded(types), *parts))


def osc_bundles(messages: Iterable[Message], largest: int = _LARGEST) -> list[bytes]:
    """Encode messages as bundles that take effect immediately.

    Args:
        messages: Pairs of address and values.
        largest: Most bytes of a bundle; a message that alone is larger has a bundle of its own.

    Returns:
        As few bundles as possible, with the messages in the same order.
    """
    bundles: list[bytes] = []
    for address, values in messages:
        message = osc_message(address, values)
        element = struct.pack(">i", len(message)) + message
        if bundles and len(bundles[-1]) + len(element) <= largest:
            bundles[-1] += element
        else:
            bundles.append(_BUNDLE_HEAD + element)
    return bundles


def _padded(text: str) -> bytes:
    """Return a text that ends with 1 to 4 zeros, at a multiple of 4 bytes."""
    data = text.encode("utf-8")
    return data + bytes(4 - len(data) % 4)
