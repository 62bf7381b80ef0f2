"""glTF and BVH files of moving heads, opened by another library or by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pygltflib
import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import HeadPose, Intrinsics
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import ExpressionSettings, ShapeSettings
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_mesh import load_face_mesh
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.motion.bvh_format import bvh_content, bvh_files
from steadymark.engine.output.motion.gltf_format import gltf_content, gltf_files
from steadymark.engine.output.motion.head_motion import HeadMotion
from steadymark.engine.output.motion.motion_sink import write_motion
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, source_info, track_result, tracked_face

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.floating]

CAMERA = Intrinsics(640, 480)
TIMES_S = np.array([0.0, 0.04, 0.1, 0.14, 0.2, 0.24])
PLACE = np.array([0, 1, 4, 5])  # frames 2 and 3 have no face
LEFT_RAD = -0.5  # yaw of a head that turns to the person's left: to the right of the picture
JAW, BLINK = SHAPES.index("jawOpen"), SHAPES.index("eyeBlinkLeft")
FLOAT, SHORT = pygltflib.FLOAT, pygltflib.UNSIGNED_SHORT
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


def made_motion(name: str = "Face 0", *, known: bool = True) -> HeadMotion:
    """Return a head that turns to its left, nods, and opens its mouth."""
    pose = np.zeros((4, 6))
    pose[:, :3] = (50.0, -20.0, 600.0)
    pose[:, 3:] = [(0, 0, 0), (0.1, 0, 0.2), (0.2, LEFT_RAD, 0), (0.3, LEFT_RAD, 0.1)]
    shapes = np.zeros((4, 52)) if known else np.full((4, 52), np.nan)
    if known:
        shapes[:, JAW] = (0.0, 0.25, 0.5, 1.0)
        shapes[1, BLINK] = 0.75
    return HeadMotion(name, TIMES_S, PLACE, pose, shapes, None, CAMERA)


@dataclass
class OpenedGltf:
    """A glTF file as pygltflib reads it."""

    file: pygltflib.GLTF2

    def array(self, index: int) -> Numbers:
        """Return the (count, width) values of an accessor."""
        accessor = self.file.accessors[index]
        view = self.file.bufferViews[accessor.bufferView]
        kind = {FLOAT: "<f4", SHORT: "<u2"}[accessor.componentType]
        width = WIDTHS[accessor.type]
        data = self.file.binary_blob()
        values = np.frombuffer(data, kind, accessor.count * width, view.byteOffset)
        return values.reshape(accessor.count, width)

    def node(self, name: str) -> int:
        return [node.name for node in self.file.nodes].index(name)

    def channel(self, name: str, path: str) -> tuple[Numbers, Numbers]:
        """Return the times and the values of what is animated."""
        (animation,) = self.file.animations
        node = self.node(name)
        (sampler,) = (
            animation.samplers[each.sampler]
            for each in animation.channels
            if (each.target.node, each.target.path) == (node, path)
        )
        assert sampler.interpolation == "LINEAR"
        return self.array(sampler.input)[:, 0], self.array(sampler.output)


def opened(motions: list[HeadMotion]) -> OpenedGltf:
    return OpenedGltf(pygltflib.GLTF2.load_from_bytes(gltf_content(motions)))


def turned(quaternion: Numbers, points: Numbers) -> Numbers:
    """Return points (n, 3) turned by a quaternion x, y, z, w."""
    vector, w = quaternion[:3], quaternion[3]
    once = np.cross(vector, points) + w * points
    return np.asarray(points + 2 * np.cross(vector, once))


def test_meshes_have_morph_targets_with_arkits_names() -> None:
    gltf = opened([made_motion()])
    mesh = gltf.file.meshes[gltf.file.nodes[gltf.node("Face 0")].mesh]
    assert tuple(mesh.extras["targetNames"]) == SHAPES
    assert len(mesh.weights) == len(SHAPES)
    for primitive in mesh.primitives:
        assert len(primitive.targets) == len(SHAPES)
    jaw = gltf.array(mesh.primitives[0].targets[JAW]["POSITION"])
    np.testing.assert_allclose(jaw, load_face_mesh().shapes[JAW] / 1000, atol=1e-7)


def test_triangles_and_bounds_of_all_meshes_are_valid() -> None:
    gltf = opened([made_motion()])
    for mesh in gltf.file.meshes:
        for primitive in mesh.primitives:
            points = gltf.array(primitive.attributes.POSITION)
            triangles = gltf.array(primitive.indices).reshape(-1, 3)
            assert triangles.max() < len(points)
            a, b, c = points[triangles.T]
            assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0
            normals = gltf.array(primitive.attributes.NORMAL)
            np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    for index, accessor in enumerate(gltf.file.accessors):
        if accessor.min:
            np.testing.assert_allclose(accessor.min, gltf.array(index).min(0))
            np.testing.assert_allclose(accessor.max, gltf.array(index).max(0))


def test_eyeballs_are_seen_from_outside() -> None:
    gltf = opened([made_motion()])
    eye = gltf.file.meshes[gltf.file.nodes[gltf.node("Face 0 left eye")].mesh]
    for primitive in eye.primitives:
        points = gltf.array(primitive.attributes.POSITION)
        a, b, c = points[gltf.array(primitive.indices).reshape(-1, 3).T]
        assert (np.cross(b - a, c - a) * (a + b + c)).sum(1).min() > 0
    assert gltf.file.nodes[gltf.node("Face 0 left eye")].translation[0] > 0.02


def test_the_file_is_a_glb_of_its_own_length() -> None:
    content = gltf_content([made_motion()])
    assert content[:4] == b"glTF"
    assert int.from_bytes(content[8:12], "little") == len(content)
    assert len(content) % 4 == 0


def test_key_frames_have_the_times_of_the_frames_and_a_lost_face_stands_still() -> None:
    gltf = opened([made_motion()])
    for path in ("translation", "rotation", "weights"):
        times, _ = gltf.channel("Face 0", path)
        np.testing.assert_allclose(times, [0.0, 0.04, 0.14, 0.2, 0.24], atol=1e-7)
    rotation = gltf.channel("Face 0", "rotation")[1]
    np.testing.assert_array_equal(rotation[2], rotation[1])
    assert np.abs(rotation[3] - rotation[2]).max() > 0.1


def test_weights_are_the_strengths_of_the_shapes() -> None:
    weights = opened([made_motion()]).channel("Face 0", "weights")[1].reshape(-1, len(SHAPES))
    np.testing.assert_allclose(weights[:, JAW], [0, 0.25, 0.25, 0.5, 1.0])
    np.testing.assert_allclose(weights[:, BLINK], [0, 0.75, 0.75, 0, 0])
    assert np.delete(weights, [JAW, BLINK], axis=1).max() == 0


def test_a_head_that_turns_to_the_persons_left_turns_to_positive_x() -> None:
    _, rotation = opened([made_motion()]).channel("Face 0", "rotation")
    ahead = np.array([[0.0, 0.0, 1.0]])
    assert turned(rotation[0], ahead)[0] == pytest.approx([0, 0, 1], abs=1e-6)
    x, y, z = turned(rotation[3], ahead)[0]
    assert x == pytest.approx(math.sin(-LEFT_RAD), abs=1e-6)
    assert y < -0.1  # It also nods: pitch is positive downwards.
    assert z > 0.5
    np.testing.assert_allclose(np.linalg.norm(rotation, axis=1), 1, atol=1e-6)


def test_the_camera_sees_the_landmarks_where_the_head_pose_projects_them() -> None:
    motion = made_motion()
    gltf = opened([motion])
    node = gltf.file.nodes[gltf.node("Face 0")]
    mesh = gltf.file.meshes[node.mesh]
    points = gltf.array(mesh.primitives[0].attributes.POSITION)[:68]
    lens = gltf.file.cameras[0].perspective
    focal = CAMERA.height / 2 / math.tan(lens.yfov / 2)
    assert lens.aspectRatio == pytest.approx(640 / 480)
    rows = [0, 1, 1, 2, 3]  # of the key frames
    places = gltf.channel("Face 0", "translation")[1]
    turns = gltf.channel("Face 0", "rotation")[1]
    for row, place, turn in zip(rows, places, turns, strict=True):
        x, y, z = (turned(turn, points) + place).T
        seen = np.column_stack((x, -y)) / -z[:, None] * focal + CAMERA.matrix[:2, 2]
        pose = HeadPose.of_values(motion.pose[row], CAMERA)
        assert pose is not None
        wanted = pose.project(load_face_mesh().neutral[:68] * (1, -1, -1))
        np.testing.assert_allclose(seen, wanted, atol=0.01)


def test_rotations_do_not_jump_to_the_opposite_quaternion() -> None:
    angles = np.linspace(-3.1, 3.1, 60)
    pose = np.zeros((60, 6))
    pose[:, 5] = angles
    still = np.zeros((60, 52))
    motion = HeadMotion("spin", np.arange(60) / 30, np.arange(60), pose, still)
    assert (motion.rotation[1:] * motion.rotation[:-1]).sum(1).min() > 0.9


def test_faces_without_expressions_have_poses_alone() -> None:
    gltf = opened([made_motion(known=False)])
    paths = {each.target.path for each in gltf.file.animations[0].channels}
    assert paths == {"translation", "rotation"}


def test_an_unknown_strength_is_the_last_known_one_and_0_before() -> None:
    motion = made_motion()
    motion.strengths[0, BLINK] = np.nan
    motion.strengths[2:, BLINK] = np.nan
    weights = opened([motion]).channel("Face 0", "weights")[1].reshape(-1, len(SHAPES))
    np.testing.assert_allclose(weights[:, BLINK], [0, 0.75, 0.75, 0.75, 0.75])
    np.testing.assert_allclose(weights[:, JAW], [0, 0.25, 0.25, 0.5, 1.0])


def looking_motion() -> HeadMotion:
    """Return a motion whose left eye looks 35° to the person's left, and both 15° up."""
    motion = made_motion()
    motion.strengths[1, SHAPES.index("eyeLookOutLeft")] = 1.0
    motion.strengths[1, [SHAPES.index(f"eyeLookUp{side}") for side in ("Left", "Right")]] = 0.5
    return motion


def test_the_eyes_turn_with_the_shapes_of_the_gaze() -> None:
    gltf = opened([looking_motion()])
    ahead = np.array([[0.0, 0.0, 1.0]])
    up = math.radians(15)
    for side, out in (("left", math.radians(35)), ("right", 0.0)):
        times, turns = gltf.channel(f"Face 0 {side} eye", "rotation")
        np.testing.assert_allclose(times, [0.0, 0.04, 0.14, 0.2, 0.24], atol=1e-7)
        wanted = [math.sin(out) * math.cos(up), math.sin(up), math.cos(out) * math.cos(up)]
        np.testing.assert_allclose(turned(turns[1], ahead)[0], wanted, atol=1e-6)
        np.testing.assert_allclose(turned(turns[0], ahead), ahead, atol=1e-6)
    node = opened([made_motion()])
    assert {each.target.node for each in node.file.animations[0].channels} == {node.node("Face 0")}


def test_each_face_is_a_node_with_the_mesh_of_the_person() -> None:
    identity = np.zeros(len(face_basis().identity))
    identity[0] = 2.0
    other = replace(made_motion("Ada"), identity=identity)
    gltf = opened([made_motion(), other])
    assert len(gltf.file.scenes[0].nodes) == 3  # two faces and the camera
    first, second = (
        gltf.array(
            gltf.file.meshes[gltf.file.nodes[gltf.node(name)].mesh]
            .primitives[0]
            .attributes.POSITION
        )
        for name in ("Face 0", "Ada")
    )
    assert 0.002 < np.abs(first - second).max() < 0.03
    np.testing.assert_allclose(second, load_face_mesh().person(identity).rest / 1000, atol=1e-6)


def test_settings_change_the_shapes_and_mirror_the_head() -> None:
    motion = made_motion()
    settings = ExpressionSettings(mirrored=True).with_shape("eyeBlinkLeft", ShapeSettings(gain=0.5))
    changed = motion.with_settings(settings)
    right = SHAPES.index("eyeBlinkRight")
    assert changed.strengths[1, right] == pytest.approx(0.375)
    assert changed.strengths[1, BLINK] == 0
    np.testing.assert_allclose(changed.pose[2], [-50, -20, 600, 0.2, -LEFT_RAD, 0])
    assert motion.with_settings(ExpressionSettings()) is motion


# -- BVH


@dataclass
class ReadBvh:
    """What a BVH file says."""

    channels: list[str]
    frame_s: float
    rows: Numbers


def read_bvh(content: bytes) -> ReadBvh:
    """Read a BVH file whose root is the head."""
    lines = [line.split() for line in content.decode("ascii").splitlines()]
    assert lines[:2] == [["HIERARCHY"], ["ROOT", "Head"]]
    channels = []
    for line in lines:
        if line[0] == "CHANNELS":
            assert int(line[1]) == len(line[2:])
            channels += line[2:]
    start = lines.index(["MOTION"])
    rows = np.array(lines[start + 3 :], float)
    assert lines[start + 1] == ["Frames:", str(len(rows))]
    assert lines[start + 2][:2] == ["Frame", "Time:"]
    assert rows.shape[1] == len(channels)
    return ReadBvh(channels, float(lines[start + 2][2]), rows)


def bvh_matrix(channels: list[str], row: Numbers, joint: int = 0) -> Numbers:
    """Return the rotation of a joint in a frame: the product in the order of its channels."""
    matrix = np.eye(3)
    part = slice(3 + 3 * joint, 6 + 3 * joint)
    for channel, degrees in zip(channels[part], row[part], strict=True):
        angles = [0.0, 0.0, 0.0]
        angles["XYZ".index(channel[0])] = math.radians(degrees)
        matrix = matrix @ rotation_matrix((angles[0], angles[1], angles[2]))
    return matrix


def test_bvh_frames_have_the_median_rate_and_the_length_of_the_video() -> None:
    bvh = read_bvh(bvh_content(made_motion()))
    assert bvh.frame_s == pytest.approx(0.04)  # of 0.04, 0.06, 0.04, 0.06, 0.04
    assert len(bvh.rows) == 7
    np.testing.assert_allclose(bvh.rows[:, :3], np.tile([5.0, 2.0, -60.0], (7, 1)), atol=1e-4)


def test_bvh_rotations_are_those_of_the_poses() -> None:
    motion = made_motion()
    bvh = read_bvh(bvh_content(motion))
    flip = np.diag([1.0, -1.0, -1.0])
    for frame, row in ((0, 0), (1, 1), (6, 3)):  # times 0, 0.04 and 0.24 s
        pitch, yaw, roll = motion.pose[row, 3:].tolist()
        wanted = flip @ rotation_matrix((pitch, yaw, roll)) @ flip
        np.testing.assert_allclose(bvh_matrix(bvh.channels, bvh.rows[frame]), wanted, atol=1e-4)
    assert bvh.rows[6][bvh.channels.index("Yrotation")] > 20  # to the person's left


def test_eyes_are_joints_of_bvh_if_they_ever_turn() -> None:
    bvh = read_bvh(bvh_content(looking_motion()))
    assert len(bvh.channels) == 12
    up, out = math.radians(15), math.radians(35)
    x, y, z = bvh_matrix(bvh.channels, bvh.rows[1], joint=1) @ (0, 0, 1)
    assert (x, y, z) == pytest.approx(
        (math.sin(out) * math.cos(up), math.sin(up), math.cos(out) * math.cos(up)), abs=1e-4
    )
    x, y, _ = bvh_matrix(bvh.channels, bvh.rows[1], joint=2) @ (0, 0, 1)
    assert (x, y) == pytest.approx((0, math.sin(up)), abs=1e-4)
    assert len(read_bvh(bvh_content(made_motion())).channels) == 6


def test_a_lost_head_stands_still_in_bvh() -> None:
    rows = read_bvh(bvh_content(made_motion())).rows
    np.testing.assert_array_equal(rows[2], rows[1])  # 0.08 s
    np.testing.assert_array_equal(rows[3], rows[1])  # 0.12 s
    assert np.abs(rows[5] - rows[1]).max() > 5  # 0.2 s


def test_a_single_frame_is_a_file_too() -> None:
    motion = made_motion()
    first = HeadMotion("a", TIMES_S[:1], PLACE[:1], motion.pose[:1], motion.strengths[:1])
    assert len(read_bvh(bvh_content(first)).rows) == 1
    assert opened([first]).channel("a", "translation")[0].tolist() == [0.0]


def test_each_further_head_has_a_bvh_file_of_its_own(tmp_path: Path) -> None:
    motions = [made_motion(), replace(made_motion("Face 3"), person=3)]
    written = write_motion(tmp_path / "talk.bvh", motions, bvh_files)
    assert [path.name for path in written] == ["talk.bvh", "talk_face3.bvh"]
    assert all(len(read_bvh(path.read_bytes()).rows) == 7 for path in written)


# -- sinks


@pytest.mark.parametrize("name", ["gltf", "bvh"])
def test_a_video_without_a_face_is_told_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    sink = TABLE_FORMATS.find(name).sink(tmp_path / "a.x", Header(), load_schema("ibug68"))
    sink.open(source_info())
    sink.write(track_result(0))
    sink.write(track_result(1, lost_face()))
    with pytest.raises(SinkError, match="no face was found"):
        sink.close(complete=True)
    assert list(tmp_path.iterdir()) == []


def test_the_sink_writes_the_poses_of_the_results(tmp_path: Path) -> None:
    sink = TABLE_FORMATS.find("gltf").sink(tmp_path / "a.glb", Header(), load_schema("ibug68"))
    face = tracked_face(3)
    assert face.pose is not None
    sink.open(source_info())
    for index in range(4):
        sink.write(track_result(index, face))
    sink.close(complete=True)
    gltf = OpenedGltf(pygltflib.GLTF2.load(str(tmp_path / "a.glb")))
    times, places = gltf.channel("Face 3", "translation")
    np.testing.assert_allclose(times, np.arange(4) / 25, atol=1e-6)
    x, y, z = face.pose.position_mm
    np.testing.assert_allclose(places[2] * 1000, [x, -y, -z], rtol=1e-5)


def test_landmarks_of_another_schema_are_refused(tmp_path: Path) -> None:
    for name in ("gltf", "bvh"):
        with pytest.raises(SinkError, match=f"{name} holds landmarks of ibug68"):
            TABLE_FORMATS.find(name).sink(tmp_path / "a", Header(), load_schema("wflw98"))


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="the folder does not exist"):
        write_motion(tmp_path / "no" / "a.glb", [made_motion()], gltf_files)
    with pytest.raises(SinkError, match="no face has a head pose"):
        write_motion(tmp_path / "a.glb", [], gltf_files)
