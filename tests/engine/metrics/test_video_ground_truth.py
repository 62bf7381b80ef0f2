"""Ground truth of videos: where it is found, its formats, and its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import LandmarkFileError, UsageError
from steadymark.engine.metrics.video_ground_truth import (
    check_length,
    find_videos,
    read_truth,
    video_of_truth,
)
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import assets_root, load_schema
from support.fakes.fake_results import face_points, source_info, track_result, tracked_face

if TYPE_CHECKING:
    from pathlib import Path

FACE = face_points(80.0, 60.0, 60.0)


def write_pts(path: Path, points: np.ndarray) -> None:
    rows = "\n".join(f"{x + 1:.4f} {y + 1:.4f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n")


def write_table(path: Path, ground_truth: np.ndarray) -> None:
    count = ground_truth.shape[1]
    names = ["frame", *(f"{a}_{k}" for a in "xy" for k in range(count))]
    lines = [",".join(names)]
    lines += [
        ",".join([str(t), *(f"{v:.4f}" for v in xy.T.ravel())]) for t, xy in enumerate(ground_truth)
    ]
    path.write_text("\n".join(lines) + "\n")


def test_the_demo_video_and_its_ground_truth_are_found_from_each_other() -> None:
    clips = assets_root() / "clips"
    (video,) = find_videos(clips / "demo.mp4")
    assert (video.name, video.truth) == ("demo", clips / "demo_truth.csv")
    assert find_videos(clips) == (video,)
    assert video_of_truth(clips / "demo_truth.csv") == video
    ground_truth = read_truth(clips / "demo_truth.csv")
    assert ground_truth.shape == (300, 68, 2)
    assert np.isnan(ground_truth[240]).all()
    assert np.isfinite(ground_truth[0]).all()


def test_videos_in_300vw_format_are_named_after_their_folders(tmp_path: Path) -> None:
    for name in ("002", "001"):
        (tmp_path / name / "annot").mkdir(parents=True)
        (tmp_path / name / "vid.avi").touch()
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "vid.avi").touch()
    found = find_videos(tmp_path)
    assert [v.name for v in found] == ["001", "002"]
    assert found[0].truth == tmp_path / "001" / "annot"
    assert find_videos(tmp_path / "001" / "vid.avi") == (found[0],)
    assert video_of_truth(tmp_path / "001" / "annot") == found[0]


def test_an_annot_folder_beside_several_videos_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "annot").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    assert find_videos(tmp_path / "a.mp4")[0].truth is None
    assert find_videos(tmp_path) == ()
    assert video_of_truth(tmp_path / "annot").source is None


@pytest.mark.parametrize("first", [0, 1])
def test_pts_files_are_numbered_from_one_or_from_zero(tmp_path: Path, first: int) -> None:
    for number in (first, first + 1, first + 3):
        write_pts(tmp_path / f"f{number:06d}.pts", FACE + number)
    ground_truth = read_truth(tmp_path)
    assert ground_truth.shape == (4, 68, 2)
    np.testing.assert_allclose(ground_truth[3], FACE + first + 3, atol=1e-3)
    assert np.isnan(ground_truth[2]).all()


@pytest.mark.parametrize("style", ["native", "openface"])
def test_a_tracking_table_of_one_face_can_be_the_ground_truth(tmp_path: Path, style: str) -> None:
    path = tmp_path / "t.csv"
    sink = (
        NativeCsvSink(path, Header(), load_schema("ibug68"))
        if style == "native"
        else OpenFaceCsvSink(path, load_schema("ibug68"))
    )
    sink.open(source_info())
    for i in range(3):
        faces = () if i == 1 else (tracked_face(points=FACE + i, raw_shift_px=0),)
        sink.write(track_result(i, *faces))
    sink.close(complete=True)
    ground_truth = read_truth(path)
    assert ground_truth.shape == (3, 68, 2)
    np.testing.assert_allclose(ground_truth[2], FACE + 2, atol=0.051)
    assert np.isnan(ground_truth[1]).all()


def test_a_table_of_several_faces_is_refused_as_ground_truth(tmp_path: Path) -> None:
    sink = NativeCsvSink(tmp_path / "t.csv", Header(), load_schema("ibug68"))
    sink.open(source_info())
    sink.write(track_result(0, tracked_face(0), tracked_face(1)))
    sink.close(complete=True)
    with pytest.raises(UsageError, match="several faces"):
        read_truth(tmp_path / "t.csv")


def test_tables_with_and_without_column_names_are_read(tmp_path: Path) -> None:
    ground_truth = np.stack([FACE[:5], FACE[:5] + 1, FACE[:5] + 2]).astype(np.float64)
    write_table(tmp_path / "named.csv", ground_truth)
    np.testing.assert_allclose(read_truth(tmp_path / "named.csv"), ground_truth, atol=1e-4)
    np.savetxt(tmp_path / "rows.csv", ground_truth.reshape(3, -1), delimiter=",")
    np.testing.assert_allclose(read_truth(tmp_path / "rows.csv"), ground_truth)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "contains no rows"),
        ("frame,x_0,y_0\n", "contains no rows"),
        ("frame,x_0\n0,1\n", "'y_0' is missing"),
        ("frame\n0\n", "'x_0' is missing"),
        ("frame,x_0,y_0\n0,1,2\n0,1,2\n", "each number from 0 once"),
        ("frame,x_0,y_0\n-1,1,2\n", "each number from 0 once"),
        ("frame,x_0,y_0\n0,one,2\n", "line 2, 'one' is not a number"),
        ("1,2,3\n", "landmarks need an even number"),
        ("hello world\n", "line 1, 'hello world' is not a number"),
        ("frame, timestamp, x_0\n", "missing"),
    ],
)
def test_invalid_ground_truth_is_reported(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(LandmarkFileError, match=words):
        read_truth(path)


def test_folders_of_invalid_pts_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \.pts files"):
        read_truth(tmp_path)
    write_pts(tmp_path / "1.pts", FACE)
    write_pts(tmp_path / "2.pts", FACE[:66])
    with pytest.raises(LandmarkFileError, match=r"2\.pts has 66 points, not 68"):
        read_truth(tmp_path)
    write_pts(tmp_path / "01.pts", FACE)
    with pytest.raises(UsageError, match="frame number that no other file has"):
        read_truth(tmp_path)


def test_ground_truth_of_another_length_is_reported_and_gaps_are_allowed(tmp_path: Path) -> None:
    complete, with_gaps = np.zeros((9, 68, 2)), np.zeros((9, 68, 2))
    with_gaps[4] = np.nan
    table = tmp_path / "truth.csv"
    check_length(complete, table, 9)
    check_length(with_gaps, tmp_path, 12)
    for ground_truth, path, frames in (
        (complete, table, 8),
        (complete, table, 10),
        (with_gaps, table, 12),
        (complete, tmp_path, 12),
        (with_gaps, tmp_path, 8),
    ):
        with pytest.raises(UsageError, match=f"has 9 frames, the video {frames}"):
            check_length(ground_truth, path, frames)
