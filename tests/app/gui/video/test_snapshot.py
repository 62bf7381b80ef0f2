"""Pictures of what is shown are of the moment they were asked for, and never replace others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox

from steadymark.app.gui.files.exports_list import free_name
from steadymark.app.gui.video.snapshot import paint_snapshot
from support.window.live_window_driver import came_on, watched
from support.window.window_driver import key, opened, shows

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the dialog suggested; it is taken."""
    names: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        names.append(start)
        return start, kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    return names


def test_live_pictures_are_named_by_their_time_and_none_replaces_another(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, asked: list[str]
) -> None:
    watched(qtbot, window)
    for count in (1, 2, 3):
        came_on(qtbot, window)
        key(window, "export_frame")
        qtbot.waitUntil(lambda: len(list(Path(asked[-1]).parent.glob("*.png"))) == count)  # noqa: B023
    assert len(set(asked)) == 3
    assert all(re.search(r"-\d{8}-\d{6}(-\d)?\.png$|_\d{8}-\d{6}(-\d)?\.png$", n) for n in asked)


def test_a_films_picture_is_of_the_frame_that_was_seen_when_it_was_asked_for(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(qtbot, window, clip)
    window.session.seek(30)
    qtbot.waitUntil(lambda: shows(window, 30))
    assert window.view.shown is not None
    right = paint_snapshot(window.view.shown, window.session.display)

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        window.session.seek(90)
        qtbot.waitUntil(lambda: shows(window, 90))
        return start, kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    key(window, "export_frame")
    path = Path(clip).with_name("a_30.png")
    qtbot.waitUntil(lambda: any("a_30.png" in text for text in window.messages.texts))
    kept = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB32)
    assert kept == right.convertToFormat(QImage.Format.Format_RGB32)
    assert free_name(str(path)).endswith("a_30-2.png")


def test_a_name_that_gets_its_suffix_here_replaces_nothing_unasked(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(qtbot, window, clip)
    there = tmp_path / "mine.csv"
    there.write_text("kept", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    answer = QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    key(window, "export_table_native")
    assert window.exports.running == 0
    assert there.read_text(encoding="utf-8") == "kept"
    answer = QMessageBox.StandardButton.Yes
    key(window, "export_table_native")
    qtbot.waitUntil(lambda: window.exports.running == 0)
    assert there.read_text(encoding="utf-8") != "kept"


def test_a_live_view_has_no_beginning_to_go_back_to(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, clip: str
) -> None:
    stop = window.actions_by_name["stop"]
    opened(qtbot, window, clip)
    assert "beginning" in stop.toolTip()
    watched(qtbot, window)
    assert stop.text().replace("&", "") == "Stop the live view"
    assert "beginning" not in stop.toolTip()
    key(window, "stop")
    assert not stop.isEnabled()
