"""The context menus of the video, the timeline and the plots."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from steadymark.app.gui.actions.context_menus import (
    figures_menu,
    figures_text,
    plots_menu,
    timeline_menu,
    video_menu,
)
from steadymark.app.session.state import Phase
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def choose(menu: QMenu, text: str) -> None:
    """Choose an entry of a menu."""
    action = next(a for a in menu.actions() if a.text().replace("&", "").startswith(text))
    assert action.isEnabled()
    action.trigger()


def test_the_frame_is_copied_with_its_overlay(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    open_video(qtbot, window, clip)
    menu = video_menu(window, window.actions_by_name)
    choose(menu, "Copy this frame")
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (320, 240)
    assert "The frame is on the clipboard." in window.messages.texts
    names = [action.objectName() for action in menu.actions()]
    assert {"export_frame", "fit", "show_raw"} <= set(names)


def test_the_loop_is_set_in_the_menu_of_the_timeline(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    line, session = window.playback_bar.timeline, window.session
    choose(timeline_menu(window, line, session, 30), "Start the loop here")
    assert session.display.loop == (30, 119)
    choose(timeline_menu(window, line, session, 60), "End the loop here")
    assert session.display.loop == (30, 60)
    choose(timeline_menu(window, line, session, 80), "Start the loop here")
    assert session.display.loop == (80, 119)
    line.show_part(line.shown.zoomed(4, 0.5))
    choose(timeline_menu(window, line, session, 80), "Loop the shown part")
    assert session.display.loop == (line.shown.frame_at(0), line.shown.frame_at(1))
    choose(timeline_menu(window, line, session, 0), "Remove the loop")
    assert session.display.loop is None
    choose(timeline_menu(window, line, session, 0), "Show the whole recording")
    assert line.shown.is_whole


def test_the_values_of_the_shown_plots_are_copied_as_csv(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)

    def is_measured() -> bool:
        measures = window.session.measures
        return measures is not None and bool(np.isfinite(measures.raw_xy[-1, 0]))

    qtbot.waitUntil(is_measured)
    window._on_measures_changed()
    window.plots.show_plots("jitter", "x", "head_pose")
    choose(plots_menu(window, window.plots, window.actions_by_name), "Copy the values as CSV")
    rows = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    assert len(rows) == 120
    assert {"frame", "time_s", "x_raw", "x_stabilized", "jitter_raw", "at_rest"} <= set(rows[0])
    assert not {"y_raw", "score", "x_truth"} & set(rows[0])
    measures = window.plots._measures
    assert measures is not None
    assert float(rows[40]["x_raw"]) == np.float64(f"{measures.raw_xy[40, 0]:.7g}")
    assert rows[13]["x_raw"] == ""  # The face is missing there.


def test_a_right_click_opens_the_menu(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    open_video(qtbot, window, clip)
    for widget in (window.view, window.playback_bar.timeline, window.plots):
        widget.customContextMenuRequested.emit(QPoint(20, 20))
        qtbot.waitUntil(lambda: any(m.isVisible() for m in widget.findChildren(QMenu)))  # noqa: B023
        menu = next(m for m in widget.findChildren(QMenu) if m.isVisible())
        assert menu.actions()
        menu.close()


def test_the_figures_of_the_statistics_are_copied_as_text_and_as_csv(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    panel = window.statistics
    assert not any(action.isEnabled() for action in figures_menu(panel, panel).actions())
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: bool(panel.figures()))
    qtbot.waitUntil(lambda: window.session.display.phase is not Phase.TRACKING)
    for text, dialect in (
        ("Copy the figures as text", "excel-tab"),
        ("Copy the figures as CSV", "excel"),
    ):
        choose(figures_menu(panel, panel), text)
        rows = list(csv.reader(io.StringIO(QGuiApplication.clipboard().text()), dialect))
        assert rows[0] == ["group", "measure", "first", "second"]
        assert len(rows) == 1 + len(panel.figures())
        share = next(row for row in rows if row[1] == "Frames with this face, %")
        measures = window.session.measures
        assert measures is not None
        assert float(share[2]) == pytest.approx(100 * measures.figures.face_frames.share, rel=1e-3)


def test_figures_that_are_not_known_are_empty() -> None:
    assert figures_text([("a", "b", math.nan, 0.5)], "excel").splitlines()[1] == "a,b,,0.5"
