"""Datagrams to one address, without ever waiting."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError

if TYPE_CHECKING:
    from steadymark.engine.streaming.targets import StreamTarget


class UdpSocket:
    """Connected, so that the system tells when nobody listens there (on this machine it does).

    heard: False where the last datagram but one found nobody; None: UDP cannot tell more.
    """

    def __init__(self, target: StreamTarget) -> None:
        self._target = target
        self._socket: socket.socket | None = None
        self.heard: bool | None = None

    def open(self) -> None:
        """Look the host up; that may wait.

        Raises:
            SinkError: the host is unknown, or cannot be reached from here.
        """
        target = self._target
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise SinkError(
                "nothing can be sent to {target}: the host '{host}' is not known; check its name, "
                "or give its number (192.168.1.5)",
                target=target,
                host=target.host,
            ) from error
        found.sort(key=lambda item: item[0] != socket.AF_INET)  # where most receivers listen
        family, kind, protocol, _, address = found[0]
        line = socket.socket(family, kind, protocol)
        try:
            line.setblocking(False)
            line.connect(address)
        except OSError as error:
            line.close()
            raise SinkError(
                "nothing can be sent to {target} ({reason}): choose an address of this network",
                target=target,
                reason=error.strerror,
            ) from error
        self._socket = line

    def send(self, data: bytes) -> bool:
        """Whether the system took it. What nobody receives is taken too."""
        if self._socket is None:
            return False
        self.heard = None
        with contextlib.suppress(OSError):
            try:
                return self._socket.send(data) == len(data)
            except ConnectionError:  # of an earlier one: nobody listens
                self.heard = False
                return self._socket.send(data) == len(data)
        return False

    def close(self) -> None:
        """May be called more than once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
