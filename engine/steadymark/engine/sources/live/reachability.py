"""Check whether a server answers at an address; the check can be cancelled at once."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from steadymark.engine.sources.live.live_source import OpenAttempt

_PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443}


def is_reachable(url: str, timeout_s: float, opening: OpenAttempt) -> bool:
    """Return whether a server answers.

    It is also True if the connection is refused or if the address cannot be checked in this way;
    opening the stream then gives the exact error.

    Args:
        url: Address of the stream.
        timeout_s: How long to wait, in seconds.
        opening: Allows another thread to cancel the check.

    Returns:
        False if nothing answers in time or the check was cancelled.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme.lower())
        if port is None or parts.hostname is None:
            return True
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return True
    deadline_s = time.monotonic() + timeout_s
    listening_socket, wake_socket = socket.socketpair()
    with listening_socket, wake_socket:
        opening.on_cancel(lambda: _wake(wake_socket))
        return any(_connects(f, listening_socket, deadline_s) for f in found)


def _connects(found: tuple[object, ...], cancelled: socket.socket, deadline_s: float) -> bool:
    family, kind, protocol, _, address = found
    with socket.socket(family, kind, protocol) as connection:  # type: ignore[arg-type]
        connection.setblocking(False)
        connection.connect_ex(address)  # type: ignore[arg-type]
        left_s = max(0.0, deadline_s - time.monotonic())
        # Windows reports a refused connection as an exceptional condition.
        woken, open_, refused = select.select([cancelled], [connection], [connection], left_s)
        return bool((open_ or refused) and not woken)


def _wake(wake_socket: socket.socket) -> None:
    try:
        wake_socket.send(b"!")
    except OSError:  # The check is over and the socket is closed.
        return
