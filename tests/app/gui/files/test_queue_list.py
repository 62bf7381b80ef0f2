"""The rows of the queue window: state, figures, results, and what keys and the mouse do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.session.video_queue import QueueStage
from support.videos.odd_videos import encoded
from support.videos.square_video import square_video
from support.videos.video_corpus import Recipe
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.files.queue_window import QueueWindow
    from steadymark.app.gui.main_window import MainWindow

COLUMNS = {
    "Video": 0,
    "Progress": 1,
    "Result": 2,
    "State": 3,
    "With face": 4,
    "Lost": 5,
    "Score": 6,
}


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> QueueWindow:
    key(window, "queue")
    dialog = window.exports.queue_window
    assert dialog is not None
    dialog.folder.setText(str(tmp_path / "out"))
    return dialog


def cut_video(tmp_path: Path) -> str:
    """A quarter of an MP4 whose header comes first."""
    recipe = Recipe("cut.mp4", "mpeg4", width=320, height=240, frames=60, gop=1)
    path = encoded(recipe, movflags="faststart").make(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 4])
    return str(path)


def texts(dialog: QueueWindow, row: int) -> dict[str, str]:
    item = dialog.list.topLevelItem(row)
    assert item is not None
    return {n: item.text(c).replace("\N{NO-BREAK SPACE}", " ") for n, c in COLUMNS.items()}


def run_queue(qtbot: QtBot, dialog: QueueWindow, paths: list[str]) -> None:
    dialog.add(paths)
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=60000)
    dialog._refresh()


def test_each_row_shows_its_state_and_figures_and_bad_ones_are_marked(
    qtbot: QtBot, dialog: QueueWindow, tmp_path: Path
) -> None:
    good = str(square_video(tmp_path / "good.mp4", 40, lost=range(12, 16)))
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    run_queue(qtbot, dialog, [good])
    run_queue(qtbot, dialog, [str(bad)])
    run_queue(qtbot, dialog, [cut_video(tmp_path)])
    stages = [item.stage for item in dialog.queue.items]
    assert stages == [QueueStage.DONE, QueueStage.FAILED, QueueStage.DAMAGED]
    first, second, third = (texts(dialog, row) for row in range(3))
    assert {k: first[k] for k in ("State", "With face", "Lost", "Result")} == {
        "State": "done", "With face": "90 %", "Lost": "1", "Result": "good.csv",
    }  # fmt: skip
    assert 0 < float(first["Score"]) <= 1
    assert second["State"] == "failed"
    assert "bad.mp4" in second["Result"]
    assert second["With face"] == ""
    assert third["State"] == "damaged"
    assert third["Result"].startswith("m_cut.csv – ")
    assert third["Result"].endswith(f"{dialog.queue.items[2].warnings} warnings")
    assert dialog.queue.items[2].warnings > 1
    rows = [dialog.list.topLevelItem(row) for row in range(3)]
    assert [row.icon(3).isNull() for row in rows if row is not None] == [True, False, False]
    colours = [row.foreground(3).color().name() for row in rows if row is not None]
    assert colours[1] == colours[2] != colours[0]


def test_a_double_click_opens_the_result(
    qtbot: QtBot, dialog: QueueWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    run_queue(qtbot, dialog, [str(square_video(tmp_path / "a.mp4", 20))])
    row = dialog.list.topLevelItem(0)
    assert row is not None
    place = dialog.list.visualItemRect(row).center()
    QTest.mouseClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(dialog.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == [str(tmp_path / "out" / "a.csv")]


def test_the_delete_key_removes_the_selected_videos(
    qtbot: QtBot, dialog: QueueWindow, tmp_path: Path
) -> None:
    clips = [str(square_video(tmp_path / f"{name}.mp4", 20)) for name in "ab"]
    run_queue(qtbot, dialog, clips[:1])
    dialog.add([clips[1]])
    assert texts(dialog, 1)["State"] == "not started"
    dialog.list.selectAll()
    QTest.keyClick(dialog.list, Qt.Key.Key_Delete)
    assert dialog.list.topLevelItemCount() == 0
    assert dialog.queue.items == ()
    assert dialog.pending == []
    assert (tmp_path / "out" / "a.csv").exists()  # only the row is removed


def test_a_folder_adds_all_its_videos(
    dialog: QueueWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "many"
    (folder / "deeper").mkdir(parents=True)
    paths = [folder / "a.mp4", folder / "deeper" / "b.mp4"]
    for path in paths:
        square_video(path, 5)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    dialog._add_folder.click()
    assert sorted(dialog.pending) == sorted(map(str, paths))
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(empty))
    dialog._add_folder.click()
    assert len(dialog.pending) == 2
    assert "empty" in dialog.fault.text()
    assert dialog.fault.isVisible()


def test_long_names_are_cut_in_the_middle_and_the_tooltip_has_the_path(
    dialog: QueueWindow, tmp_path: Path
) -> None:
    path = str(tmp_path / f"{'long ' * 30}take 7.mp4")
    dialog.add([path])
    row = dialog.list.topLevelItem(0)
    assert row is not None
    assert row.toolTip(0) == path
    assert dialog.list.textElideMode() is Qt.TextElideMode.ElideMiddle


def test_the_menu_of_a_video_opens_its_result_and_removes_it(
    qtbot: QtBot, dialog: QueueWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    dialog.add([str(square_video(tmp_path / "a.mp4"))])
    row = dialog.list.topLevelItem(0)
    assert row is not None
    place = dialog.list.visualItemRect(row).center()
    entries = dialog.list.menu_at(place).actions()
    assert [action.isEnabled() for action in entries] == [False, False, True]
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.items[0].stage is QueueStage.DONE, timeout=30_000)
    qtbot.waitUntil(lambda: dialog.list.menu_at(place).actions()[0].isEnabled())
    entries = dialog.list.menu_at(place).actions()
    entries[0].trigger()
    entries[1].trigger()
    assert opened == [str(tmp_path / "out" / "a.csv"), str(tmp_path / "out")]
    entries[2].trigger()
    assert dialog.list.topLevelItemCount() == 0
    assert not any(a.isEnabled() for a in dialog.list.menu_at(QPoint(5, 200)).actions())
