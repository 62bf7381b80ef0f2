"""The window survives random actions in any order and closes in time."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog

from steadymark.app.session.analysis.variants import RAW, Variant
from steadymark.app.session.export import ExportKind
from steadymark.app.session.state import Phase
from steadymark.models.face.schema import assets_root
from support.fakes.small_model import write_model
from support.videos.square_video import square_video
from support.window.random_user import RandomUser
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice

HERE = Path(__file__)
ROOT = HERE.resolve().parents[3]
ACTIONS = 200
KINDS = ("command", "key", "choose", "drag", "press", "type", "drop", "open", "watch")
SEEDS = [int(seed) for seed in os.environ.get("STEADYMARK_SEEDS", "7").split()]
QUIT_S = 2.0


@pytest.fixture
def dialog_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Answer modal dialogs, and cancel every second one; return the titles of the dialogs."""
    model = str(write_model(tmp_path))
    questions: list[str] = []

    def answer(title: str, chosen: str) -> str:
        questions.append(title)
        return chosen if len(questions) % 2 else ""

    def choose_to_open(_: object, title: str, *more: str) -> tuple[str, str]:
        kinds = more[-1] if more else ""
        return answer(title, model if "onnx" in kinds else str(tmp_path / "a.mp4")), ""

    def choose_several_to_open(_: object, title: str, *__: str) -> tuple[list[str], str]:
        chosen = answer(title, str(tmp_path / "a.mp4"))
        return [chosen] if chosen else [], ""

    def choose_to_save(_: object, title: str, start: str, kinds: str) -> tuple[str, str]:
        return answer(
            title, str(tmp_path / f"saved{len(questions)}{Path(kinds.split(';;')[0]).suffix}")
        ), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", choose_to_open)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose_to_save)
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda _, title, *__: answer(title, str(tmp_path))
    )
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", choose_several_to_open)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("mine", len(questions) % 3 == 0))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    return questions


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_200_random_actions_leave_no_fault(
    qtbot: QtBot,
    window: MainWindow,
    clip: str,
    tmp_path: Path,
    device: PacedDevice,
    dialog_answers: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.chdir(tmp_path)  # the typed text may be a folder that is written to
    window.close_questions.ask = lambda *_: 1  # type: ignore[method-assign]
    messages: list[str] = []
    window.session.message_posted.connect(messages.append)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(Path(clip).read_bytes()[:5000])
    other = str(square_video(tmp_path / "b.mp4", 60))
    clips = [clip, clip, other, other, str(broken), str(tmp_path / "none.mp4")]
    random_user = RandomUser(window, clips, seed, device)
    for number in range(10 * ACTIONS):
        random_user.act()
        qtbot.wait(number % 4 * 4)
        missing = [kind for kind in KINDS if not any(d.startswith(kind) for d in random_user.done)]
        if number + 1 >= ACTIONS and not missing:
            break
    assert missing == [], random_user.done
    assert dialog_answers
    assert [r.getMessage() for r in caplog.records] == [], random_user.done
    assert [text for text in messages if "Error" in text or "unexpected" in text] == [], (
        random_user.done
    )
    window.session.close_source()
    window.open_path(clip)  # the window still works
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=30000)
    QApplication.setPalette(QApplication.style().standardPalette())


@pytest.mark.slow
def test_random_actions_leave_no_fault_in_a_real_window_under_xvfb(tmp_path: Path) -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no Xvfb here: apt-get install xvfb to run this test")
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"QT_QPA_PLATFORM": "xcb", "STEADYMARK_SEEDS": "7"}
    probe = "from PySide6.QtWidgets import QApplication; QApplication([])"
    probe_run = subprocess.run(
        [*screen, sys.executable, "-c", probe],
        env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if "platform plugin" in probe_run.stderr:
        pytest.skip("Qt's xcb plugin does not load: install the libraries that the README names")
    assert probe_run.returncode == 0, probe_run.stderr
    test = f"{HERE}::test_200_random_actions_leave_no_fault"
    run = subprocess.run(
        [*screen, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test,
         f"--basetemp={tmp_path / 'inner'}"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no Xvfb")
def test_the_program_opens_tracks_and_quits_in_a_real_window(tmp_path: Path) -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no Xvfb here: apt-get install xvfb to run this test")
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"QT_QPA_PLATFORM": "xcb", "STEADYMARK_QUIT_AFTER_MS": "1500", "HOME": str(tmp_path)}
    env |= {"XDG_STATE_HOME": str(tmp_path / "s"), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    clip = str(assets_root() / "clips" / "demo.mp4")
    command = [sys.executable, "-m", "steadymark.app", "open", clip]
    run = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command],
        env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if "platform plugin" in run.stderr:
        pytest.skip("Qt's xcb plugin does not load: install the libraries that the README names")
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    log = (tmp_path / "s" / "steadymark" / "log" / "steadymark.log").read_text("utf-8")
    assert "ready" in log
    assert "ERROR" not in log


def bring_to(state: str, qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path) -> None:
    session = window.session
    if state == "empty":
        return
    window.open_path(str(tmp_path / "none.mp4") if state == "failed" else clip)
    if state == "failed":
        qtbot.waitUntil(lambda: bool(window.messages.texts))
    if state in ("opening", "failed"):
        return
    qtbot.waitUntil(lambda: window.view.shown is not None)
    before_finished = {
        "tracking": lambda: None,
        "playing fast": lambda: session.recording.set_speed(4.0),
        "paused": session.recording.toggle_tracking,
    }
    if state in before_finished:
        before_finished[state]()
        return
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED, timeout=20000)
    after_finished = {
        "finished": lambda: None,
        "tracking again": session.recording.retrack,
        "filtering": lambda: session.use_settings(replace(session.settings, stabilizer="one-euro")),
        "exporting": lambda: window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4"),
        "saving": lambda: window.files.save_frame(tmp_path / "frame.png"),
        "checking a model": lambda: window.options.own_models.add(write_model(tmp_path)),
        "asking": window.actions_by_name["shortcuts"].trigger,
        "tracking twice": lambda: window.comparison.compare((RAW, Variant("none", "dan-lite"))),
        "seeing heatmaps": window.actions_by_name["heatmaps"].trigger,
    }
    after_finished[state]()


@pytest.mark.parametrize(
    "state",
    [
        "empty", "opening", "tracking", "playing fast", "paused", "finished", "tracking again",
        "filtering", "exporting", "saving", "checking a model", "asking", "failed",
        "tracking twice", "seeing heatmaps",
    ],
)  # fmt: skip
def test_closing_in_any_state_takes_two_seconds_and_leaves_no_thread(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, state: str
) -> None:
    window.close_questions.ask = lambda *_: 1  # type: ignore[method-assign]
    bring_to(state, qtbot, window, clip, tmp_path)
    start_s = time.monotonic()
    assert window.close()
    assert time.monotonic() - start_s < QUIT_S
    assert window.closed_in_time


def test_closing_during_an_export_asks_first(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    questions: list[str] = []
    window.close_questions.ask = lambda title, *_: questions.append(title) or 2  # type: ignore[method-assign, func-returns-value]
    window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4")
    assert not window.close()
    assert questions == ["Export in progress"]
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
