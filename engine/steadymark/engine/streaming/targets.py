"""Targets of streaming: parse `osf`, `vmc://192.168.1.5:39540` or `lsl://NAME`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from steadymark.engine.core.errors import UsageError

LOOPBACK = "127.0.0.1"
_MOST = 200  # Characters of a name.


class TargetKind(StrEnum):
    """Protocols of streaming: OpenSeeFace, Virtual Motion Capture and Lab Streaming Layer."""

    OSF = "osf"
    VMC = "vmc"
    LSL = "lsl"


PLACES = {
    TargetKind.OSF: f"{LOOPBACK}:11573",
    TargetKind.VMC: f"{LOOPBACK}:39540",
    TargetKind.LSL: "Steadymark",
}


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """Where results are sent.

    Attributes:
        kind: The protocol.
        place: HOST:PORT, or the name of an LSL stream.
        host: Host name or address; empty for LSL.
        port: Port; 0 for LSL.
    """

    kind: TargetKind
    place: str
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        return f"{self.kind}://{self.place}"


def parse_target(text: str) -> StreamTarget:
    """Parse KIND or KIND://PLACE.

    KIND alone means this machine and the default port of the protocol's receivers.

    Args:
        text: The target as the user wrote it.

    Returns:
        The target.

    Raises:
        UsageError: The kind is unknown, or the place is invalid.
    """
    name, mark, place = text.strip().partition("://")
    if name not in tuple(TargetKind) or (mark and not place):
        raise UsageError(
            "cannot send to '{text}': write osf, vmc or lsl, or where to: osf://{osf}, "
            "vmc://{vmc}, lsl://NAME",
            text=text,
            osf=PLACES[TargetKind.OSF],
            vmc=PLACES[TargetKind.VMC],
        )
    return target_at(TargetKind(name), place)


def target_at(kind: TargetKind, place: str) -> StreamTarget:
    """Create a target; an empty place, host or port means the default one.

    Args:
        kind: The protocol.
        place: HOST:PORT, or the name of an LSL stream.

    Returns:
        The target.

    Raises:
        UsageError: The place is invalid.
    """
    place = place.strip()
    if kind is TargetKind.LSL:
        if len(place) > _MOST or not (place or PLACES[kind]).isprintable():
            raise UsageError("the name of an LSL stream has at most 200 letters, all printable")
        return StreamTarget(kind, place or PLACES[kind])
    _, default_port = PLACES[kind].split(":")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname or LOOPBACK, parts.port
        if parts.netloc != place or "@" in place or not (port is None or 1 <= port <= 65_535):
            raise ValueError(place)
        if len(host) > _MOST or not host.isprintable() or any(c.isspace() for c in host):
            raise ValueError(host)
    except ValueError as error:
        raise UsageError(
            "'{place}' is no place to send to: write HOST:PORT, as {example}, with a port from 1 "
            "to 65535",
            place=place,
            example=PLACES[kind],
        ) from error
    port = port or int(default_port)
    shown = f"[{host}]" if ":" in host else host
    return StreamTarget(kind, f"{shown}:{port}", host, port)
