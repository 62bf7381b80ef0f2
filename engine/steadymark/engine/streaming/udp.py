"""Send UDP datagrams to one address without blocking."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError

if TYPE_CHECKING:
    from steadymark.engine.streaming.targets import StreamTarget


class UdpSocket:
    """A connected UDP socket; the system reports if nobody listens at the address on this machine.

    Attributes:
        has_receiver: False if the previous datagram reached nobody; None if this is unknown.
    """

    def __init__(self, target: StreamTarget) -> None:
        self._target = target
        self._socket: socket.socket | None = None
        self.has_receiver: bool | None = None

    def open(self) -> None:
        """Look up the host and connect; this may block.

        Raises:
            SinkError: The host is unknown or cannot be reached from here.
        """
        target = self._target
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise SinkError(
                "nothing can be sent to {target}: the host '{host}' is unknown; check "
                "its name, or give its number (192.168.1.5)",
                target=target,
                host=target.host,
            ) from error
        found.sort(key=lambda item: item[0] != socket.AF_INET)  # Most receivers listen on IPv4.
        family, kind, protocol, _, address = found[0]
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            connection.connect(address)
        except OSError as error:
            connection.close()
            raise SinkError(
                "nothing can be sent to {target} ({reason}): choose an address of this network",
                target=target,
                reason=error.strerror,
            ) from error
        self._socket = connection

    def send(self, data: bytes) -> bool:
        """Send a datagram; return whether the system accepted it, even if nobody receives it."""
        if self._socket is None:
            return False
        self.has_receiver = None
        with contextlib.suppress(OSError):
            try:
                return self._socket.send(data) == len(data)
            except ConnectionError:  # The previous datagram reached nobody.
                self.has_receiver = False
                return self._socket.send(data) == len(data)
        return False

    def close(self) -> None:
        """Close the socket; may be called more than once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
