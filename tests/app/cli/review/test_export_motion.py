"""`steadymark export --gltf` and `--bvh`, and `steadymark track --format gltf`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pygltflib
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli.main import app
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import assets_root, load_schema
from support.fakes.fake_results import (
    face_points,
    lost_face,
    source_info,
    track_result,
    tracked_face,
)
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from steadymark.engine.core.protocols import Sink

DEMO = assets_root() / "clips" / "demo.mp4"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "200"})


def write_with(sink: Sink) -> None:
    """Write a table of face 3, which is lost for a while, and of face 5 in one frame."""
    sink.open(source_info())
    for i in range(12):
        face = tracked_face(3, points=face_points(80 + i, 60, 60))
        faces = {4: (face, tracked_face(5)), 6: (lost_face(3),), 7: (), 8: ()}.get(i, (face,))
        sink.write(track_result(i, *faces))
    sink.close(complete=True)


@pytest.fixture
def native(tmp_path: Path) -> Path:
    path = tmp_path / "talk.csv"
    write_with(NativeCsvSink(path, Header(), load_schema("ibug68")))
    return path


def opened(path: Path) -> pygltflib.GLTF2:
    return pygltflib.GLTF2.load(str(path))


def key_times(file: pygltflib.GLTF2, sampler: int = 0) -> list[float]:
    accessor = file.accessors[file.animations[0].samplers[sampler].input]
    start = file.bufferViews[accessor.bufferView].byteOffset
    times = np.frombuffer(file.binary_blob(), "<f4", accessor.count, start)
    return [round(float(time), 4) for time in times]


def test_all_persons_are_in_one_gltf_file_and_each_has_a_bvh_file(
    native: Path, tmp_path: Path
) -> None:
    result = run("export", native, "--gltf", tmp_path / "a.glb", "--bvh", tmp_path / "a.bvh")
    assert result.exit_code == 0, result.output
    assert "a.glb: 2 heads" in result.output.replace("\n", "")
    file = opened(tmp_path / "a.glb")
    names = [file.nodes[node].name for node in file.scenes[0].nodes]
    assert names == ["Face 3", "Face 5"]
    assert key_times(file) == [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.32, 0.36, 0.4, 0.44]
    heads = sorted(path.name for path in tmp_path.glob("*.bvh"))
    assert heads == ["a.3.bvh", "a.5.bvh"]


def test_one_person_in_a_part_of_the_video(native: Path, tmp_path: Path) -> None:
    part = ("--person", "3", "--start", "0.36", "--end", "0.4")
    result = run("export", native, "--bvh", tmp_path / "a.bvh", "--gltf", tmp_path / "a.glb", *part)
    assert result.exit_code == 0, result.output
    assert "Frames: 2\n" in (tmp_path / "a.bvh").read_text()
    assert key_times(opened(tmp_path / "a.glb")) == [0.36, 0.4]


def test_a_file_for_each_person_has_the_name_of_the_person(native: Path, tmp_path: Path) -> None:
    result = run("export", native, "--gltf", tmp_path / "a.glb", "--per-person")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.glob("*.glb")) == ["a.3.glb", "a.5.glb"]


def test_a_table_of_openface_has_poses_without_expressions(tmp_path: Path) -> None:
    path = tmp_path / "talk.csv"
    write_with(OpenFaceCsvSink(path, load_schema("ibug68")))
    result = run("export", path, "--gltf", tmp_path / "a.glb", "--person", "3")
    assert result.exit_code == 0, result.output
    channels = opened(tmp_path / "a.glb").animations[0].channels
    assert {each.target.path for each in channels} == {"translation", "rotation"}


def test_a_mirrored_head_is_on_the_other_side(native: Path, tmp_path: Path) -> None:
    x_cm = []
    for options in ((), ("--mirror",)):
        result = run("export", native, "--bvh", tmp_path / "a.bvh", "--overwrite", *options)
        assert result.exit_code == 0, result.output
        lines = (tmp_path / "a.3.bvh").read_text().partition("Frame Time:")[2].splitlines()
        x_cm.append(float(lines[1].split()[0]))
    assert x_cm[1] == -x_cm[0] != 0
    told = one_sentence(run("export", native, "--bvh", tmp_path / "b.bvh", "--expressions", "none"))
    assert "none" in told


def test_existing_files_are_kept(native: Path, tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_text("mine")
    result = run("export", native, "--gltf", tmp_path / "a.glb")
    assert result.exit_code == 2
    assert "is there already" in result.output
    assert (tmp_path / "a.glb").read_text() == "mine"


def one_sentence(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def test_a_gltf_file_must_be_named_as_a_binary_one(native: Path, tmp_path: Path) -> None:
    for name in ("a.gltf", "a", "."):
        told = one_sentence(run("export", native, "--gltf", tmp_path / name))
        assert "a name that ends in .glb" in told
    assert not list(tmp_path.glob("a.gl*"))


def test_a_folder_that_does_not_exist_is_told(native: Path, tmp_path: Path) -> None:
    told = one_sentence(run("export", native, "--gltf", tmp_path / "no" / "a.glb"))
    assert "a.glb" in told


def test_a_table_without_poses_and_video_is_told(tmp_path: Path) -> None:
    path = tmp_path / "talk.csv"
    sink = NativeCsvSink(path, Header(), load_schema("ibug68"))
    sink.open(source_info())
    for i in range(3):
        face = tracked_face(0)
        sink.write(track_result(i, replace(face, attributes=None)))
    sink.close(complete=True)
    told = one_sentence(run("export", path, "--bvh", tmp_path / "a.bvh"))
    assert "has no head poses: put its video beside it" in told
    assert not (tmp_path / "a.bvh").exists()


def test_a_table_of_lost_faces_and_an_empty_one_are_told(tmp_path: Path) -> None:
    said = {"lost": "there is no face in the exported part", "empty": "the table has no rows"}
    for name, faces in (("lost", [lost_face(0)]), ("empty", [])):
        path = tmp_path / f"{name}.csv"
        sink = NativeCsvSink(path, Header(), load_schema("ibug68"))
        sink.open(source_info())
        for i, face in enumerate(faces):
            sink.write(track_result(i, face))
        sink.close(complete=True)
        assert said[name] in one_sentence(run("export", path, "--gltf", tmp_path / "a.glb"))
    assert not (tmp_path / "a.glb").exists()


def test_a_table_of_another_schema_is_told(tmp_path: Path) -> None:
    schema = load_schema("fgnet68")
    path = tmp_path / "talk.csv"
    sink = NativeCsvSink(path, Header(), schema)
    sink.open(source_info())
    sink.write(track_result(0, tracked_face(0)))
    sink.close(complete=True)
    told = one_sentence(run("export", path, "--gltf", tmp_path / "a.glb"))
    assert "need landmarks of ibug68" in told
    assert "these are of fgnet68" in told


@pytest.mark.parametrize("stabilizer", ["flow", "butterworth"])
def test_track_writes_the_poses_of_the_table(tmp_path: Path, stabilizer: str) -> None:
    usual = ("track", DEMO, "--out", tmp_path, "--end", "0.2", "--stabilizer", stabilizer)
    for result in (run(*usual), run(*usual, "--format", "gltf"), run(*usual, "--format", "bvh")):
        assert result.exit_code == 0, result.output
    table = sm.read_csv(tmp_path / "demo.csv")
    file = opened(tmp_path / "demo.glb")
    np.testing.assert_allclose(key_times(file), table.timestamp_s, atol=1e-4)
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [
        "demo.bvh",
        "demo.csv",
        "demo.glb",
        "index.csv",
    ]
    bvh = (tmp_path / "demo.bvh").read_text().partition("Frame Time:")[2].splitlines()
    position_cm = np.array(bvh[1].split()[:3], float)
    pose = table.rows.attributes[0]
    np.testing.assert_allclose(10 * position_cm, pose[:3] * (1, -1, -1), atol=0.02)


def test_a_video_without_a_face_is_told(tmp_path: Path) -> None:
    video = square_video(tmp_path / "empty.mp4", 4, lost=range(4))
    result = run("track", video, "--out", tmp_path / "out", "--format", "gltf")
    assert result.exit_code != 0
    said = " ".join(result.output.split())
    assert "empty.glb: no face was found" in said
    assert "failed, no face: no face was found" in said
    assert "partial" not in said
    assert not list((tmp_path / "out").glob("empty*"))


@pytest.mark.parametrize("option", ["--bvh", "--statistics", "--annotations"])
def test_no_file_replaces_another_one_of_the_export(
    native: Path, tmp_path: Path, option: str
) -> None:
    out, table = tmp_path / "out.csv", native.read_bytes()
    one = ("--person", "3", "--overwrite")  # a BVH file holds one head
    told = one_sentence(run("export", native, "--out", out, option, out, *one))
    assert "out.csv is named for two files" in told
    assert not out.exists()
    told = one_sentence(run("export", native, "--out", out, option, native, *one))
    assert "is the table itself" in told
    assert native.read_bytes() == table


def test_gltf_and_bvh_need_files_of_their_own(native: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    one = ("--person", "3", "--gltf", path, "--bvh", path)
    assert "a.glb is named for two files" in one_sentence(run("export", native, *one))
    assert not path.exists()
