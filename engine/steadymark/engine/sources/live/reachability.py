"""Whether somebody answers at an address, asked so that the asking can be given up at once."""

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
    """False where nobody answers in time, or when it is given up.

    True where the connection is refused, too, or the address cannot be asked this way: opening it
    will tell.
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
    near, far = socket.socketpair()
    with near, far:
        opening.on_give_up(lambda: _wake(far))
        return any(_connects(f, near, deadline_s) for f in found)


def _connects(found: tuple[object, ...], given_up: socket.socket, deadline_s: float) -> bool:
    family, kind, protocol, _, address = found
    with socket.socket(family, kind, protocol) as link:  # type: ignore[arg-type]
        link.setblocking(False)
        link.connect_ex(address)  # type: ignore[arg-type]
        left_s = max(0.0, deadline_s - time.monotonic())
        # Windows tells of a refused connection as of something exceptional
        woken, open_, refused = select.select([given_up], [link], [link], left_s)
        return bool((open_ or refused) and not woken)


def _wake(far: socket.socket) -> None:
    try:
        far.send(b"!")
    except OSError:  # it has answered long since
        return
