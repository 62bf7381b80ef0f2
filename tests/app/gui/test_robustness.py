"""Whatever is done to the window, in whatever order, it goes on and ends in time."""

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
from support.window.random_user import Monkey
from support.window.window_driver import opened

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
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is chosen in dialogs that wait; every other one is cancelled."""
    model = str(write_model(tmp_path))
    asked: list[str] = []

    def answer(title: str, chosen: str) -> str:
        asked.append(title)
        return chosen if len(asked) % 2 else ""

    def to_open(_: object, title: str, *more: str) -> tuple[str, str]:
        kinds = more[-1] if more else ""
        return answer(title, model if "onnx" in kinds else str(tmp_path / "a.mp4")), ""

    def to_open_many(_: object, title: str, *__: str) -> tuple[list[str], str]:
        chosen = answer(title, str(tmp_path / "a.mp4"))
        return [chosen] if chosen else [], ""

    def to_save(_: object, title: str, start: str, kinds: str) -> tuple[str, str]:
        return answer(
            title, str(tmp_path / f"saved{len(asked)}{Path(kinds.split(';;')[0]).suffix}")
        ), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", to_open)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", to_save)
    monkeypatch.setattr(
        QFileDialog, "getExistingDirectory", lambda _, title, *__: answer(title, str(tmp_path))
    )
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", to_open_many)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("mine", len(asked) % 3 == 0))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: True)
    return asked


@pytest.mark.parametrize("seed", SEEDS)
def test_200_random_actions_in_a_row_leave_no_fault(
    qtbot: QtBot,
    window: MainWindow,
    clip: str,
    tmp_path: Path,
    device: PacedDevice,
    answers: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.chdir(tmp_path)  # what is typed into fields may be a folder to write to
    window._may_cancel_exports = lambda: True  # type: ignore[method-assign]
    told: list[str] = []
    window.session.told.connect(told.append)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(Path(clip).read_bytes()[:5000])
    other = str(square_video(tmp_path / "b.mp4", 60))
    clips = [clip, clip, other, other, str(broken), str(tmp_path / "none.mp4")]
    monkey = Monkey(window, clips, seed, device)
    for number in range(10 * ACTIONS):
        monkey.act()
        qtbot.wait(number % 4 * 4)
        missing = [kind for kind in KINDS if not any(d.startswith(kind) for d in monkey.done)]
        if number + 1 >= ACTIONS and not missing:
            break
    assert missing == [], monkey.done
    assert answers
    assert [r.getMessage() for r in caplog.records] == [], monkey.done
    assert [text for text in told if "Error" in text or "unexpected" in text] == [], monkey.done
    window.session.close_shown()
    window.open_path(clip)  # and it still works
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=30000)
    QApplication.setPalette(QApplication.style().standardPalette())


@pytest.mark.slow
def test_the_same_in_a_real_window_under_xvfb(tmp_path: Path) -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no Xvfb here: apt-get install xvfb to run this test")
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    env |= {"QT_QPA_PLATFORM": "xcb", "STEADYMARK_SEEDS": "7"}
    probe = "from PySide6.QtWidgets import QApplication; QApplication([])"
    started = subprocess.run(
        [*screen, sys.executable, "-c", probe],
        env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if "platform plugin" in started.stderr:
        pytest.skip("Qt's xcb plugin does not load: install the libraries that the README names")
    assert started.returncode == 0, started.stderr
    test = f"{HERE}::test_200_random_actions_in_a_row_leave_no_fault"
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
    early = {
        "tracking": lambda: None,
        "playing fast": lambda: session.recording.set_speed(4.0),
        "paused": session.recording.toggle_tracking,
    }
    if state in early:
        early[state]()
        return
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED, timeout=20000)
    late = {
        "finished": lambda: None,
        "tracking again": session.recording.retrack,
        "filtering": lambda: session.use_settings(replace(session.settings, stabilizer="one-euro")),
        "exporting": lambda: window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4"),
        "saving": lambda: window.files.save_frame(tmp_path / "frame.png"),
        "checking a model": lambda: window.options.own_models.add(write_model(tmp_path)),
        "asking": window.actions_by_name["shortcuts"].trigger,
        "tracking twice": lambda: window._compare((RAW, Variant("none", "dan-lite"))),
        "seeing heatmaps": window.actions_by_name["heatmaps"].trigger,
    }
    late[state]()


@pytest.mark.parametrize(
    "state",
    [
        "empty", "opening", "tracking", "playing fast", "paused", "finished", "tracking again",
        "filtering", "exporting", "saving", "checking a model", "asking", "failed",
        "tracking twice", "seeing heatmaps",
    ],
)  # fmt: skip
def test_quitting_in_any_state_ends_in_two_seconds_with_no_thread_left(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, state: str
) -> None:
    window._may_cancel_exports = lambda: True  # type: ignore[method-assign]
    bring_to(state, qtbot, window, clip, tmp_path)
    begun = time.monotonic()
    assert window.close()
    assert time.monotonic() - begun < QUIT_S
    assert window.closed_in_time


def test_while_an_export_runs_closing_asks(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip)
    asked = []
    window._may_cancel_exports = lambda: bool(asked.append(1))  # type: ignore[method-assign, func-returns-value]
    window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4")
    assert not window.close()
    assert asked == [1]
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
