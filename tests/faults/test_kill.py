"""kill -9 and SIGTERM at any moment: rows are valid, and resuming ends as if nothing had been."""

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

from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.program_runs import run, small_clip, started

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

CLIPS = {"a.mp4": 60, "b.mp4": 40}  # frames
WHOLE = 250_000  # bytes of their tables, about


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name, frames in CLIPS.items():
        small_clip(folder / name, frames)
    return folder


def arguments(clips: Path, out: Path) -> list[str | Path]:
    return ["track", clips, "--out", out, "--device", "cpu", "--resume"]


@pytest.fixture(scope="module")
def undisturbed(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    code, text = run(*arguments(clips, out))
    assert code == 0, text
    tables = tables_in(out)
    assert sorted(tables) == ["a.csv", "b.csv"]
    return tables


def tables_in(folder: Path) -> dict[str, bytes]:
    """The finished ones of our clips."""
    paths = [folder / f"{name.removesuffix('.mp4')}.csv" for name in CLIPS]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def sizes(folder: Path) -> dict[Path, tuple[int, int]]:
    """Of tables, finished or not, and when they were written; what is renamed now may be missed."""
    found = {}
    for path in folder.rglob("[ab].*csv*") if folder.exists() else ():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        found[path] = facts.st_size, facts.st_mtime_ns
    return found


def stop_at(process: subprocess.Popen[str], out: Path, share: float, number: int) -> bool:
    """Send the signal when the run has written that share of what is missing.

    False where the program ended before that.
    """
    end_s, before = time.monotonic() + 60, sizes(out)
    done = sum(size for path, (size, _) in before.items() if path.suffix == ".csv")
    moment = share * (WHOLE - done)
    while share:
        now = sizes(out)
        if sum(facts[0] for path, facts in now.items() if before.get(path) != facts) >= moment:
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


def check_what_is_left(out: Path, undisturbed: dict[str, bytes]) -> int:
    """Finished tables are right; the rest are valid up to their last row. Rows of these."""
    index = out / "index.csv"
    if index.exists():  # whole at any moment
        rows_of = csv.DictReader(index.read_text("utf-8").splitlines())
        inputs = [Path(row["input"]).name for row in rows_of]
        assert set(inputs) <= set(CLIPS)
        assert len(inputs) == len(set(inputs))
    for name, content in tables_in(out).items():
        assert content == undisturbed[name]
    rows = 0
    unfinished = [p for p in out.glob("[ab].*csv*") if p.name not in undisturbed]
    for path in [p for p in unfinished if p.stat().st_size]:
        if path.suffix not in (".csv", ".part"):
            continue
        errors = [f for f in check_csv(path) if f.severity is Severity.ERROR]
        assert all("it was cut off" in f.text for f in errors), errors
        assert len(errors) <= 1
        whole = path.read_bytes()
        assert undisturbed[f"{path.name.split('.')[0]}.csv"].startswith(whole)
        if whole.count(b"\n") > 3:
            table = read_landmarks(path)
            assert list(table.frame) == list(range(len(table.frame)))
            rows += len(table.frame)
    return rows


def kill_and_resume(
    clips: Path, folder: Path, undisturbed: dict[str, bytes], kills: int, seed: int
) -> list[int]:
    """So many kills, up to three after each other in a folder; the rows that each left.

    Each run goes on with what the last one left; the last one of a folder is not disturbed.
    """
    rng, left = random.Random(seed), list[int]()
    while len(left) < kills:
        out = folder / f"out{len(left)}"
        for _ in range(min(3, kills - len(left))):
            share = 0.0 if rng.random() < 0.1 else rng.random()
            killed = stop_at(started(*arguments(clips, out)), out, share, signal.SIGKILL)
            left.append(check_what_is_left(out, undisturbed))
            if not killed:
                break
        code, text = run(*arguments(clips, out))
        assert code == 0, text
        assert tables_in(out) == undisturbed
    return left


def test_resuming_after_kills_gives_the_same_bytes(
    clips: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    assert kill_and_resume(clips, tmp_path, undisturbed, kills=3, seed=3)[0] > 0


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("STEADYMARK_KILLS"), reason="set STEADYMARK_KILLS to 20")
def test_resuming_after_many_kills_gives_the_same_bytes(
    clips: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    kills = int(os.environ["STEADYMARK_KILLS"])
    left = kill_and_resume(clips, tmp_path, undisturbed, kills=kills, seed=20)
    assert len(set(left)) > kills / 2  # they were spread


def test_resuming_after_sigterm_gives_the_same_bytes_and_says_so(
    clips: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    process = started(*arguments(clips, tmp_path))
    assert stop_at(process, tmp_path, 0.1, signal.SIGTERM)
    assert process.returncode == 130
    assert check_what_is_left(tmp_path, undisturbed) > 0
    assert not list(tmp_path.glob("*.part"))
    code, text = run(*arguments(clips, tmp_path))
    assert code == 0, text
    assert "it was interrupted before, and is tracked anew" in text
    assert tables_in(tmp_path) == undisturbed
