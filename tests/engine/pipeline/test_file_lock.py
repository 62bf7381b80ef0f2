"""Files that several programs write: no data is lost, and dead programs block nobody."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.core import file_lock
from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.file_lock import open_locked
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.pipeline.job import JobReport
from steadymark.models.user_text import UserText
from support.index_writers import LINES, hold_lock, write_lines

if TYPE_CHECKING:
    from pathlib import Path

SPAWN = multiprocessing.get_context("spawn")
WRITERS = 4


def test_processes_that_write_an_index_together_lose_no_line(tmp_path: Path) -> None:
    barrier = SPAWN.Barrier(WRITERS)
    writers = [
        SPAWN.Process(target=write_lines, args=(tmp_path, i, barrier)) for i in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(100)
        assert writer.exitcode == 0
    index = ResultsIndex(tmp_path)
    for number in range(WRITERS):
        for line in range(LINES):
            assert index.find(f"camera:{number}-{line}") is not None
    assert [p.name for p in tmp_path.iterdir()] == ["index.csv"] or sys.platform == "win32"


def test_a_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    receiving, sending = SPAWN.Pipe()
    holder = SPAWN.Process(target=hold_lock, args=(tmp_path / "lock", sending))
    holder.start()
    sending.close()  # so that recv fails when the holder fails
    assert receiving.recv() == "held"
    assert open_locked(tmp_path / "lock") is None
    holder.kill()
    holder.join()
    assert (tmp_path / "lock").exists()
    handle = open_locked(tmp_path / "lock")
    assert handle is not None
    os.close(handle)


def test_a_lock_that_is_held_too_long_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_lock, "_PATIENCE_S", 0.05)
    handle = open_locked(tmp_path / ".index.csv.lock")
    assert handle is not None
    ResultsIndex(tmp_path).end("camera:0", JobReport("a", error=UserText("x")))
    os.close(handle)
    assert ResultsIndex(tmp_path).find("camera:0") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks")
@pytest.mark.parametrize("fault", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_files_are_written_on_disks_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def raise_fault(*_: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("fcntl.flock", raise_fault)
    ResultsIndex(tmp_path).end("camera:0", JobReport("a", error=UserText("x")))
    file = RowFile(tmp_path / "a.csv")
    file.open()
    file.add("1\n")
    file.close(complete=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "index.csv"]


def test_a_file_that_another_program_writes_is_refused(tmp_path: Path) -> None:
    first, second = RowFile(tmp_path / "a.csv"), RowFile(tmp_path / "a.csv")
    first.open()
    first.add("1\n")
    for live in (False, True):
        with pytest.raises(SinkError, match=r"a.csv is being written by another program: wait"):
            second.open(live=live)
        second.close(complete=True)
    first.add("2\n")
    first.close(complete=True)
    assert (tmp_path / "a.csv").read_text() == "1\n2\n"
    second.open()
    second.add("3\n")
    second.close(complete=True)
    assert (tmp_path / "a.csv").read_text() == "3\n"


def test_a_file_that_is_renamed_before_the_lock_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv.part"
    path.write_text("all rows")
    lock, calls = file_lock._lock, list[int]()

    def rename_before_lock(handle: int) -> bool:
        calls.append(handle)
        if len(calls) == 1:
            path.replace(tmp_path / "a.csv")
        return lock(handle)

    monkeypatch.setattr(file_lock, "_lock", rename_before_lock)
    handle = open_locked(path)
    assert handle is not None
    os.write(handle, b"other rows")
    os.close(handle)
    assert (tmp_path / "a.csv").read_text() == "all rows"
