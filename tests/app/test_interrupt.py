"""Ctrl-C and kill, on the real program with the shipped weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steadymark.engine.recording.checking import Severity, check_csv
from steadymark.engine.recording.reading import read_landmarks
from steadymark.models.schema import assets_root

ROOT = Path(__file__).resolve().parents[2]
DEMO = assets_root() / "clips" / "demo.mp4"


def started(folder: Path) -> subprocess.Popen[str]:
    """`steadymark track` on the demo clip twice over, waited for until rows are on disk."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("app", "engine", "models"))
    second = folder / "second.mp4"
    second.symlink_to(DEMO)
    command = ["track", str(DEMO), str(second), "--out", str(folder / "out"), "--device", "cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "steadymark.app", *command],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = folder / "out" / "demo.csv.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 50_000):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        os.sched_yield() if hasattr(os, "sched_yield") else None
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_ctrl_c_leaves_what_is_tracked_and_begins_nothing_new(tmp_path: Path, number: int) -> None:
    process = started(tmp_path)
    process.send_signal(number)
    out, error = process.communicate(timeout=20)
    assert process.returncode == 130, out + error
    assert "Traceback" not in out + error
    assert "stopped" in out
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["demo.partial.csv"]
    partial = tmp_path / "out" / "demo.partial.csv"
    assert {f.severity for f in check_csv(partial)} <= {Severity.WARNING}
    table = read_landmarks(partial)
    assert list(table.frame) == list(range(len(table.frame)))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_program_leaves_valid_rows(tmp_path: Path) -> None:
    process = started(tmp_path)
    process.kill()
    process.communicate(timeout=20)
    table = read_landmarks(tmp_path / "out" / "demo.csv.part")
    assert len(table.frame) > 10
