"""Folders give their videos and image sequences, and tell what they leave out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.folder_contents import folder_contents
from steadymark.engine.sources.resolve_input import expand_inputs, resolve_input

if TYPE_CHECKING:
    from pathlib import Path


def touch(folder: Path, *names: str) -> None:
    """Create empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_cameras_suffixes_are_videos(tmp_path: Path) -> None:
    names = ["a.MOD", "b.m2t", "c.f4v", "d.LRV", "e.insv", "f.qt", "g.rm", "photos/1.HEIC"]
    touch(tmp_path, *names)
    expected = [tmp_path / name for name in names[:-1]] + [tmp_path / "photos"]
    assert sorted(folder_contents(tmp_path).inputs) == sorted(expected)


def test_what_is_left_out_is_listed_with_its_reason(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "photo.jpg", "notes.txt", "more.txt", "README", ".hidden", "a.csv")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "missing.mp4")
    assert [str(sentence) for sentence in resolve_input(str(tmp_path)).left_out] == [
        f"{tmp_path / 'gone.mp4'} is a link to nothing",
        f"1 image in {tmp_path} is beside videos: name it to track it",
        f"files in {tmp_path} that are neither videos nor images by their names: "
        "2 × .txt, 1 × README",
    ]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "b.mp4")
    touch(tmp_path / "here", "a.mp4")
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "here")
    found = expand_inputs([str(tmp_path / "here")])
    assert found == [str(tmp_path / "here/a.mp4"), str(tmp_path / "here/link/b.mp4")]


def test_a_folder_that_cannot_be_read_is_an_error_and_a_subfolder_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.mp4", "locked/b.mp4")
    real = type(tmp_path).iterdir

    def iterdir(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    contents = folder_contents(tmp_path)
    assert contents.inputs == (tmp_path / "a.mp4",)
    assert "locked" in contents.left_out[0]
    with pytest.raises(SourceError, match="locked"):
        folder_contents(tmp_path / "locked")


def test_nothing_is_left_out_of_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.txt")
    assert resolve_input(os.fspath(tmp_path / "a.mp4")).left_out == ()


def test_a_folder_is_searched_once_for_its_inputs_and_for_what_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.mp4", "notes.txt", "below/b.mp4")
    searched: list[Path] = []
    real = type(tmp_path).iterdir

    def iterdir(path: Path) -> object:
        searched.append(path)
        return real(path)

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    found = resolve_input(str(tmp_path))
    assert found.inputs == (str(tmp_path / "a.mp4"), str(tmp_path / "below/b.mp4"))
    assert len(found.left_out) == 1
    assert sorted(searched) == [tmp_path, tmp_path / "below"]
