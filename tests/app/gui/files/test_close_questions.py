"""Closing the window while something is still being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from steadymark.app.session.export import ExportKind
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def answer(window: MainWindow, index: int) -> list[tuple[str, ...]]:
    """Answer every question with the choice of this index; return what was offered."""
    offered: list[tuple[str, ...]] = []

    def ask(title: str, text: str, choices: Sequence[str]) -> int:
        offered.append(tuple(choices))
        return index

    window.close_questions.ask = ask  # type: ignore[method-assign]
    return offered


def test_the_first_choice_is_the_default_and_escape_chooses_the_last(
    qtbot: QtBot, window: MainWindow
) -> None:
    seen: list[str] = []

    def press(accept: bool) -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box.defaultButton().text())
        escape = box.escapeButton()
        assert isinstance(escape, QPushButton)
        (box.defaultButton() if accept else escape).click()

    choices = ("Save", "Lose", "Stay")
    QTimer.singleShot(0, lambda: press(True))
    assert window.close_questions.ask("A title", "A question?", choices) == 0
    QTimer.singleShot(0, lambda: press(False))
    assert window.close_questions.ask("A title", "A question?", choices) == 2
    assert seen == ["Save", "Save"]


def test_closing_during_a_recording_saves_it_and_then_quits(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    key(window, "record")
    wait_for_frames(qtbot, window, 10)
    offered = answer(window, 0)
    assert not window.close()
    assert offered == [("Save and quit", "Continue recording")]
    qtbot.waitUntil(lambda: not window.isVisible())
    (table,) = tmp_path.glob("recordings/*.csv")
    assert len(read_landmarks(table).frame) > 0
    assert window.closed_in_time


def test_a_recording_continues_if_the_user_does_not_quit(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    key(window, "record")
    answer(window, 1)
    assert not window.close()
    assert window.session.live.is_recording
    assert window.isVisible()


def test_the_record_command_says_what_it_does(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    record = window.actions_by_name["record"]
    assert (record.iconText(), record.text()) == ("Record", "&Record video and table")
    key(window, "record")
    assert (record.iconText(), record.text()) == ("Stop recording", "Stop &recording")
    assert record.toolTip().startswith("Stop recording (")
    wait_for_frames(qtbot, window, 10)
    key(window, "play")  # stops the camera, and with it the recording
    assert record.iconText() == "Record"
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.messages.texts[0].startswith("The recording was saved: ")


def test_closing_during_an_export_can_wait_for_it(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    offered = answer(window, 0)
    path = tmp_path / "out.csv"
    window.files.export(ExportKind.TABLE, path)
    assert not window.close()
    assert offered == [("Wait, then quit", "Cancel the export and quit", "Do not quit")]
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=20000)
    assert len(set(read_landmarks(path).frame.tolist())) == 120


def test_waiting_for_an_export_can_be_given_up(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    answer(window, 0)
    window.files.export(ExportKind.TABLE, tmp_path / "out.csv")
    assert not window.close()
    (stay,) = [b for b in window.messages.findChildren(QPushButton) if b.text() == "Do not quit"]
    stay.click()
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
    qtbot.waitUntil(lambda: any("was written" in text for text in window.messages.texts))
    assert window.isVisible()
