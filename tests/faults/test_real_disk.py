"""A disk that is really full: a small tmpfs, which root may mount."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.program_runs import run_program, small_clip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAMES = 60
ROOM_KB = 224  # the table needs 165, and what is kept until its end 280


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if sys.platform != "linux" or mount is None:
        pytest.skip("no tmpfs here")
    command = [mount, "-t", "tmpfs", "-o", f"size={ROOM_KB}k", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a tmpfs may not be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_reported_and_tracking_with_more_room_completes_the_table(
    tmp_path: Path, small_disk: Path
) -> None:
    clip = small_clip(tmp_path / "a.mp4", FRAMES)
    code, text = run_program("track", clip, "--out", small_disk, "--device", "cpu")
    assert code == 2, text
    assert "the disk is full: free some space" in text
    partial = small_disk / "a.partial.csv"
    assert [p.name for p in small_disk.glob("a.*csv*")] == [partial.name]
    assert [f.severity for f in check_csv(partial)] == [Severity.WARNING]
    rows = len(read_landmarks(partial).frame)
    assert 20 < rows < FRAMES
    code, text = run_program("check", partial)
    assert code == 1
    assert f"{partial}: '.partial': the recording stopped before its end" in text
    remount = ["mount", "-o", "remount,size=1m", str(small_disk)]
    subprocess.run(remount, check=True)
    code, text = run_program("track", clip, "--out", small_disk, "--device", "cpu", "--resume")
    assert code == 0, text
    whole = small_disk / "a.csv"
    assert check_csv(whole) == ()
    assert list(read_landmarks(whole).frame) == list(range(FRAMES))
