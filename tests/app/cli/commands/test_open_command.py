"""`steadymark open` takes recordings, and tables and projects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.app.gui import application
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what windows are opened with, recording and video, instead of opening them."""
    opened: list[tuple[str, str]] = []

    def run_window(recording: str, *, video: str = "") -> int:
        opened.append((recording, video))
        return 0

    monkeypatch.setattr(application, "run_window", run_window)
    return opened


@pytest.fixture
def table(run: Callable[..., Result], tmp_path: Path) -> Path:
    """Return the table of a tracked video, which lies in the folder above."""
    clip = square_video(tmp_path / "a.mp4", 20)
    assert run("track", clip, "--out", tmp_path / "results").exit_code == 0
    return tmp_path / "results" / "a.csv"


def test_a_table_beside_its_video_is_opened(
    run: Callable[..., Result], opened: list[tuple[str, str]], table: Path
) -> None:
    renamed = table.rename(table.with_name("renamed.csv"))  # the header names the video
    assert run("open", renamed).exit_code == 0
    assert opened == [(str(renamed), "")]


def test_a_table_without_its_video_asks_for_it_in_a_sentence(
    run: Callable[..., Result], opened: list[tuple[str, str]], table: Path, tmp_path: Path
) -> None:
    moved = (tmp_path / "a.mp4").rename(tmp_path / "b.mp4")
    result = run("open", table)
    assert result.exit_code == 2
    assert "was not found beside it: name it with --video VIDEO" in result.output
    assert opened == []
    assert run("open", table, "--video", moved).exit_code == 0
    assert opened == [(str(table), str(moved))]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("broken.csv", "a,b\n1,2\n", "neither a Steadymark file"),
        ("broken.steadymark", "[]", "is not a project of Steadymark"),
        ("missing.csv", None, "No such file"),
        ("missing.steadymark", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_a_sentence(
    run: Callable[..., Result],
    opened: list[tuple[str, str]],
    tmp_path: Path,
    name: str,
    text: str | None,
    sentence: str,
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = run("open", tmp_path / name)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert opened == []


def test_a_video_takes_no_other_video(
    run: Callable[..., Result], opened: list[tuple[str, str]], tmp_path: Path
) -> None:
    clip = square_video(tmp_path / "a.mp4", 20)
    result = run("open", clip, "--video", clip)
    assert result.exit_code == 2
    assert "--video is for tables and projects" in result.output
    assert run("open", clip).exit_code == 0
    assert opened == [(str(clip), "")]
