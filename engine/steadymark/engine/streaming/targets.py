"""Targets of streaming: parse `osf`, `vmc://192.168.1.5:39540?shapes=vrm` or `lsl://NAME`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.streaming.target_options import joined_place, split_place
from steadymark.models.choice_registry import Registry
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.streaming.target_options import TargetOption

LOOPBACK = "127.0.0.1"
HOST_AND_PORT = UserText("host and port")
_MOST = 200  # Characters of a name.


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """Where results are sent.

    Attributes:
        kind: Name of the protocol, see `TARGETS`.
        place: HOST:PORT, or what the protocol has instead, such as the name of an LSL stream; then
            the options that are not the default, see `target_options`.
        host: Host name or address; empty if the protocol has none.
        port: Port; 0 if the protocol has none.
        options: The value of each option of the protocol.
    """

    kind: str
    place: str
    host: str = ""
    port: int = 0
    options: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.kind}://{self.place}"


class StreamWriter(Protocol):
    """Encodes results for one kind of target and sends them.

    `open` may block. It raises SinkError, or ImportError if a package is missing. `send` never
    blocks and returns the numbers of packets that were sent and lost. `has_receiver` is that of
    `SendReport`. `close` may be called more than once.
    """

    @property
    def has_receiver(self) -> bool | None: ...
    def open(self) -> None: ...
    def send(self, result: TrackResult) -> tuple[int, int]: ...
    def close(self) -> None: ...


@runtime_checkable
class ExpressionWriter(Protocol):
    """A `StreamWriter` that sends relative to a neutral face or place, see `NeutralFace`.

    `choose_neutral` takes the face of the next half second as neutral.
    """

    def choose_neutral(self) -> None: ...


@runtime_checkable
class CharacterWriter(Protocol):
    """A `StreamWriter` that applies expression settings to what it sends.

    `use_expressions` gives the settings of the results that are sent from now on.
    """

    def use_expressions(self, settings: ExpressionSettings) -> None: ...


def network_place(kind: TargetKind, place: str) -> StreamTarget:
    """Parse HOST:PORT; an empty host means this machine, and an empty port the default one.

    Args:
        kind: The protocol.
        place: The place as the user wrote it.

    Returns:
        The target.

    Raises:
        UsageError: The place is invalid.
    """
    _, default_port = kind.place.split(":")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname or LOOPBACK, parts.port
        if parts.netloc != place or "@" in place or not (port is None or 1 <= port <= 65_535):
            raise ValueError(place)
        if len(host) > _MOST or not host.isprintable() or any(c.isspace() for c in host):
            raise ValueError(host)
    except ValueError as error:
        raise UsageError(
            "'{place}' is not an address to send to: write HOST:PORT, for example "
            "{example}, with a port from 1 to 65535",
            place=place,
            example=kind.place,
        ) from error
    port = port or int(default_port)
    shown = f"[{host}]" if ":" in host else host
    return StreamTarget(kind.name, f"{shown}:{port}", host, port)


def stream_name(kind: TargetKind, place: str) -> StreamTarget:
    """Parse the name of a stream; an empty name means the default one.

    Args:
        kind: The protocol.
        place: The name as the user wrote it.

    Returns:
        The target.

    Raises:
        UsageError: The name is too long, or not printable.
    """
    if len(place) > _MOST or not place.isprintable():
        raise UsageError("the name of an LSL stream has at most 200 letters, all printable")
    return StreamTarget(kind.name, place or kind.place)


@dataclass(frozen=True, slots=True)
class TargetKind:
    """A protocol of streaming.

    Attributes:
        name: Name on the command line, such as `osf`.
        label: Name in the window.
        help: What is sent, and who receives it.
        place: Default place, such as `127.0.0.1:11573`.
        writer: Creates the writer of a target; the writer is not open yet.
        parse: Makes a target of the place that the user wrote.
        place_label: What the place is, for the window.
        package: Package that the writer needs and that may be missing; empty if there is none.
        extra: Extra of Steadymark that installs the package; empty if there is none.
        options: What can be chosen besides the place.
    """

    name: str
    label: UserText
    help: UserText
    place: str
    writer: Callable[[StreamTarget], StreamWriter]
    parse: Callable[[TargetKind, str], StreamTarget] = network_place
    place_label: UserText = HOST_AND_PORT
    package: str = ""
    extra: str = ""
    options: tuple[TargetOption, ...] = ()

    def missing(self, error: ImportError) -> SinkError:
        """Return the error that tells how to install the package that the writer needs."""
        package = self.package or error.name
        return SinkError(
            "{kind} needs the package {package}, which cannot be imported ({error}): pip install "
            "'{wanted}'",
            kind=self.label,
            package=package,
            error=error,
            wanted=f"steadymark[{self.extra}]" if self.extra else package,
        )


TARGETS = Registry[TargetKind](
    "streaming target", "steadymark.engine.streaming", first=("osf", "vmc", "lsl")
)


def parse_target(text: str) -> StreamTarget:
    """Parse KIND or KIND://PLACE.

    KIND alone means the default place, which is on this machine for all shipped protocols.

    Args:
        text: The target as the user wrote it.

    Returns:
        The target.

    Raises:
        UsageError: The kind is unknown, or the place is invalid.
    """
    name, mark, place = text.strip().partition("://")
    kinds = TARGETS.all()
    if name not in TARGETS.names() or (mark and not place):
        raise UsageError(
            "cannot send to '{text}': write one of {names}, or where to: {examples}",
            text=text,
            names=", ".join(kind.name for kind in kinds),
            examples=", ".join(f"{kind.name}://{kind.place}" for kind in kinds),
        )
    return target_at(name, place)


def target_at(kind: str, place: str) -> StreamTarget:
    """Create a target; an empty place means the default one.

    Args:
        kind: Name of the protocol.
        place: HOST:PORT, or what the protocol has instead, with options, see `split_place`.

    Returns:
        The target.

    Raises:
        UsageError: The kind is unknown, or the place or an option is invalid.
    """
    found = TARGETS.find(kind)
    place, options = split_place(place.strip(), found.options)
    target = found.parse(found, place)
    if not options:
        return target
    shown = joined_place(target.place, options, found.options)
    return replace(target, place=shown, options=options)


def open_writer(target: StreamTarget) -> StreamWriter:
    """Create the writer of a target; it is not open yet."""
    return TARGETS.find(target.kind).writer(target)
