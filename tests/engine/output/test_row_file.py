"""Rows are written immediately, and each as a whole or not at all."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.output.csv.row_file import RowFile

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


class FullFile:
    """A file on a disk with room for a few bytes, which writes only a part of a row."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written: int = self._file.write(data[: self._room])
        self._room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_an_incomplete_row_is_removed_when_the_disk_is_full(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "a.csv")
    rows.open()
    rows._file = FullFile(rows._file, 15)  # type: ignore[assignment]
    rows.add("0,1,2,3\n")
    with pytest.raises(SinkError, match="the disk is full"):
        rows.add("1,2,3,4\n")
    rows.close(complete=True)
    assert rows.path.name == "a.partial.csv"
    assert rows.path.read_text() == "0,1,2,3\n"


def test_a_row_is_on_disk_as_soon_as_it_is_added(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "a.csv")
    rows.open()
    rows.add("0,1,2,3\n")
    assert (tmp_path / "a.csv.part").read_text() == "0,1,2,3\n"
    rows.close(complete=True)


def test_a_folder_with_the_same_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    rows = RowFile(tmp_path / "a.csv")
    rows.open()
    rows.add("a row\n")
    with pytest.raises(SinkError, match="folder of that name"):
        rows.close(complete=True)
    assert (tmp_path / "a.csv.part").exists()
