"""VMC messages, as an OSC server receives them."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from steadymark.engine.core.errors import UsageError
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import ExpressionSettings, ShapeSettings
from steadymark.engine.streaming.first_face import first_face
from steadymark.engine.streaming.pose_axes import unity_quaternion
from steadymark.engine.streaming.sender import Sender
from steadymark.engine.streaming.targets import parse_target
from steadymark.engine.streaming.vmc import TRACKER, VmcMessages, vrm_shapes
from support.fakes.fake_results import lost_face, track_result
from support.fakes.stream_receivers import expressive_face, posed_face

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace

RIGHT, UP, FORWARD = np.eye(3)
Received = list[tuple[str, tuple[Any, ...]]]


def _received(face: TrackedFace, options: str = "", *others: TrackedFace) -> Received:
    """Send a frame and return what an OSC server received."""
    dispatcher_module = pytest.importorskip("pythonosc.dispatcher")
    server_module = pytest.importorskip("pythonosc.osc_server")
    received: Received = []
    complete = Event()

    def receive(address: str, *values: Any) -> None:
        received.append((address, values))
        if address == "/VMC/Ext/Blend/Apply":
            complete.set()

    dispatcher = dispatcher_module.Dispatcher()
    dispatcher.set_default_handler(receive)
    with server_module.BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            port = server.server_address[1]
            sender = Sender(parse_target(f"vmc://127.0.0.1:{port}{options}"))
            sender.open()
            sender.offer(track_result(0, *others, face))
            assert complete.wait(10)
            assert sender.close()
        finally:
            server.shutdown()
            serving.join(10)
    return received


def _shapes(messages: Received) -> dict[str, float]:
    return {v[0]: v[1] for address, v in messages if address == "/VMC/Ext/Blend/Val"}


def test_a_server_receives_head_and_all_shapes_of_the_first_face() -> None:
    first = expressive_face({"jawOpen": 0.5, "browDownLeft": 1.0}, (0.1, -0.3, 0.2), face_id=2)
    received = _received(first, "", posed_face(face_id=5))
    assert received[0] == ("/VMC/Ext/OK", (1, 3, 0, 1))
    assert received[1] == ("/VMC/Ext/Root/Pos", ("root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    bone = received[2]
    assert bone[0] == "/VMC/Ext/Bone/Pos"
    assert bone[1][:4] == ("Head", 0.0, 0.0, 0.0)
    assert first.pose is not None
    assert bone[1][4:] == pytest.approx(unity_quaternion(first.pose), abs=1e-6)
    values = _shapes(received)
    assert tuple(values) == SHAPES
    shown = {name: value for name, value in values.items() if value}
    assert shown == {"jawOpen": 0.5, "browDownLeft": 1.0}
    assert received[-1] == ("/VMC/Ext/Blend/Apply", ())


def test_a_shape_that_is_unknown_is_sent_as_zero() -> None:
    values = _shapes(VmcMessages().of(expressive_face({"jawOpen": float("nan"), "jawLeft": 0.5})))
    assert values["jawOpen"] == 0
    assert values["jawLeft"] == 0.5


def test_avatars_without_arkit_shapes_get_eyelids_and_vowels() -> None:
    received = _received(expressive_face({"eyeBlinkLeft": 1.0, "jawOpen": 0.5}), "?shapes=vrm")
    values = _shapes(received)
    assert values == {"Blink_L": 1, "Blink_R": 0, "A": 0.5, "I": 0, "U": 0, "E": 0, "O": 0}


@pytest.mark.parametrize(
    ("strengths", "vowel"),
    [
        ({"jawOpen": 1.0}, "A"),
        ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "I"),
        ({"mouthPucker": 1.0}, "U"),
        ({"jawOpen": 1.0, "mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "E"),
        ({"jawOpen": 1.0, "mouthFunnel": 1.0}, "O"),
    ],
)
def test_each_vowel_has_its_mouth(strengths: dict[str, float], vowel: str) -> None:
    values = vrm_shapes(dict.fromkeys(SHAPES, 0.0) | strengths)
    assert {name for name, value in values.items() if value} == {vowel}


def test_vowels_never_add_up_to_more_than_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        values = vrm_shapes(dict(zip(SHAPES, random.uniform(0, 1, len(SHAPES)), strict=True)))
        assert min(values.values()) >= 0
        assert sum(values[vowel] for vowel in "AIUEO") <= 1 + 1e-9


@pytest.mark.parametrize(
    ("turn", "axis", "expected"),
    [
        ((0.3, 0.0, 0.0), FORWARD, -UP),  # pitch: looks down
        (
            (0.0, 0.3, 0.0),
            FORWARD,
            RIGHT,
        ),  # yaw: to the image's left, which is the person's right
        ((0.0, 0.0, 0.3), UP, -RIGHT),  # roll: clockwise as seen
    ],
)
def test_the_head_rotates_like_the_person(
    turn: tuple[float, float, float], axis: Any, expected: Any
) -> None:
    pose = posed_face(turn).pose
    assert pose is not None
    rotated = Rotation.from_quat(unity_quaternion(pose)).apply(axis)
    assert rotated @ expected == pytest.approx(np.sin(0.3), abs=0.02)
    assert rotated @ axis == pytest.approx(np.cos(0.3), abs=0.02)


def test_the_head_moves_in_metres_from_where_it_was_first() -> None:
    messages = VmcMessages()
    messages.of(expressive_face({}, place_mm=(10.0, 20.0, 700.0)))
    moved = expressive_face({}, place_mm=(110.0, 70.0, 500.0))
    # 10 cm to the right of the picture, 5 cm down, 20 cm nearer
    assert messages.of(moved)[1][1][1:4] == pytest.approx((-0.1, -0.05, 0.2))
    assert messages.of(moved)[2][1][1:4] == (0.0, 0.0, 0.0)
    messages.place.choose_next()
    assert messages.of(moved)[1][1][1:4] == pytest.approx((0.0, 0.0, 0.0))


def test_another_person_has_a_neutral_place_of_their_own() -> None:
    messages = VmcMessages()
    messages.of(expressive_face({}, place_mm=(10.0, 20.0, 700.0), face_id=1))
    other = expressive_face({}, place_mm=(110.0, 70.0, 500.0), face_id=2)
    assert messages.of(other)[1][1][1:4] == (0.0, 0.0, 0.0)


def test_the_place_can_be_a_tracker_or_left_out() -> None:
    turned = expressive_face({}, (0.1, 0.2, 0.3))
    assert turned.pose is not None
    tracker = VmcMessages(position="tracker").of(turned)[1]
    assert tracker == (
        "/VMC/Ext/Tra/Pos",
        (TRACKER, 0.0, 0.0, 0.0, *unity_quaternion(turned.pose)),
    )
    addresses = [address for address, _ in VmcMessages(position="none").of(turned)]
    assert addresses[:2] == ["/VMC/Ext/OK", "/VMC/Ext/Bone/Pos"]


def test_a_mirrored_avatar_moves_to_the_other_side() -> None:
    messages = VmcMessages()
    messages.settings = ExpressionSettings(mirrored=True).with_shape("jawLeft", ShapeSettings(0.5))
    messages.of(expressive_face({}))
    face = expressive_face(
        {"eyeBlinkLeft": 1.0, "jawLeft": 1.0}, (0.1, 0.2, 0.3), place_mm=(50.0, 0.0, 700.0)
    )
    assert face.pose is not None
    sent = messages.of(face)
    assert sent[1][1][1:4] == pytest.approx((0.05, 0.0, 0.0))
    x, y, z, w = unity_quaternion(face.pose)
    assert sent[2][1][4:] == pytest.approx((x, -y, -z, w))
    shown = {name: value for name, value in _shapes(sent).items() if value}
    assert shown == {"eyeBlinkRight": 1.0, "jawRight": 0.5}


def test_settings_that_change_during_sending_are_used() -> None:
    messages = VmcMessages()
    face = expressive_face({"jawOpen": 0.4})
    assert _shapes(messages.of(face))["jawOpen"] == pytest.approx(0.4)
    messages.settings = ExpressionSettings().with_shape("jawOpen", ShapeSettings(2.0))
    assert _shapes(messages.of(face))["jawOpen"] == pytest.approx(0.8)


def test_no_other_face_is_sent_while_the_first_is_lost() -> None:
    result = track_result(0, posed_face(face_id=3), lost_face(1))
    assert first_face(result) is None
    assert VmcMessages().of(first_face(result)) == [("/VMC/Ext/OK", (1, 3, 0, 0))]
    assert first_face(track_result(0)) is None


def test_a_face_without_expressions_is_not_tracked() -> None:
    for face in (posed_face(), replace(posed_face(), attributes=None)):
        assert VmcMessages().of(face) == [("/VMC/Ext/OK", (1, 3, 0, 0))]


def test_an_unknown_option_is_refused_with_those_that_exist() -> None:
    for text in ("vmc://127.0.0.1:39540?shapes=vrn", "vmc://?colour=1", "vmc://?", "vmc://?a&b"):
        with pytest.raises(UsageError, match=r"is no option.*shapes=arkit, shapes=vrm, position="):
            parse_target(text)


def test_options_that_are_not_the_default_are_part_of_the_address() -> None:
    target = parse_target("vmc://?position=none&shapes=vrm")
    assert str(target) == "vmc://127.0.0.1:39540?shapes=vrm&position=none"
    assert target.port == 39540
    assert parse_target(str(target)) == target
    assert str(parse_target("vmc://?shapes=arkit")) == "vmc://127.0.0.1:39540"
    assert hash(target) == hash(parse_target(str(target)))
