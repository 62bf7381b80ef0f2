"""Readers of labelled videos, on small real videos."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.models.datasets import open_dataset, read_300vw, read_steadymark_csv, video_frames
from steadymark.models.datasets.video_frames import Video
from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import lost_face, source_info, track_result, tracked_face
from support.videos.video_corpus import Recipe, make, make_sound, number_in

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer

    from steadymark.models.face.crop import Points

SHAPE = load_schema("ibug68").mean_shape
CLIP = Recipe("clip.mp4", width=160, height=120, b_frames=2)
CLIPS = (
    CLIP,
    Recipe("vid.avi", codec="mpeg4", b_frames=2),
    Recipe("raw.h264", b_frames=2),
    Recipe("uneven.mp4", ticks=[0, 1, 2, 3, 7, 8, 9, 30, 31, 33], unit=4),
    Recipe("open_gop.mp4", b_frames=3, gop=6, extra={"x264-params": "open-gop=1:log-level=0"}),
    Recipe("long_gop.mkv", frames=60, gop=60),
)


def points(shift: float = 0.0) -> Points:
    return (np.round((SHAPE * 60 + (70 + shift, 60)) * 8) / 8).astype(np.float32)


def save_pts(path: Path, xy: Points) -> None:
    rows = "".join(f"{x + 1:.4f} {y + 1:.4f}\n" for x, y in xy)
    path.write_text(f"version: 1\nn_points:  {len(xy)}\n{{\n{rows}}}\n", encoding="ascii")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write video 007 in 300VW format with twelve labels, in a folder with a non-ASCII name."""
    video_folder = tmp_path / "vidéos 顔" / "007"
    (video_folder / "annot").mkdir(parents=True)
    make(video_folder, CLIP).rename(video_folder / "vid.mp4")
    for number in range(1, 13):
        save_pts(video_folder / "annot" / f"{number:06d}.pts", points(number))
    return video_folder


@pytest.mark.parametrize("recipe", CLIPS, ids=lambda r: r.name)
def test_every_frame_can_be_read_by_its_number_in_any_order(tmp_path: Path, recipe: Recipe) -> None:
    found = Video(make(tmp_path, recipe))
    assert found.count == len(recipe.times)
    assert (found.width, found.height) == (recipe.width, recipe.height)
    order = [*range(found.count), 3, 4, found.count - 1, 0, 5, 5, 2]
    for number in order:
        assert number_in(found.read_frame(number)) == number
    with pytest.raises(DataError, match=f"frames 0 to {found.count - 1}, not {found.count}"):
        found.read_frame(found.count)


@pytest.mark.parametrize("rotation", [None, 90.0, -90.0, 180.0])
def test_a_frame_equals_the_one_that_is_tracked(tmp_path: Path, rotation: float | None) -> None:
    aspect = Fraction(4, 3) if rotation == 90 else None
    path = make(tmp_path, Recipe("a.mp4", rotation=rotation, aspect=aspect))
    video, video_file = Video(path), VideoFile(path)
    for number in (0, 7):
        expected = video_file.frame_at(number).image
        assert video.read_frame(number).shape == expected.shape
        assert np.abs(video.read_frame(number).astype(int) - expected).max() <= 2
    stored = Video(path, as_shown=False)
    assert (stored.width, stored.height) == (96, 64)


def test_a_video_read_in_order_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Video(make(tmp_path, CLIP))
    opened, real = [], video_frames._opened

    def count_openings(path: Path) -> InputContainer:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(video_frames, "_opened", count_openings)
    for number in range(found.count):
        found.read_frame(number)
    assert len(opened) == 1
    unpickled = pickle.loads(pickle.dumps(found))
    assert number_in(unpickled.read_frame(9)) == 9
    found.close()


def test_300vw_is_read_from_frame_and_pixel_0(folder: Path) -> None:
    for faces, defects in (read_300vw(folder), open_dataset(folder)):
        assert defects == ()
        assert [f.frame for f in faces] == [*range(12)]
        assert {f.sequence for f in faces} == {"007"}
        assert {f.source_photo for f in faces} == {"007/vid.mp4"}
        for number, face in enumerate(faces):
            np.testing.assert_array_equal(face.points, points(number + 1))
            assert number_in(face.load_image()) == number


def test_defects_in_300vw_are_reported_and_left_out(folder: Path) -> None:
    annot = folder / "annot"
    (annot / "000001.pts").write_text("")
    save_pts(annot / "000002.pts", points()[:60])
    save_pts(annot / "000003.pts", points(400))
    save_pts(annot / "000021.pts", points())
    save_pts(annot / "000000.pts", points())
    save_pts(annot / "4.pts", points())
    save_pts(annot / "notes.pts", points())
    faces, defects = read_300vw(folder)
    assert [f.frame for f in faces] == [*range(3, 12)]
    found = {d.file.replace("\\", "/").rsplit("/", 1)[1]: d.what for d in defects}
    for name, words in {
        "000001.pts": "is empty",
        "000002.pts": "60 points, 68 are expected",
        "000003.pts": "outside its 160x120 picture",
        "000021.pts": "of frame 20 from 0, vid.mp4 has 20",
        "000000.pts": "of frame -1",
        "4.pts": "there already",
        "notes.pts": "not named by a frame",
    }.items():
        assert words in found.pop(name)
    assert not found


def test_a_folder_of_300vw_contains_the_faces_of_its_videos(folder: Path) -> None:
    other = folder.parent / "008"
    (other / "annot").mkdir(parents=True)
    save_pts(other / "annot" / "000001.pts", points())
    faces, defects = open_dataset(folder.parent)
    assert len(faces) == 12
    assert [str(other) in d.file for d in defects] == [True]
    assert "0 videos beside annot" in defects[0].what


def test_a_folder_that_is_not_300vw_is_refused_with_a_reason(folder: Path) -> None:
    with pytest.raises(DataError, match="no folder annot"):
        read_300vw(folder / "annot")
    (folder / "vid.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"vid\.mp4 is no video that can be read"):
        read_300vw(folder)
    (folder / "vid.mp4").unlink()
    make_sound(folder / "vid.mp4")
    with pytest.raises(DataError, match="holds no pictures"):
        read_300vw(folder)
    for label in (folder / "annot").iterdir():
        label.unlink()
    with pytest.raises(DataError, match=r"no \.pts files"):
        read_300vw(folder)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table of the clip: face 1 in each frame, face 2 in some, and a lost face."""
    make(tmp_path, CLIP)
    path = tmp_path / "clip.csv"
    sink = NativeCsvSink(path, Header(source_name="clip.mp4"), load_schema("ibug68"))
    sink.open(source_info())
    for index in range(8):
        faces = [tracked_face(1, points=points(index)), lost_face(3)]
        faces += [tracked_face(2, points=points(-index))] if index % 2 else []
        sink.write(track_result(index, *faces) if index else track_result(0))
    sink.close(complete=True)
    return path


def test_a_native_table_is_read_like_the_program_reads_it(table: Path) -> None:
    rows = read_landmarks(table)
    tracked_rows = np.flatnonzero(rows.state != "lost")
    for raw, expected in ((False, rows.xy_px), (True, rows.raw_xy_px)):
        faces, defects = read_steadymark_csv(table, table.with_name("clip.mp4"), raw=raw)
        assert defects == ()
        assert [f.frame for f in faces] == rows.frame[tracked_rows].tolist()
        assert [f.sequence for f in faces] == [f"clip#{i}" for i in rows.face_id[tracked_rows]]
        for face, row in zip(faces, tracked_rows, strict=True):
            np.testing.assert_allclose(face.points, expected[row], atol=1e-5)
            assert number_in(face.load_image()) == face.frame
    assert len(open_dataset(table).faces) == len(tracked_rows)


def test_bad_rows_of_a_native_table_are_reported_and_left_out(table: Path) -> None:
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if ",tracked," in line)
    fields = lines[first].split(",")
    x_0 = lines[2].split(",").index("x_0")

    def changed(column: int, value: str) -> str:
        return ",".join([*fields[:column], value, *fields[column + 1 :]])

    bad_lines = [
        lines[first],
        changed(0, "20"),
        changed(0, "12.5"),
        changed(x_0, "nan").replace("1,1,", "9,1,", 1),
        changed(x_0, "9999").replace("1,1,", "10,1,", 1),
        ",".join(fields[:9]) + "\n",
    ]
    table.write_text("".join(lines + bad_lines), encoding="utf-8")
    good = len(open_dataset(table).faces)
    _, defects = open_dataset(table)
    assert good == 7 + 4
    assert [d.file for d in defects] == [f"{table}, line {len(lines) + i + 1}," for i in range(6)]
    for defect, words in zip(
        defects,
        ("there already", "frame 20 from 0", "no number", "no numbers", "outside", "has 9 fields"),
        strict=True,
    ):
        assert words in defect.what


def test_a_table_that_is_not_native_is_refused_with_a_reason(table: Path) -> None:
    clip, lines = table.with_name("clip.mp4"), table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:2]) + lines[2].replace("face_id", "face"))
    with pytest.raises(DataError, match="column 'face_id' is missing"):
        read_steadymark_csv(table, clip)
    table.write_text("# steadymark-csv 2\n" + "".join(lines[1:]))
    with pytest.raises(DataError, match="does not begin with '# steadymark-csv 1'"):
        read_steadymark_csv(table, clip)
    table.write_text("".join(lines))
    clip.unlink()
    with pytest.raises(DataError, match="is not beside it: name it"):
        open_dataset(table)
    with pytest.raises(DataError, match="is no video"):
        read_steadymark_csv(table, clip)
