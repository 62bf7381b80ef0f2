"""Untrusted tables, points and lists: read, or refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.metrics.video_ground_truth import read_truth
from steadymark.engine.output.csv import row_parsing
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.columns import native_columns
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.sources.live.camera import CameraMode
from steadymark.models import bounded_read
from steadymark.models.datasets.detect_format import open_dataset
from steadymark.models.datasets.photo_splits import read_boxes
from steadymark.models.datasets.video_datasets import read_steadymark_csv
from steadymark.models.errors import DataError
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info
from support.malformed_files import corrupted, read_or_refused
from support.videos.video_corpus import Recipe, make

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink


def row(frame: int, *, lost: bool = False) -> str:
    """A row of a table with 2 landmarks."""
    values = {"frame": str(frame), "face_id": "0", "timestamp_s": f"{frame / 25:.6f}"}
    values["state"] = "lost" if lost else "tracked"
    landmark_value = "nan" if lost else "0.5"
    return ",".join(values.get(name, landmark_value) for name in native_columns(2)) + "\n"


NATIVE = (
    "# steadymark-csv 1\n# {}\n"
    + ",".join(native_columns(2))
    + "\n"
    + row(0)
    + row(1)
    + row(2, lost=True)
).encode()
OPENFACE = (
    b"frame, face_id, timestamp, confidence, success, gaze_0_x, x_0, x_1, y_0, y_1, AU01_r\n"
    b"1, 0, 0.000, 0.98, 1, 0.1, 5.0, 1.0, 2.0, 3.0, 4.0\n"
    b"2, 0, 0.033, 0.02, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0\n"
)
PTS = b"version: 1\nn_points:  3\n{\n1.000 2.5\n30.25 40\n5 6\n}\n"
HRNET = (
    b"image_name,scale,center_w,center_h,"
    + b",".join(b"original_%d_%c" % (i, axis) for i in range(19) for axis in b"xy")
    + b"\na.png,1.0,50,50,"
    + b",".join(b"%d" % i for i in range(38))
    + b"\n"
)
WFLW = b" ".join([b"1.5"] * 196 + [b"1 2 30 40", b"0 0 0 0 1 0", b"a.png"]) + b"\n"
BOXES = b"image,left,top,right,bottom\na.jpg,1.5,2,30,40\nb.jpg,5,6,7,8\na.jpg,0,0,9,9\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("untrusted")
    (path / "images").mkdir()
    return path


@given(content=st.one_of(corrupted(NATIVE), corrupted(OPENFACE), st.binary(max_size=100)))
def test_a_table_is_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "table.csv"
    path.write_bytes(content)
    check_csv(path)
    table = read_or_refused(lambda: read_landmarks(path), "table.csv")
    if table is None:
        return
    assert len(table.frame) == len(table.state) == len(table.xy_px) == len(table.box)
    assert table.frame.min(initial=0) >= 0


@pytest.mark.hypothesis
@pytest.mark.parametrize("kind", [NativeCsvSink, OpenFaceCsvSink])
def test_a_written_table_is_read_or_refused(folder: Path, kind: type[Sink]) -> None:
    path = folder / f"{kind.__name__}.csv"
    sink: Sink = (
        NativeCsvSink(path, Header({}), load_schema("ibug68"))
        if kind is NativeCsvSink
        else OpenFaceCsvSink(path, load_schema("ibug68"))
    )
    sink.open(source_info())
    for result in moving_results(4):
        sink.write(result)
    sink.close(complete=True)
    valid = path.read_bytes()

    @given(content=corrupted(valid, most=2))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        check_csv(path)
        table = read_or_refused(lambda: read_landmarks(path), path.name)
        if table is not None:
            assert table.xy_px.shape == (len(table), table.point_score.shape[1], 2)

    check()


@given(content=st.one_of(corrupted(PTS), st.binary(max_size=60)))
def test_points_are_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "a.pts"
    path.write_bytes(content)
    points = read_or_refused(lambda: read_pts(path), "a.pts")
    if points is None:
        return
    assert points.ndim == 2
    assert points.shape[1] == 2
    assert np.isfinite(points).all()


@given(content=st.one_of(*map(corrupted, (NATIVE, OPENFACE, b"frame,x_0,y_0\n0,1,2\n1,3,4\n"))))
def test_ground_truth_is_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "truth.csv"
    path.write_bytes(content)
    ground_truth = read_or_refused(lambda: read_truth(path), "truth.csv")
    if ground_truth is None:
        return
    assert ground_truth.ndim == 3
    assert ground_truth.nbytes < 100 * (len(content) + 10_000) * 16


@given(content=corrupted(HRNET))
def test_lists_of_faces_are_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "a.csv"
    path.write_bytes(content)
    read_or_refused(lambda: open_dataset(path, images=folder / "images"), path.name)


@given(content=corrupted(WFLW))
def test_lists_of_wflw_are_read_or_refused(folder: Path, content: bytes) -> None:
    path = folder / "list_98pt_test.txt"
    path.write_bytes(content)
    read_or_refused(lambda: open_dataset(path, images=folder / "images"), path.name)


@pytest.mark.hypothesis
def test_tracks_for_training_are_read_or_refused(folder: Path) -> None:
    video, path = make(folder, Recipe("film.mp4", width=160, height=120)), folder / "film.csv"
    sink = NativeCsvSink(path, Header({}), load_schema("ibug68"))
    sink.open(source_info())
    for result in moving_results(4):
        sink.write(result)
    sink.close(complete=True)
    valid = path.read_bytes()
    assert len(read_steadymark_csv(path, video).faces) == 4

    @given(content=corrupted(valid, most=2))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        data = read_or_refused(lambda: read_steadymark_csv(path, video), path.name)
        for face in data.faces if data else ():
            assert face.points.shape[1] == 2
            assert np.isfinite(face.points).all()

    check()


@given(content=st.one_of(corrupted(BOXES), st.binary(max_size=60)))
def test_boxes_are_read_or_refused(folder: Path, content: bytes) -> None:
    boxes = folder / "boxes"
    boxes.mkdir(exist_ok=True)
    (boxes / "a.jpg").touch()
    (boxes / "boxes.csv").write_bytes(content)
    found = read_or_refused(lambda: read_boxes(boxes), "boxes.csv")
    if found is None:
        return
    assert list(found) == ["a.jpg"]
    assert np.isfinite(found["a.jpg"]).all()
    assert (found["a.jpg"][:, 2:] > found["a.jpg"][:, :2]).all()


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (BOXES.replace(b"30", b"x"), r"boxes\.csv, line 2, holds not a number for each of left"),
        (BOXES.replace(b"left", b"x"), r"line 2, holds not a number for each"),
        (BOXES.replace(b"image", b"x"), r"line 2, names no image"),
        (BOXES.replace(b"b.jpg", b"\n\nb.jpg").replace(b"6", b"x"), r"line 5, holds not a number"),
        (BOXES.replace(b"7,8", b"7"), r"line 3, holds not a number for each"),
        (BOXES.replace(b"5,6,7", b"5,6,5"), r"line 3, holds no box"),
        (BOXES.replace(b"b.jpg", b"\xff.jpg"), r"boxes\.csv cannot be read"),
    ],
)
def test_boxes_of_invalid_format_are_refused(tmp_path: Path, table: bytes, what: str) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "boxes.csv").write_bytes(BOXES)
    np.testing.assert_array_equal(read_boxes(tmp_path)["a.jpg"], [[1.5, 2, 30, 40], [0, 0, 9, 9]])
    (tmp_path / "boxes.csv").write_bytes(table)
    with pytest.raises(DataError, match=what):
        read_boxes(tmp_path)
    with pytest.raises(DataError, match="none is no folder"):
        read_boxes(tmp_path / "none")


@given(st.one_of(st.text(max_size=20), st.from_regex(r"\d{1,8}x\d{1,8}(@[\d.]{1,9})?")))
def test_a_camera_mode_is_read_or_refused(text: str) -> None:
    try:
        mode = CameraMode.parse(text)
    except SteadymarkError:
        return
    assert min(mode.width, mode.height) > 0


def test_a_file_without_line_ends_does_not_fill_the_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_parsing, "_LONGEST_LINE", 2000)
    path = folder / "long.csv"
    path.write_bytes(NATIVE + b"1" * 5000)
    with pytest.raises(SteadymarkError, match=r"long\.csv.*line 7 is longer than any row"):
        read_landmarks(path)
    assert "longer than any row" in check_csv(path)[-1].text
    path.write_bytes(b"frame,timestamp" + b"," * 5000)
    with pytest.raises(SteadymarkError, match=r"line 1 is longer"):
        read_landmarks(path)


def test_a_points_file_that_is_too_large_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_read, "MOST_BYTES", 100)
    path = folder / "large.pts"
    path.write_bytes(PTS + b" " * 100)
    with pytest.raises(SteadymarkError, match="larger than"):
        read_pts(path)


@pytest.mark.parametrize("frame", [10**9, 2**52])
def test_an_excessive_frame_number_is_refused(folder: Path, frame: int) -> None:
    for name, text in (
        ("wild.csv", f"frame,x_0,y_0\n0,1,2\n{frame},3,4\n"),
        ("wild_native.csv", NATIVE.decode().replace("\n1,0,", f"\n{frame},0,")),
    ):
        (folder / name).write_text(text)
        with pytest.raises(SteadymarkError, match=r"frame numbers|each number from 0"):
            read_truth(folder / name)
    points = folder / "points"
    points.mkdir(exist_ok=True)
    (points / f"{frame}.pts").write_bytes(PTS)
    (points / "1.pts").write_bytes(PTS)
    with pytest.raises(SteadymarkError, match="frame numbers"):
        read_truth(points)
