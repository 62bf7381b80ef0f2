"""The place of the plots: below a landscape picture, beside a portrait picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from support.videos.square_video import square_video
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

BELOW, RIGHT = Qt.DockWidgetArea.BottomDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea


def portrait(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "portrait.mp4", 20, width=160))


def test_a_portrait_picture_has_the_height_of_the_window(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.resize(1300, 800)
    open_video(qtbot, window, clip)
    assert window.dockWidgetArea(window.docks.plots) == BELOW
    low = window.view.height()
    window.open_path(portrait(tmp_path))
    qtbot.waitUntil(lambda: window.dockWidgetArea(window.docks.plots) == RIGHT)
    qtbot.waitUntil(lambda: window.view.height() > low + 100)
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.dockWidgetArea(window.docks.plots) == BELOW)


def test_a_narrow_window_keeps_the_plots_below(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.resize(1000, 700)
    open_video(qtbot, window, portrait(tmp_path), tracked=False)
    assert window.dockWidgetArea(window.docks.plots) == BELOW
    window.resize(1300, 700)
    qtbot.waitUntil(lambda: window.dockWidgetArea(window.docks.plots) == RIGHT)


def test_plots_that_the_user_has_moved_stay_there(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.resize(1300, 800)
    open_video(qtbot, window, clip)
    window.docks.plots.setFloating(True)
    window.open_path(portrait(tmp_path))
    qtbot.waitUntil(lambda: window.session.display.size == (160, 240))
    assert window.docks.plots.isFloating()


def test_the_stored_arrangement_has_the_plots_below(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.resize(1300, 800)
    open_video(qtbot, window, portrait(tmp_path), tracked=False)
    qtbot.waitUntil(lambda: window.dockWidgetArea(window.docks.plots) == RIGHT)
    window.session.close_source()
    qtbot.waitUntil(lambda: not window.docks.plots.isVisible())
    window.restoreState(window.docks.state())
    assert window.dockWidgetArea(window.docks.plots) == BELOW
