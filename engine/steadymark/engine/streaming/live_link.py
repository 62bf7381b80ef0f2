"""UDP packets of Epic's Live Link Face app, which Unreal reads (Apple ARKit Face Support).

All numbers are big-endian, and a text is its length (int32) and its UTF-8 bytes. A packet has the
version (uint8, 6), the id of the device (a UUID as text), the name of the subject (text), the time
as a frame (int32) with its fraction (float32), the frame rate as a fraction (two int32), the number
of values (uint8, 61), and the values (float32). Source: the packets that PyLiveLinkFace
(https://github.com/JimWest/PyLiveLinkFace) reads and writes. The app's packets list left before
right for jaw and mouth, and its CSV files the other way round.
"""

from __future__ import annotations

import struct
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import PacketError
from steadymark.engine.expressions.expression_settings import AS_MEASURED, character_face
from steadymark.engine.expressions.live_link_values import COLUMNS, live_link_values
from steadymark.engine.streaming.first_face import first_face
from steadymark.engine.streaming.targets import LOOPBACK, TARGETS, TargetKind
from steadymark.engine.streaming.udp import UdpSocket
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings, Floats
    from steadymark.engine.streaming.targets import StreamTarget

SUBJECT = "Steadymark"
_VERSION = 6
_DEVICE = str(uuid.uuid5(uuid.NAMESPACE_OID, "steadymark"))
_RATE = 60  # frames per second of the times
_SWAPPED = {"JawRight": "JawLeft", "JawLeft": "JawRight", "MouthRight": "MouthLeft"}
_SWAPPED["MouthLeft"] = "MouthRight"
_NAMES = tuple(_SWAPPED.get(name, name) for name in COLUMNS)
_ORDER = [COLUMNS.index(name) for name in _NAMES]
_TAIL = struct.Struct(f">ifiiB{len(COLUMNS)}f")


@dataclass(frozen=True, slots=True)
class LiveLinkPacket:
    """A packet with a face.

    Attributes:
        device: Id of the device.
        subject: Name of the subject in Unreal.
        time_s: Time of the day in seconds.
        values: The 61 values by the names of `expressions.live_link_values.COLUMNS`.
    """

    device: str
    subject: str
    time_s: float
    values: dict[str, float]


def live_link_packet(values: Floats, time_s: float, subject: str = SUBJECT) -> bytes:
    """Encode a packet.

    Args:
        values: (61,) values in the order of `expressions.live_link_values.COLUMNS`.
        time_s: Time of the day in seconds.
        subject: Name of the subject in Unreal.

    Returns:
        The packet.
    """
    frame, fraction = divmod(time_s * _RATE, 1)
    ordered = values[_ORDER].tolist()
    tail = _TAIL.pack(int(frame), fraction, _RATE, 1, len(COLUMNS), *ordered)
    return struct.pack(">B", _VERSION) + _text(_DEVICE) + _text(subject) + tail


def parse_live_link_packet(data: bytes) -> LiveLinkPacket:
    """Decode a packet.

    Args:
        data: The datagram.

    Returns:
        The packet.

    Raises:
        PacketError: The data are no such packet, or one without a face.
    """
    if data[:1] != bytes([_VERSION]):
        raise _no_packet()
    device, at = _read_text(data, 1)
    subject, at = _read_text(data, at)
    if len(data) != at + _TAIL.size:
        raise _no_packet()
    frame, fraction, rate, denominator, count, *values = _TAIL.unpack_from(data, at)
    if count != len(COLUMNS) or rate <= 0 or denominator <= 0 or not np.isfinite(values).all():
        raise _no_packet()
    time_s = (frame + fraction) * denominator / rate
    return LiveLinkPacket(device, subject, time_s, dict(zip(_NAMES, values, strict=True)))


class LiveLinkWriter:
    """Sends the first face of each frame; while it is lost, nothing is sent."""

    def __init__(self, target: StreamTarget) -> None:
        self.socket = UdpSocket(target)
        self._expressions: ExpressionSettings = AS_MEASURED
        self._since_1970_s = 0.0

    def open(self) -> None:
        self.socket.open()
        self._since_1970_s = time.time() - time.perf_counter()

    def send(self, result: TrackResult) -> tuple[int, int]:
        face = first_face(result)
        shown = None if face is None else character_face(face, self._expressions)
        if shown is None:
            return 0, 0
        time_s = self._since_1970_s + (result.frame.captured_s or time.perf_counter())
        accepted = self.socket.send(live_link_packet(live_link_values(shown), _of_day(time_s)))
        return int(accepted), int(not accepted)

    @property
    def has_receiver(self) -> bool | None:
        return self.socket.has_receiver

    def use_expressions(self, settings: ExpressionSettings) -> None:
        self._expressions = settings

    def close(self) -> None:
        self.socket.close()


def _of_day(since_1970_s: float) -> float:
    """Return the local time of the day in seconds."""
    at = datetime.fromtimestamp(since_1970_s).astimezone()
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return (at - midnight).total_seconds()


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack(">i", len(data)) + data


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text at a place, and the place behind it."""
    start = at + 4
    if len(data) < start:
        raise _no_packet()
    (length,) = struct.unpack_from(">i", data, at)
    if not 0 <= length <= len(data) - start:
        raise _no_packet()
    try:
        return data[start : start + length].decode("utf-8"), start + length
    except UnicodeDecodeError as error:
        raise _no_packet() from error


def _no_packet() -> PacketError:
    return PacketError("the data are no packet of Live Link Face with a face")


TARGETS.add(
    TargetKind(
        "livelink",
        UserText("Live Link Face"),
        UserText(
            "Expressions and head rotation of the first face, as the Live Link Face app sends "
            "them, for Unreal and add-ons of Blender."
        ),
        f"{LOOPBACK}:11111",
        LiveLinkWriter,
    )
)
