"""`steadymark live`, `cameras` and `bench live`, as a user runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.engine.sources import CameraInfo, CameraMode

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "steadymark.app"]


def run(*arguments: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home), **more}
    env |= {"XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    return subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, check=False, timeout=300
    )


def test_bench_live_prints_latency_rate_and_drops(tmp_path: Path) -> None:
    done = run("bench", "live", "--seconds", "1", "--size", "320x240", "--record", home=tmp_path)
    assert done.returncode == 0, done.stderr
    pattern = r"(latency, median|latency, 95 %|painted|recorded)\D+([\d.]+)"
    figures = {name: float(value) for name, value in re.findall(pattern, done.stdout)}
    assert set(figures) == {"latency, median", "latency, 95 %", "painted", "recorded"}
    assert 0 < figures["latency, median"] <= figures["latency, 95 %"]
    assert figures["painted"] > 5
    assert figures["recorded"] > 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["live", "film.mp4"], "neither a camera nor an address"),
        (["live", "camera:0", "--camera-mode", "big"], "is not a camera mode"),
        (["bench", "live", "--clip", "missing.mp4"], "does not exist"),
        (["bench", "live", "--size", "huge"], "is not a camera mode"),
    ],
)
def test_invalid_arguments_are_reported_in_one_sentence(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2
    assert words in done.output


def test_the_window_stays_open_when_the_stream_cannot_be_reached(tmp_path: Path) -> None:
    arguments = ("live", "http://127.0.0.1:9/video", "--send", "osf")
    done = run(*arguments, home=tmp_path, STEADYMARK_QUIT_AFTER_MS="600")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_cameras_are_listed_with_their_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = CameraInfo(2, "HD Webcam", "/dev/video2")
    monkeypatch.setattr("steadymark.engine.sources.list_cameras", lambda: (camera,))
    monkeypatch.setattr(
        "steadymark.engine.sources.camera_modes", lambda _: (CameraMode(1280, 720, 30, "MJPG"),)
    )
    done = CliRunner().invoke(cli.app, ["cameras"])
    assert done.exit_code == 0
    assert "camera:2  HD Webcam  /dev/video2" in done.output
    assert "1280x720@30 MJPG" in done.output
    monkeypatch.setattr("steadymark.engine.sources.list_cameras", tuple)
    assert "no camera was found" in CliRunner().invoke(cli.app, ["cameras"]).output
