"""Videos that were cut off, deinterlacing and rotation on the command line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from typer.testing import Result

from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.videos.odd_videos import encoded
from support.videos.square_video import square_video
from support.videos.video_corpus import Recipe

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Result]


@pytest.fixture
def cut_video(tmp_path: Path) -> Path:
    """A quarter of an MP4 whose header comes first."""
    recipe = Recipe("cut.mp4", "mpeg4", width=320, height=240, frames=60, gop=1)
    path = encoded(recipe, movflags="faststart").make(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 4])
    return path


def index_row(folder: Path, path: Path) -> dict[str, str]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return next(row for row in csv.DictReader(file) if row["input"] == str(path))


def test_a_cut_off_video_is_tracked_and_called_damaged(
    run: Run, tmp_path: Path, cut_video: Path
) -> None:
    out = tmp_path / "out"
    result = run("track", cut_video, "--out", out)
    assert result.exit_code == 1
    assert "it is cut off:" in result.output
    assert "damaged," in result.output
    assert "% of it read" in " ".join(result.output.split())
    row = index_row(out, cut_video)
    assert row["state"] == "damaged"
    assert "of its 60 frames are there" in row["error"]
    assert (out / f"{cut_video.stem}.csv").exists()


def test_resume_keeps_a_damaged_result_until_the_file_changes(
    run: Run, tmp_path: Path, cut_video: Path
) -> None:
    out = tmp_path / "out"
    run("track", cut_video, "--out", out)
    table = out / f"{cut_video.stem}.csv"
    written = table.stat().st_mtime_ns
    again = run("track", cut_video, "--out", out, "--resume")
    assert again.exit_code == 1
    assert "done before" in again.output
    assert table.stat().st_mtime_ns == written
    assert index_row(out, cut_video)["state"] == "damaged"
    square_video(cut_video, 20)
    whole = run("track", cut_video, "--out", out, "--resume")
    assert whole.exit_code == 0, whole.output
    assert table.stat().st_mtime_ns != written
    assert index_row(out, cut_video)["state"] == "done"


def test_a_damaged_video_among_failed_ones_gives_exit_code_1(
    run: Run, tmp_path: Path, cut_video: Path
) -> None:
    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(b"no video")
    assert run("track", cut_video, nothing, "--out", tmp_path / "out").exit_code == 1


def test_deinterlacing_and_rotation_are_recorded_only_when_they_are_asked_for(
    run: Run, tmp_path: Path
) -> None:
    video = square_video(tmp_path / "a.mp4", 12)
    settings = []
    for number, options in enumerate(((), ("--deinterlace", "--rotate", "90"), ("--rotate", "0"))):
        out = tmp_path / str(number)
        result = run("track", video, "--out", out, *options)
        assert result.exit_code == 0, result.output
        told = read_landmarks(out / "a.csv").header["settings"]
        assert isinstance(told, dict)
        settings.append(told)
    assert not {"deinterlace", "rotate_deg"} & set(settings[0])
    assert (settings[1]["deinterlace"], settings[1]["rotate_deg"]) == (True, 90)
    assert "deinterlace" not in settings[2]
    assert settings[2]["rotate_deg"] == 0
    again = run("track", video, "--out", tmp_path / "1", "--resume")
    assert "other settings or models" in again.output


def test_a_rotation_that_is_no_right_angle_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("track", square_video(tmp_path / "a.mp4", 2), "--out", tmp_path, "--rotate", "45")
    assert result.exit_code == 2
    assert "by 0, 90, 180 or 270 degrees, not by 45" in " ".join(result.output.split())
