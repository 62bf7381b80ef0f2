"""VMC messages, as an OSC server receives them."""

from __future__ import annotations

from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from steadymark.engine.core.errors import SinkError
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.expressions import features, solid_points
from steadymark.engine.streaming.pose_axes import unity_quaternion
from steadymark.engine.streaming.sender import Sender
from steadymark.engine.streaming.targets import parse_target
from steadymark.engine.streaming.vmc import messages, shapes
from support.fakes.fake_results import lost_face, track_result
from support.fakes.stream_receivers import posed_face

RIGHT, UP, FORWARD = np.eye(3)


def test_a_server_receives_head_pose_and_blend_shapes_of_the_first_face() -> None:
    dispatcher_module = pytest.importorskip("pythonosc.dispatcher")
    server_module = pytest.importorskip("pythonosc.osc_server")
    received: list[tuple[str, tuple[Any, ...]]] = []
    complete = Event()

    def receive(address: str, *values: Any) -> None:
        received.append((address, values))
        if address == "/VMC/Ext/Blend/Apply":
            complete.set()

    dispatcher = dispatcher_module.Dispatcher()
    dispatcher.set_default_handler(receive)
    first, second = posed_face((0.1, -0.3, 0.2), face_id=2), posed_face(face_id=5)
    with server_module.BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            sender = Sender(parse_target(f"vmc://127.0.0.1:{server.server_address[1]}"))
            sender.open()
            sender.offer(track_result(0, second, first))
            assert complete.wait(10)
            assert sender.close()
        finally:
            server.shutdown()
            serving.join(10)
    assert received[0] == ("/VMC/Ext/OK", (1, 3, 0, 1))
    bone = received[1]
    assert bone[0] == "/VMC/Ext/Bone/Pos"
    assert bone[1][:4] == ("Head", 0.0, 0.0, 0.0)
    assert first.pose is not None
    assert bone[1][4:] == pytest.approx(unity_quaternion(first.pose), abs=1e-6)
    solid = solid_points(first)
    assert solid is not None
    values = {v[0]: v[1] for a, v in received if a == "/VMC/Ext/Blend/Val"}
    assert values == pytest.approx(shapes(features(solid)), abs=1e-6)
    assert all(0 <= value <= 1 for value in values.values())
    assert received[-1] == ("/VMC/Ext/Blend/Apply", ())


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


def test_blend_shapes_use_the_sides_of_the_person() -> None:
    face = mean_face().copy()
    for upper, lower in ((43, 47), (44, 46)):  # iBUG's 42–47: the person's left
        face[upper] = face[lower] - (0, 1, 0)
    face[[65, 66, 67, 56, 57, 58], 1] += 20
    solid = solid_points(posed_face(solid=face))
    assert solid is not None
    values = shapes(features(solid))
    assert values["Blink_L"] == 1
    assert values["Blink_R"] < 0.05
    assert values["A"] > 0.4


def test_no_other_face_is_sent_while_the_first_is_lost() -> None:
    from steadymark.engine.streaming.first_face import first_face

    result = track_result(0, posed_face(face_id=3), lost_face(1))
    assert first_face(result) is None
    assert messages(first_face(result)) == [("/VMC/Ext/OK", (1, 3, 0, 0))]
    assert first_face(track_result(0)) is None


def test_the_error_for_a_missing_package_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pythonosc.osc_bundle_builder", None)
    with pytest.raises(SinkError, match=r"python-osc.*pip install 'steadymark\[network\]'"):
        Sender(parse_target("vmc")).open()
