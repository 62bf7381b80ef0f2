"""Ctrl-C and kill, on the real program with the shipped weights."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.models.face.schema import assets_root

ROOT = Path(__file__).resolve().parents[3]
DEMO = assets_root() / "clips" / "demo.mp4"


def has_rows(folder: Path) -> bool:
    """Return whether an unfinished table in the folder has some rows."""
    for part in folder.glob("*.csv.part"):
        with contextlib.suppress(FileNotFoundError):  # it was renamed in the meantime
            if part.stat().st_size > 50_000:
                return True
    return False


def start_tracking(folder: Path, jobs: int, *options: str) -> subprocess.Popen[str]:
    """Start `steadymark track` on two copies of the demo clip and wait for rows on disk."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("app", "engine", "models"))
    second = folder / "second.mp4"
    if not second.exists():
        second.symlink_to(DEMO)
    command = ["track", str(DEMO), str(second), "--out", str(folder / "out"), "--device", "cpu"]
    command += ["--jobs", str(jobs), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "steadymark.app", *command],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not has_rows(folder / "out"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        os.sched_yield() if hasattr(os, "sched_yield") else None
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "jobs"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)], ids=["Ctrl-C", "SIGTERM"]
)
def test_ctrl_c_keeps_the_tracked_rows_and_starts_no_other_video(
    tmp_path: Path, number: int, jobs: int
) -> None:
    process = start_tracking(tmp_path, jobs)
    process.send_signal(number)
    out, error = process.communicate(timeout=20)
    assert process.returncode == 130, out + error
    assert "Traceback" not in out + error
    assert "stopped" in out
    names = {path.name for path in (tmp_path / "out").iterdir()} - {"index.csv"}
    partial = {name for name in names if name.endswith(".partial.csv")}
    if jobs == 1:
        assert names == partial == {"demo.partial.csv"}
    assert partial
    assert names <= {
        f"{video}{end}.csv" for video in ("demo", "second") for end in ("", ".partial")
    }
    for name in names:
        assert {f.severity for f in check_csv(tmp_path / "out" / name)} <= {Severity.WARNING}
        table = read_landmarks(tmp_path / "out" / name)
        assert list(table.frame) == list(range(len(table.frame)))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_program_leaves_valid_rows_and_can_be_resumed(tmp_path: Path) -> None:
    process = start_tracking(tmp_path, 2, "--end", "4")
    process.kill()
    process.communicate(timeout=20)
    parts = list((tmp_path / "out").glob("*.csv.part"))
    assert max(len(read_landmarks(part).frame) for part in parts) > 10
    process = start_tracking(
        tmp_path, 2, "--end", "4", "--resume"
    )  # succeeds only when no process still writes
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, out + error
    demo, second = (
        (tmp_path / "out" / f"{name}.csv").read_bytes().splitlines() for name in ("demo", "second")
    )
    assert demo[2:] == second[2:]
    assert len(demo) > 80
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["demo.csv", "index.csv", "second.csv"]
