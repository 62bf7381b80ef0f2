"""A camera recorded from the real window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QPushButton

from steadymark.app.gui.live import live_preferences
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.window.live_window_driver import came_on, watched
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_what_is_recorded_by_key_is_told_with_its_names(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    key(window, "record")
    assert window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: "● 0:0" in window.live_bar.recording.text())
    came_on(qtbot, window, 10)
    key(window, "record")
    assert not window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    video, table = sorted(tmp_path.glob("recordings/*.mp4")) + sorted(
        tmp_path.glob("recordings/*.csv")
    )
    assert f"{video.name} and {table.name} are written" in window.messages.texts[0]
    assert len(read_landmarks(table).frame) >= 5
    came_on(qtbot, window)
    buttons = window.messages._shown[0].findChildren(QPushButton)
    next(b for b in buttons if b.text() == "Open").click()
    qtbot.waitUntil(lambda: window.session.display.has_film)
    assert not window.live_bar.isVisible()


def test_a_folder_that_is_gone_is_told_and_the_view_goes_on(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    window.desk._keep(replace(window.desk.kept, folder=str(tmp_path / "nowhere")))
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "the folder does not exist" in window.messages.texts[0]
    assert not window.actions_by_name["record"].isChecked()
    came_on(qtbot, window)


def test_recordings_go_where_videos_are_kept_which_is_made_and_told(
    qtbot: QtBot,
    window: MainWindow,
    device: PacedDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    movies = tmp_path / "home" / "Videos"
    monkeypatch.setattr(live_preferences, "default_folder", lambda: str(movies))
    window.desk._keep(replace(window.desk.kept, folder=str(movies)))
    watched(qtbot, window)
    assert str(movies) in window.actions_by_name["record"].toolTip()
    key(window, "record")
    came_on(qtbot, window)
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert len(list(movies.iterdir())) == 2
