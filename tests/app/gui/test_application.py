"""The program as a process: with a display, without one, killed, and asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from steadymark.app.gui.application import has_display, offer_recovery
from steadymark.app.session.recording.crash_recovery import SessionStore, find_sessions
from steadymark.app.session.settings_values import settings_from_dict, settings_to_dict
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import assets_root, load_schema
from support.fakes.fake_results import moving_results, source_info
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

COMMAND = [sys.executable, "-m", "steadymark.app"]


def environment(home: Path, **more: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**env, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), **more}


def wait_until(condition: Callable[[], bool], patience_s: float = 30) -> None:
    """Wait for a condition of another process."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline
        Event().wait(0.02)


def test_without_a_display_the_program_says_what_to_do(tmp_path: Path) -> None:
    env = environment(tmp_path)
    env.pop("QT_QPA_PLATFORM", None)
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is always a display here")
    run = subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 2
    assert "no display" in run.stderr
    assert "steadymark track" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_display_that_does_not_answer_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("", ":4711", "nonsense"):
        monkeypatch.setenv("DISPLAY", name)
        assert not has_display()


def test_the_program_quits_after_the_time_of_the_environment_variable(tmp_path: Path) -> None:
    env = environment(tmp_path, QT_QPA_PLATFORM="offscreen", STEADYMARK_QUIT_AFTER_MS="300")
    run = subprocess.run(COMMAND, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM")
def test_sigterm_closes_the_window_properly(tmp_path: Path) -> None:
    env = environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    with subprocess.Popen(COMMAND, env=env, stderr=subprocess.PIPE) as run:
        log = tmp_path / "state" / "steadymark" / "log" / "steadymark.log"
        try:
            wait_until(lambda: log.is_file() and "ready" in log.read_text("utf-8"))
            run.send_signal(signal.SIGTERM)
            assert run.wait(10) == 0
        finally:
            run.kill()


def test_a_crashed_session_is_offered_and_recovered(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    clip = square_video(tmp_path / "a.mp4", 60)
    root = tmp_path / "crashed"
    store = SessionStore(root, str(clip), settings_to_dict(TrackSettings()))
    sink = store.sink(1, load_schema("ibug68"), print)
    sink.open(source_info())
    for result in moving_results(40):
        sink.write(result)
    sink.close(complete=False)
    store._lock.unlock()
    offer_recovery(window, root)
    assert "40 tracked frames of a.mp4" in window.messages.texts[0]
    message = window.messages._shown[0]
    message.findChildren(type(window.start_page.open_button))[0].click()
    qtbot.waitUntil(lambda: window.session.display.share == 1.0, timeout=20000)
    results = window.session.results
    assert results is not None
    assert results.restarted()[40]
    faces = results.faces(0)
    assert faces is not None
    assert faces[0].face_id == moving_results(1)[0].faces[0].face_id
    assert find_sessions(root) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_program_has_saved_its_results(tmp_path: Path) -> None:
    env = environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    root = tmp_path / "state" / "steadymark" / "sessions"
    clip = assets_root() / "clips" / "demo.mp4"

    def rows() -> int:
        return sum(p.read_bytes().count(b"\n") - 3 for p in root.glob("*/piece-*"))

    with subprocess.Popen([*COMMAND, "open", str(clip)], env=env) as run:
        try:
            wait_until(lambda: rows() > 50)
            rows_before_kill = rows()
        finally:
            run.kill()
        run.wait(10)
    (found,) = find_sessions(root)
    assert found.source == str(clip)
    assert found.frames >= rows_before_kill
    assert settings_from_dict(found.settings) == TrackSettings()
