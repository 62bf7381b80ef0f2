"""kill -9 and SIGTERM at any moment: rows stay valid, and resuming completes the results."""

from __future__ import annotations

import csv
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.program_runs import run_program, small_clip, start_program

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

CLIPS = {"a.mp4": 60, "b.mp4": 40}  # frames
TOTAL_SIZE = 250_000  # bytes of their tables, about


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, frames in CLIPS.items():
        small_clip(folder / name, frames)
    return folder


def arguments(clips: Path, out: Path) -> list[str | Path]:
    return ["track", clips, "--out", out, "--device", "cpu", "--resume"]


@pytest.fixture(scope="module")
def uninterrupted(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    code, text = run_program(*arguments(clips, out))
    assert code == 0, text
    tables = tables_in(out)
    assert sorted(tables) == ["a.csv", "b.csv"]
    return tables


def tables_in(folder: Path) -> dict[str, bytes]:
    """Return the finished tables of the clips."""
    paths = [folder / f"{name.removesuffix('.mp4')}.csv" for name in CLIPS]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def table_sizes(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of all tables; one that is being renamed may be missing."""
    found = {}
    for path in folder.rglob("[ab].*csv*") if folder.exists() else ():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        found[path] = facts.st_size, facts.st_mtime_ns
    return found


def stop_at(process: subprocess.Popen[str], out: Path, share: float, number: int) -> bool:
    """Send the signal when the run has written that share of the missing rows.

    Returns False when the program ended before.
    """
    end_s, before = time.monotonic() + 60, table_sizes(out)
    done = sum(size for path, (size, _) in before.items() if path.suffix == ".csv")
    signal_size = share * (TOTAL_SIZE - done)
    while share:
        now = table_sizes(out)
        if sum(facts[0] for path, facts in now.items() if before.get(path) != facts) >= signal_size:
            break
        if process.poll() is not None:
            process.communicate()
            return False
        assert time.monotonic() < end_s
        os.sched_yield()
    process.send_signal(number)
    text, _ = process.communicate(timeout=20)
    assert "Traceback" not in text, text
    return process.returncode != 0


def as_tracked(table: bytes) -> list[dict[str, str]]:
    """Return the whole rows of a table without what is only known when all of it is tracked."""
    lines = table[: table.rfind(b"\n") + 1].decode("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    later = {column.name for column in attribute_columns()}
    return [{name: value for name, value in row.items() if name not in later} for row in rows]


def check_remaining_files(out: Path, uninterrupted: dict[str, bytes]) -> int:
    """Check finished tables and the valid rows of the others; return the number of these rows."""
    index = out / "index.csv"
    if index.exists():  # complete at any moment
        rows_of = csv.DictReader(index.read_text("utf-8").splitlines())
        inputs = [Path(row["input"]).name for row in rows_of]
        assert set(inputs) <= set(CLIPS)
        assert len(inputs) == len(set(inputs))
    for name, content in tables_in(out).items():
        assert content == uninterrupted[name]
    rows = 0
    unfinished = [p for p in out.glob("[ab].*csv*") if p.name not in uninterrupted]
    for path in [p for p in unfinished if p.stat().st_size]:
        if path.suffix not in (".csv", ".part"):
            continue
        errors = [f for f in check_csv(path) if f.severity is Severity.ERROR]
        assert all("it was cut off" in f.text for f in errors), errors
        assert len(errors) <= 1
        whole = path.read_bytes()
        found = as_tracked(whole)
        assert as_tracked(uninterrupted[f"{path.name.split('.')[0]}.csv"])[: len(found)] == found
        if whole.count(b"\n") > 3:
            table = read_landmarks(path)
            assert list(table.frame) == list(range(len(table.frame)))
            rows += len(table.frame)
    return rows


def kill_and_resume(
    clips: Path, folder: Path, uninterrupted: dict[str, bytes], kills: int, seed: int
) -> list[int]:
    """Kill runs, up to three in a row per folder; return the rows that each kill left.

    Each run resumes the one before; the last run of a folder is not killed.
    """
    rng, remaining_rows = random.Random(seed), list[int]()
    while len(remaining_rows) < kills:
        out = folder / f"out{len(remaining_rows)}"
        for _ in range(min(3, kills - len(remaining_rows))):
            share = 0.0 if rng.random() < 0.1 else rng.random()
            killed = stop_at(start_program(*arguments(clips, out)), out, share, signal.SIGKILL)
            remaining_rows.append(check_remaining_files(out, uninterrupted))
            if not killed:
                break
        code, text = run_program(*arguments(clips, out))
        assert code == 0, text
        assert tables_in(out) == uninterrupted
    return remaining_rows


@pytest.mark.slow
def test_resuming_after_kills_gives_the_same_bytes(
    clips: Path, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    assert kill_and_resume(clips, tmp_path, uninterrupted, kills=3, seed=3)[0] > 0


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("STEADYMARK_KILLS"), reason="set STEADYMARK_KILLS to 20")
def test_resuming_after_many_kills_gives_the_same_bytes(
    clips: Path, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    kills = int(os.environ["STEADYMARK_KILLS"])
    remaining_rows = kill_and_resume(clips, tmp_path, uninterrupted, kills=kills, seed=20)
    assert len(set(remaining_rows)) > kills / 2  # the kills were spread over the run


def test_resuming_after_sigterm_gives_the_same_bytes_and_a_note(
    clips: Path, tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    process = start_program(*arguments(clips, tmp_path))
    assert stop_at(process, tmp_path, 0.1, signal.SIGTERM)
    assert process.returncode == 130
    assert check_remaining_files(tmp_path, uninterrupted) > 0
    assert not list(tmp_path.glob("*.part"))
    code, text = run_program(*arguments(clips, tmp_path))
    assert code == 0, text
    assert "tracking was interrupted before" in text
    assert tables_in(tmp_path) == uninterrupted
