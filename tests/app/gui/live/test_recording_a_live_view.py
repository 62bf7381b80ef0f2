"""A camera recorded from the real window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QPushButton

from steadymark.app.gui.live import live_preferences
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_a_recording_by_key_reports_the_names_of_its_files(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    key(window, "record")
    assert window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: "● 0:0" in window.live_bar.recording.text())
    wait_for_frames(qtbot, window, 10)
    key(window, "record")
    assert not window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    video, table = sorted(tmp_path.glob("recordings/*.mp4")) + sorted(
        tmp_path.glob("recordings/*.csv")
    )
    text = window.messages.texts[0]
    assert f"saved: {video.name} and {table.name} in {video.parent}, " in text
    assert len(read_landmarks(table).frame) >= 5
    wait_for_frames(qtbot, window)
    buttons = window.messages._shown[0].findChildren(QPushButton)
    next(b for b in buttons if b.text() == "Open").click()
    qtbot.waitUntil(lambda: window.session.display.has_recording)
    assert not window.live_bar.isVisible()


def test_a_missing_folder_is_reported_and_the_live_view_continues(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    window.live_controller._store(
        replace(window.live_controller.live_preferences, folder=str(tmp_path / "nowhere"))
    )
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "the folder does not exist" in window.messages.texts[0]
    assert not window.actions_by_name["record"].isChecked()
    wait_for_frames(qtbot, window)


def test_recordings_are_written_to_the_default_folder_which_is_created(
    qtbot: QtBot,
    window: MainWindow,
    device: PacedDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    default_folder = tmp_path / "home" / "Videos"
    monkeypatch.setattr(live_preferences, "default_folder", lambda: str(default_folder))
    window.live_controller._store(
        replace(window.live_controller.live_preferences, folder=str(default_folder))
    )
    start_live_view(qtbot, window)
    assert str(default_folder) in window.actions_by_name["record"].toolTip()
    key(window, "record")
    wait_for_frames(qtbot, window)
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert len(list(default_folder.iterdir())) == 2
