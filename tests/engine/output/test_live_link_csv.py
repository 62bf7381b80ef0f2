"""The file of Live Link Face, as Unreal's importer and Blender's add-ons read it."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import HeadPose, Intrinsics
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    ExpressionSettings,
    ShapeSettings,
)
from steadymark.engine.expressions.live_link_values import COLUMNS, head_angles, timecode
from steadymark.engine.output.csv.live_link_csv import LiveLinkCsvSink
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.csv.whole_recording import WholeRecordingSink
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, source_info, track_result
from support.fakes.stream_receivers import expressive_face

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace

Keys = dict[float, dict[str, float]]
# The names that importers look up, in the order of the app's files.
APP_HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,"
    "EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,"
    "EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,JawLeft,"
    "JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,"
    "MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,"
    "MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,"
    "MouthShrugUpper,MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,"
    "MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,BrowOuterUpLeft,"
    "BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,"
    "RightEyePitch,RightEyeRoll"
)


def _imported(path: Path | str) -> Keys:
    """Read a file by the rules of Unreal's importer; the keys are times in seconds.

    It wants the first two columns by name, as many values as columns in every row (it leaves out
    empty ones), and a timecode of four parts, of which the last is a frame of 60 in a second.
    """
    lines = Path(path).read_text("utf-8").splitlines()
    names = lines[0].split(",")
    assert len(lines) >= 2
    assert names[:2] == ["Timecode", "BlendShapeCount"]
    keys: Keys = {}
    for line in lines[1:]:
        values = [value for value in line.split(",") if value]
        assert len(values) == len(names)
        hours, minutes, seconds, frames = values[0].split(":")
        time_s = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(frames) / 60
        keys[time_s] = dict(zip(names[2:], map(float, values[2:]), strict=True))
    return keys


def _counts(path: Path) -> list[str]:
    return [row["BlendShapeCount"] for row in csv.DictReader(path.read_text().splitlines())]


def _written(
    path: Path,
    *frames: tuple[TrackedFace, ...],
    settings: ExpressionSettings = AS_MEASURED,
    complete: bool = True,
) -> LiveLinkCsvSink:
    sink = LiveLinkCsvSink(path, settings)
    sink.open(source_info())
    for index, faces in enumerate(frames):
        result = track_result(index, *faces)
        sink.write(replace(result, frame=replace(result.frame, pts_s=index / 30)))
    sink.close(complete=complete)
    return sink


def test_the_header_is_that_of_the_app(tmp_path: Path) -> None:
    _written(tmp_path / "a.csv", (expressive_face({}),))
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == APP_HEADER
    assert len(COLUMNS) == 61


def test_an_importer_gets_every_shape_and_the_rotation_of_the_head(tmp_path: Path) -> None:
    strengths = {name: (place + 1) / 100 for place, name in enumerate(SHAPES)}
    _written(tmp_path / "a.csv", (expressive_face({}),), (expressive_face(strengths, (0, 0.2, 0)),))
    keys = _imported(tmp_path / "a.csv")
    assert list(keys) == pytest.approx([0, 1 / 30])
    values = keys[list(keys)[1]]
    for name, strength in strengths.items():
        assert values[name[0].upper() + name[1:]] == pytest.approx(strength)
    head = [values["HeadYaw"], values["HeadPitch"], values["HeadRoll"]]
    assert head == pytest.approx([0.2, 0, 0], abs=1e-6)
    assert {
        row["BlendShapeCount"]
        for row in csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    } == {"61"}


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ((0.3, 0.0, 0.0), (0.0, -0.3, 0.0)),  # looks down
        ((0.0, 0.3, 0.0), (0.3, 0.0, 0.0)),  # to the left of the image: the person's right
        ((0.0, 0.0, 0.3), (0.0, 0.0, -0.3)),  # clockwise in the image: to the person's left
    ],
)
def test_angles_are_those_of_unreal_in_radians(
    turn: tuple[float, float, float], expected: tuple[float, float, float]
) -> None:
    pose = HeadPose((0, 0, 700), turn, Intrinsics(640, 480))
    assert head_angles(pose) == pytest.approx(expected)


def test_angles_together_give_the_rotation_of_the_head() -> None:
    pose = HeadPose((0, 0, 700), (0.4, -0.6, 0.3), Intrinsics(640, 480))
    yaw, pitch, roll = head_angles(pose)
    turned = rotation_matrix((0, yaw, 0)) @ rotation_matrix((-pitch, 0, 0))
    matrix = turned @ rotation_matrix((0, 0, -roll))
    np.testing.assert_allclose(matrix, pose.matrix, atol=1e-12)


@pytest.mark.parametrize(
    ("time_s", "text"),
    [
        (0.0, "00:00:00:00.000"),
        (1 / 30, "00:00:00:02.000"),
        (0.99999999, "00:00:01:00.000"),
        (59.9917, "00:00:59:59.502"),
        (3600 + 120 + 3 + 0.5, "01:02:03:30.000"),
        (100 * 3600.0, "100:00:00:00.000"),
        (-0.04, "00:00:00:00.000"),
    ],
)
def test_timecodes_have_sixty_frames_in_a_second(time_s: float, text: str) -> None:
    assert timecode(time_s) == text
    assert re.fullmatch(r"\d\d+:\d\d:\d\d:\d\d\.\d{3}", text)


def test_settings_apply_to_the_file(tmp_path: Path) -> None:
    settings = ExpressionSettings(mirrored=True).with_shape("eyeBlinkLeft", ShapeSettings(0.5))
    face = expressive_face({"eyeBlinkLeft": 0.8}, (0.1, 0.2, 0.0))
    _written(tmp_path / "a.csv", (face,), settings=settings)
    (values,) = _imported(tmp_path / "a.csv").values()
    assert values["EyeBlinkRight"] == pytest.approx(0.4)
    assert values["EyeBlinkLeft"] == 0
    assert values["HeadYaw"] < -0.19


def test_each_face_has_a_file_with_all_frames(tmp_path: Path) -> None:
    one = expressive_face({"jawOpen": 0.25}, face_id=1)
    two = expressive_face({"jawOpen": 0.5}, face_id=2)
    frames = [(), (one,), (one, two), (lost_face(1), two), (two,)]
    sink = _written(tmp_path / "a.csv", *frames)
    assert sink.more_paths == (str(tmp_path / "a_face2.csv"),)
    jaws = {
        name: [values["JawOpen"] for values in _imported(tmp_path / name).values()]
        for name in ("a.csv", "a_face2.csv")
    }
    assert jaws == {"a.csv": [0, 0.25, 0.25, 0, 0], "a_face2.csv": [0, 0, 0.5, 0.5, 0.5]}
    times = [list(_imported(tmp_path / name)) for name in jaws]
    assert times[0] == times[1]
    counts = [
        row["BlendShapeCount"]
        for row in csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    ]
    assert counts == ["0", "61", "61", "0", "0"]


def test_a_stopped_recording_leaves_partial_files_of_all_faces(tmp_path: Path) -> None:
    faces = (expressive_face({}, face_id=1), expressive_face({}, face_id=4))
    _written(tmp_path / "a.csv", faces, complete=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.partial.csv",
        "a_face4.partial.csv",
    ]


def test_a_crowd_has_a_file_for_the_first_64_faces(tmp_path: Path) -> None:
    frames = [(expressive_face({}, face_id=number),) for number in range(70)]
    sink = _written(tmp_path / "a.csv", *frames)
    assert len(sink.more_paths) == 63
    assert len(list(tmp_path.iterdir())) == 64


def test_a_face_without_expressions_has_only_zeros(tmp_path: Path) -> None:
    face = expressive_face({"jawOpen": float("nan")}, (0.0, 0.1, 0.0))
    bare = replace(face, attributes=None)
    _written(tmp_path / "a.csv", (face,), (bare,))
    first, second = _imported(tmp_path / "a.csv").values()
    assert first["JawOpen"] == 0
    assert first["HeadYaw"] == pytest.approx(0.1)
    assert set(second.values()) == {0}


def test_landmarks_of_other_schemas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="the format livelink holds landmarks of ibug68"):
        TABLE_FORMATS.find("livelink").sink(tmp_path / "a.csv", Header(), load_schema("wflw98"))


def test_a_filter_that_needs_the_whole_video_replaces_the_files_of_all_faces(
    tmp_path: Path,
) -> None:
    from steadymark.engine.stabilizers.filter_runner import offline_filter

    point_filter = offline_filter(choose("butterworth"))
    assert point_filter is not None
    sink = WholeRecordingSink(tmp_path / "a.csv", LiveLinkCsvSink, point_filter)
    sink.open(source_info())
    for index in range(20):
        faces = [expressive_face({}, (0.0, 0.1, 0.0), face_id=number) for number in (1, 2)]
        sink.write(track_result(index, *faces))
    sink.close(complete=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a_face2.csv"]
    assert sink.more_paths == (str(tmp_path / "a_face2.csv"),)
    for path in tmp_path.iterdir():
        turns = [values["HeadYaw"] for values in _imported(path).values()]
        assert np.abs(np.array(turns) - 0.1).max() < 0.05
