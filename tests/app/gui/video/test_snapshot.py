"""Snapshots show the frame at the time of the request and never replace other files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox

from steadymark.app.gui.files.exports_list import unused_path
from steadymark.app.gui.video.snapshot import paint_snapshot
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key, open_video, shows

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


@pytest.fixture
def suggested_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Accept every name that the dialog suggests, and return these names."""
    names: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        names.append(start)
        return start, kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    return names


def test_live_snapshots_are_named_by_time_and_never_replace_each_other(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, suggested_names: list[str]
) -> None:
    start_live_view(qtbot, window)
    for count in (1, 2, 3):
        wait_for_frames(qtbot, window)
        key(window, "export_frame")
        qtbot.waitUntil(lambda: len(list(Path(suggested_names[-1]).parent.glob("*.png"))) == count)  # noqa: B023
    assert len(set(suggested_names)) == 3
    assert all(
        re.search(r"-\d{8}-\d{6}(-\d)?\.png$|_\d{8}-\d{6}(-\d)?\.png$", n) for n in suggested_names
    )


def test_a_snapshot_shows_the_frame_that_was_visible_when_it_was_requested(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    window.session.recording.seek(30)
    qtbot.waitUntil(lambda: shows(window, 30))
    assert window.view.shown is not None
    expected = paint_snapshot(window.view.shown, window.session.display)

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        window.session.recording.seek(90)
        qtbot.waitUntil(lambda: shows(window, 90))
        return start, kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    key(window, "export_frame")
    path = Path(clip).with_name("a_30.png")
    qtbot.waitUntil(lambda: any("a_30.png" in text for text in window.messages.texts))
    saved = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    assert saved == expected.convertToFormat(QImage.Format.Format_RGB32)
    assert unused_path(str(path)).endswith("a_30-2.png")


def test_a_file_is_replaced_only_after_a_question_when_the_suffix_is_added(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    existing = tmp_path / "mine.csv"
    existing.write_text("kept", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    answer = QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    key(window, "export_table_native")
    assert window.exports.running == 0
    assert existing.read_text(encoding="utf-8") == "kept"
    answer = QMessageBox.StandardButton.Yes
    key(window, "export_table_native")
    qtbot.waitUntil(lambda: window.exports.running == 0)
    assert existing.read_text(encoding="utf-8") != "kept"


def test_the_stop_action_stops_the_live_view(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, clip: str
) -> None:
    stop = window.actions_by_name["stop"]
    open_video(qtbot, window, clip)
    assert "beginning" in stop.toolTip()
    start_live_view(qtbot, window)
    assert stop.text().replace("&", "") == "Stop the live view"
    assert "beginning" not in stop.toolTip()
    key(window, "stop")
    assert not stop.isEnabled()
