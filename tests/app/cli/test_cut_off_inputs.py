"""Videos that were cut off: summary, exit code, index and `--resume`."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from typer.testing import Result

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
