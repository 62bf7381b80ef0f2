"""Packets in the format of OpenSeeFace, as a receiver gets them."""

from __future__ import annotations

import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.errors import PacketError
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import TrackedFace, TrackResult
from steadymark.engine.expressions.expression_settings import ExpressionSettings
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.osf import FEATURES, LAYOUT, osf_packet, parse_osf_packet
from steadymark.engine.streaming.pose_axes import OsfPose, unit_mm
from steadymark.engine.streaming.sender import Sender
from steadymark.engine.streaming.targets import parse_target
from steadymark.models.face.schema import IBUG68, load_schema
from support.fakes.fake_results import lost_face, track_result, tracked_face
from support.fakes.stream_receivers import CAMERA, address_of, posed_face, receiver

FRAME = track_result(0, size=(640, 480)).frame_with_image
# As OpenSeeFace's own sender and receiver write and read it, one field after the other.
FORMAT = "<di2f2fBf4f3f3f68f136f210f14f"


def test_each_tracked_face_is_sent_in_its_own_datagram() -> None:
    faces = (posed_face((0.1, 0.2, 0.3), face_id=3), lost_face(1), tracked_face(7))
    result = track_result(0, *faces, size=(640, 480))
    with receiver() as socket:
        sender = Sender(parse_target(f"osf://{address_of(socket)}"))
        sender.open()
        sender.offer(result)
        received = [socket.recv(65535) for _ in range(2)]
        assert sender.close()
    assert sender.report.sent == 2
    for data, face in zip(received, (faces[0], faces[2]), strict=True):
        (values,) = parse_osf_packet(data)
        assert values.face_id == face.face_id
        assert values.size == (640, 480)
        assert values.success
        assert face.stabilized is not None
        kept = [i for i in range(68) if i not in (48, 54)]
        assert np.array_equal(values.points_px[:66], face.stabilized.xy_px[kept])
        assert np.array_equal(values.confidence[:66], face.stabilized.score[kept])
        assert list(values.confidence[66:]) == [0, 0]
        assert len(data) == struct.calcsize(FORMAT) == LAYOUT.itemsize == 1785
        plain = struct.unpack(FORMAT, data)
        assert plain[1] == face.face_id
        assert plain[18 + 68 : 18 + 68 + 136] == tuple(values.points_px.ravel())
        assert plain[-14:] == tuple(values.features.values())


def test_the_time_is_that_of_the_capture() -> None:
    import time

    result = track_result(0, posed_face())
    captured = replace(result.frame, captured_s=time.perf_counter() - 0.5)
    with receiver() as socket:
        sender = Sender(parse_target(f"osf://{address_of(socket)}"))
        sender.open()
        sender.offer(TrackResult(captured, result.faces))
        (values,) = parse_osf_packet(socket.recv(65535))
        now_s = time.time()
        sender.close()
    assert 0.4 < now_s - values.time_s < 15


def test_3d_points_match_the_mean_face_of_openseeface() -> None:
    """OpenSeeFace's mean face: x to the person's right, y up, relative to the tip of the nose."""
    (values,) = parse_osf_packet(
        osf_packet(posed_face(), track_result(0, size=(640, 480)).frame_with_image, 0.0)
    )
    expected = {
        0: (0.502, 0.280),
        8: (0.002, -0.555),
        16: (-0.502, 0.280),
        17: (0.445, 0.384),
        36: (0.330, 0.283),
        45: (-0.330, 0.283),
        48: (0.109, -0.143),
        52: (-0.109, -0.143),
        55: (0.0, -0.296),
        58: (0.150, -0.169),
        60: (0.0, -0.189),
        62: (-0.150, -0.169),
        64: (0.0, -0.212),
        66: (0.258, 0.276),
        69: (-0.258, 0.276),
    }
    actual = values.points_3d * (1, -1, -1)
    for number, (x, y) in expected.items():
        assert np.hypot(*(actual[number, :2] - (x, y))) < 0.12, number
    assert np.all(actual[68:, 2] < actual[66:68, 2])  # eyeballs behind the lids
    assert np.allclose(actual[30], 0)


@pytest.mark.parametrize(
    "turn", [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, 0.3, 0.0), (0.1, -0.2, 0.3)]
)
def test_poses_match_those_that_openseeface_computes(turn: tuple[float, float, float]) -> None:
    """OpenCV's PnP from 0 on swapped axes; seen from far away, where perspective hardly matters."""
    face = posed_face(turn, place_mm=(0.0, 0.0, 3000.0))
    assert face.pose is not None
    assert face.stabilized is not None
    indices = [0, 1, 8, 15, 16, *range(27, 36)]
    model = (mean_face()[30] - mean_face())[indices] / unit_mm()
    focal, (x, y) = CAMERA.focal, CAMERA.matrix[:2, 2]
    swapped = np.array([[focal, 0, y], [0, focal, x], [0, 0, 1]])
    zero = np.zeros((3, 1))
    _, rotation, translation = cv2.solvePnP(
        model,
        face.stabilized.xy_px[indices][:, ::-1].astype(np.float64),
        swapped,
        None,
        zero.copy(),
        zero.copy(),
        True,
        cv2.SOLVEPNP_ITERATIVE,
    )
    expected_matrix, _ = cv2.Rodrigues(rotation)
    osf_pose = OsfPose(face.pose)
    difference, _ = cv2.Rodrigues(np.asarray(expected_matrix, np.float64) @ osf_pose.matrix.T)
    assert np.degrees(np.linalg.norm(difference)) < 5
    assert np.abs(osf_pose.translation - translation.ravel()).max() < 0.1 * abs(
        osf_pose.translation[2]
    )


@pytest.mark.parametrize("turn", [(0.1, 0.3, 0.2), (-0.3, 0.2, -0.2)])
def test_angles_and_quaternion_match_the_rotation_matrix(turn: tuple[float, float, float]) -> None:
    pose = posed_face(turn).pose
    assert pose is not None
    osf = OsfPose(pose)
    assert np.allclose(osf.euler_deg, cv2.RQDecomp3x3(osf.matrix)[0], atol=1e-3)
    x, y, z, w = osf.quaternion
    transposed = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    assert np.allclose(transposed.T, osf.matrix)


def test_a_face_without_a_pose_is_marked_as_unsuccessful() -> None:
    face = replace(posed_face(), attributes=None)
    (values,) = parse_osf_packet(osf_packet(face, track_result(0).frame_with_image, 0.0))
    assert not values.success
    assert (values.right_open, values.left_open) == (1, 1)
    assert not values.points_3d.any()
    assert values.points_px[:66].any()


@pytest.mark.parametrize("lids", [[37, 38], [43, 44]], ids=["right", "left"])
def test_the_closed_eye_is_reported_on_its_side(lids: list[int]) -> None:
    """Right and left are the person's: iBUG's right eye (36…41) is at the left of the image."""
    solid = mean_face().copy()
    solid[lids] = solid[[lid + (4 if lid % 6 == 1 else 2) for lid in lids]]  # onto the lower lids
    values = struct.unpack(
        FORMAT, osf_packet(posed_face(solid=solid), track_result(0).frame_with_image, 0.0)
    )
    right, left = values[4:6]
    closed, open_ = (right, left) if lids == [37, 38] else (left, right)
    assert closed < 0.1
    assert open_ > 0.9


def test_several_faces_in_a_datagram_are_parsed() -> None:
    frame = track_result(0).frame_with_image
    both = osf_packet(posed_face(face_id=1), frame, 1.0) + osf_packet(
        posed_face(face_id=2), frame, 2.0
    )
    assert [(face.face_id, face.time_s) for face in parse_osf_packet(both)] == [(1, 1.0), (2, 2.0)]
    assert tuple(parse_osf_packet(both)[0].features) == FEATURES
    assert FEATURES[:4] == ("eye_l", "eye_r", "eyebrow_steepness_l", "eyebrow_updown_l")
    assert FEATURES[8:] == (
        "mouth_corner_updown_l",
        "mouth_corner_inout_l",
        "mouth_corner_updown_r",
        "mouth_corner_inout_r",
        "mouth_open",
        "mouth_wide",
    )


@pytest.mark.parametrize("size", [0, 1, 1784, 1786, 1785 * 37])
def test_packets_of_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(PacketError, match="1785 bytes a face"):
        parse_osf_packet(bytes(size))


def _looking(
    gaze: tuple[float, float],
    *,
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
    hidden: tuple[int, ...] = (),
) -> TrackedFace:
    """A face with pupils on eyeballs, turned by degrees to its left and down; hidden: eyes."""
    face = posed_face(turn, place_mm=(30.0, -20.0, 600.0))
    assert face.pose is not None
    assert face.attributes is not None
    sideways, down = np.radians(gaze)
    looks = np.array(
        [np.sin(sideways) * np.cos(down), np.sin(down), -np.cos(sideways) * np.cos(down)]
    )
    pupils = np.full((2, 2), np.nan)
    for eye, (outer, inner) in enumerate(((36, 39), (42, 45))):
        corners = mean_face()[[outer, inner]]
        radius = 0.385 * np.linalg.norm(corners[0] - corners[1])
        ball = corners.mean(0) + np.array((0, 0, radius))
        if eye not in hidden:
            pupils[eye] = face.pose.project((ball + radius * looks)[None])[0]
    context = replace(face.attributes.context, pupils=Pupils(pupils, np.array([0.75, 0.5])))
    return replace(face, attributes=replace(face.attributes, context=context))


def _gaze_deg(points_3d: np.ndarray, eye: int) -> tuple[float, float]:
    """What a receiver computes from eyeball and pupil: degrees to the person's left, and down."""
    right, down, deep = points_3d[66 + eye] - points_3d[68 + eye]
    return float(np.degrees(np.arctan2(-right, -deep))), float(
        np.degrees(np.arcsin(down / np.linalg.norm((right, down, deep))))
    )


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.1, 0.35, -0.2)])
@pytest.mark.parametrize("gaze", [(0.0, 0.0), (20.0, 0.0), (-25.0, 10.0), (5.0, -15.0)])
def test_receivers_compute_the_gaze_from_pupils_and_eyeballs(
    gaze: tuple[float, float], turn: tuple[float, float, float]
) -> None:
    face = _looking(gaze, turn=turn)
    assert face.attributes is not None
    assert face.attributes.context.pupils is not None
    (values,) = parse_osf_packet(osf_packet(face, FRAME, 0.0))
    for eye in (0, 1):
        assert _gaze_deg(values.points_3d, eye) == pytest.approx(gaze, abs=0.1)
    assert list(values.confidence[66:]) == [0.75, 0.5]
    assert np.allclose(values.points_px[66:], face.attributes.context.pupils.xy_px, atol=1e-3)


def test_an_eye_whose_pupil_is_unknown_looks_ahead_with_confidence_0() -> None:
    (values,) = parse_osf_packet(osf_packet(_looking((20.0, 0.0), hidden=(1,)), FRAME, 0.0))
    assert list(values.confidence[66:]) == [0.75, 0]
    assert _gaze_deg(values.points_3d, 0) == pytest.approx((20.0, 0.0), abs=0.1)
    assert _gaze_deg(values.points_3d, 1) == pytest.approx((0.0, 0.0), abs=0.1)
    assert np.isfinite(values.points_px).all()


def test_3d_points_have_the_depths_of_the_fitted_face() -> None:
    """A longer nose: the mean face has it 12 mm shorter."""
    face = posed_face((0.05, 0.3, 0.0))
    assert face.stabilized is not None
    fitted = with_points(face, face.stabilized)
    assert fitted.attributes is not None
    fit = fitted.attributes.context.fit
    assert fit is not None
    shape = fit.shape.copy()
    shape[30] -= (0, 0, 12)
    assert fitted.pose is not None
    points = fitted.pose.project(shape).astype(np.float32)
    context = replace(fitted.attributes.context, fit=replace(fit, shape=shape))
    seen = replace(
        fitted,
        stabilized=replace(face.stabilized, xy_px=points),
        attributes=replace(fitted.attributes, context=context),
    )
    (values,) = parse_osf_packet(osf_packet(seen, FRAME, 0.0))
    kept = [i for i in range(68) if i not in (48, 54)]
    expected = (shape[kept] - shape[30]) * (-1, 1, 1) / unit_mm()
    assert np.allclose(values.points_3d[:66], expected, atol=2e-3)
    assert values.error_px < 0.01


def test_a_mirrored_packet_is_that_of_the_mirrored_picture() -> None:
    turn, lids = (0.1, 0.3, -0.2), [43, 44]  # the person's left eye is shut
    solid = mean_face().copy()
    solid[lids] = solid[[47, 46]]
    face = posed_face(turn, place_mm=(40.0, 10.0, 650.0), solid=solid)
    swapped = solid[ibug_mirror()] * (-1, 1, 1)
    other = posed_face((turn[0], -turn[1], -turn[2]), place_mm=(-40.0, 10.0, 650.0), solid=swapped)
    assert face.stabilized is not None
    assert other.stabilized is not None
    other = replace(
        other,
        stabilized=replace(other.stabilized, score=face.stabilized.score[ibug_mirror()]),
    )
    (sent,) = parse_osf_packet(osf_packet(face, FRAME, 0.0, mirrored=True))
    (expected,) = parse_osf_packet(osf_packet(other, FRAME, 0.0))
    assert sent.right_open < 0.1
    assert sent.left_open > 0.9
    for name in ("quaternion", "euler_deg", "translation", "confidence", "points_px", "points_3d"):
        assert np.allclose(getattr(sent, name), getattr(expected, name), atol=2e-3), name
    assert sent.features == pytest.approx(expected.features, abs=0.1)


def test_mirrored_pupils_look_to_the_other_side() -> None:
    face = _looking((20.0, 5.0), hidden=(1,))
    (values,) = parse_osf_packet(osf_packet(face, FRAME, 0.0, mirrored=True))
    assert list(values.confidence[66:]) == [0, 0.75]
    assert _gaze_deg(values.points_3d, 1) == pytest.approx((-20.0, 5.0), abs=0.1)


def test_a_sender_mirrors_when_its_settings_say_so() -> None:
    face = posed_face(place_mm=(100.0, 0.0, 700.0))
    assert face.stabilized is not None
    with receiver() as socket:
        target = parse_target(f"osf://{address_of(socket)}")
        sender = Sender(target, expressions=ExpressionSettings(mirrored=True))
        sender.open()
        sender.offer(track_result(0, face, size=(640, 480)))
        (values,) = parse_osf_packet(socket.recv(65535))
        assert sender.close()
    assert values.points_px[27, 0] == pytest.approx(639 - face.stabilized.xy_px[27, 0], abs=1e-3)


def ibug_mirror() -> np.ndarray:
    return load_schema(IBUG68).mirror
