"""Packets of Live Link Face, as PyLiveLinkFace and the add-ons that use it decode them."""

from __future__ import annotations

import math
import struct
import time
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from steadymark.engine.core.errors import PacketError
from steadymark.engine.core.types import TrackResult
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    ExpressionSettings,
    character_face,
)
from steadymark.engine.expressions.live_link_values import COLUMNS, live_link_values
from steadymark.engine.streaming.live_link import (
    SUBJECT,
    live_link_packet,
    parse_live_link_packet,
)
from steadymark.engine.streaming.sender import Sender
from steadymark.engine.streaming.targets import parse_target
from support.fakes.fake_results import lost_face, track_result
from support.fakes.stream_receivers import address_of, expressive_face, posed_face, receiver

# The places of the values in Unreal's EARFaceBlendShape.
UNREAL = {
    "EyeBlinkLeft": 0, "EyeBlinkRight": 7, "JawForward": 14, "JawLeft": 15, "JawRight": 16,
    "JawOpen": 17, "MouthClose": 18, "MouthLeft": 21, "MouthRight": 22, "MouthSmileLeft": 23,
    "BrowDownLeft": 41, "TongueOut": 51, "HeadYaw": 52, "HeadPitch": 53, "HeadRoll": 54,
    "RightEyeRoll": 60,
}  # fmt: skip


def _decoded(data: bytes) -> tuple[str, str, float, tuple[float, ...]]:
    """Decode with fixed offsets: version, `$` (which is the length 36) and UUID, name, time."""
    assert data[:4] == b"\x06\x00\x00\x00"
    device = data[4:41].decode()
    (length,) = struct.unpack("!i", data[41:45])
    end = 45 + length
    name = data[45:end].decode()
    frame, fraction, rate, denominator, count = struct.unpack("!ifiib", data[end : end + 17])
    assert (rate, denominator, count) == (60, 1, 61)
    return device, name, (frame + fraction) / 60, struct.unpack("!61f", data[end + 17 :])


def test_a_receiver_decodes_shapes_head_and_time() -> None:
    strengths = {"jawLeft": 0.25, "mouthRight": 0.5, "tongueOut": 1.0, "eyeBlinkLeft": 0.75}
    face = expressive_face(strengths, (0.1, 0.3, -0.2), face_id=1)
    captured_s = time.perf_counter() - 0.5
    result = track_result(0, face, posed_face(face_id=2))
    result = TrackResult(replace(result.frame, captured_s=captured_s), result.faces)
    with receiver() as socket:
        sender = Sender(parse_target(f"livelink://{address_of(socket)}"))
        sender.open()
        sender.offer(result)
        data = socket.recv(65535)
        assert sender.close()
    device, name, time_s, values = _decoded(data)
    assert device[0] == "$"
    assert len(device) == 37
    assert name == SUBJECT
    now = datetime.now().astimezone()
    since_midnight_s = now.hour * 3600 + now.minute * 60 + now.second
    assert -2 < (since_midnight_s - time_s + 43_200) % 86_400 - 43_200 < 15
    named = {shape: values[place] for shape, place in UNREAL.items()}
    assert named["JawLeft"] == 0.25
    assert named["MouthRight"] == 0.5
    assert named["TongueOut"] == 1.0
    assert named["EyeBlinkLeft"] == 0.75
    assert named["HeadYaw"] == pytest.approx(0.3, abs=0.05)
    assert np.count_nonzero(values) == 4 + 3
    parsed = parse_live_link_packet(data)
    assert parsed.subject == SUBJECT
    assert parsed.time_s == pytest.approx(time_s)
    assert {shape: parsed.values[shape] for shape in UNREAL} == named


def test_the_eyes_turn_where_the_shapes_say_that_they_look() -> None:
    face = expressive_face({"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookUpLeft": 1.0})
    shown = character_face(face, AS_MEASURED)
    assert shown is not None
    values = dict(zip(COLUMNS, live_link_values(shown).tolist(), strict=True))
    half, full = math.radians(17.5), math.radians(30)  # to the person's left; up
    assert values["LeftEyeYaw"] == pytest.approx(-half)
    assert values["RightEyeYaw"] == pytest.approx(-half)
    assert values["LeftEyePitch"] == pytest.approx(full)
    assert [values[f"{eye}EyeRoll"] for eye in ("Left", "Right")] == [0, 0]
    assert values["RightEyePitch"] == 0


def test_the_settings_of_expressions_apply() -> None:
    face = expressive_face({"jawLeft": 0.25}, (0.0, 0.3, 0.0))
    with receiver() as socket:
        target = parse_target(f"livelink://{address_of(socket)}")
        sender = Sender(target, expressions=ExpressionSettings(mirrored=True))
        sender.open()
        sender.offer(track_result(0, face))
        values = parse_live_link_packet(socket.recv(65535)).values
        assert sender.close()
    assert (values["JawLeft"], values["JawRight"]) == (0, 0.25)
    assert values["HeadYaw"] == pytest.approx(-0.3)


def test_nothing_is_sent_while_the_face_is_lost() -> None:
    with receiver() as socket:
        sender = Sender(parse_target(f"livelink://{address_of(socket)}"))
        sender.open()
        sender.offer(track_result(0, lost_face(1), expressive_face({}, face_id=2)))
        assert sender.close()
        sent = sender.report.sent
        socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            socket.recv(65535)
    assert sent == 0


def test_every_value_keeps_its_name() -> None:
    values = np.arange(61) / 64
    packet = parse_live_link_packet(live_link_packet(values, 12.5, "Größe"))
    assert [packet.values[name] for name in COLUMNS] == values.tolist()
    assert (packet.subject, packet.time_s) == ("Größe", 12.5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06",
        b"\x05" + live_link_packet(np.zeros(61), 0.0)[1:],
        live_link_packet(np.zeros(61), 0.0)[:-1],
        live_link_packet(np.zeros(61), 0.0) + b"\x00",
        live_link_packet(np.full(61, np.nan), 0.0),
        b"\x06\xff\xff\xff\xff" + bytes(300),
        b"\x06\x7f\xff\xff\xff" + bytes(300),
        b"\x06\x00\x00\x00\x02\xff\xff" + bytes(300),
    ],
)
def test_other_data_are_refused(data: bytes) -> None:
    with pytest.raises(PacketError, match="no packet of Live Link Face"):
        parse_live_link_packet(data)
