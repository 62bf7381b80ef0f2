"""The context menus of the video, the timeline, the plots and the statistics."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from steadymark.app.gui.actions.actions import overlay_action_names
from steadymark.app.gui.actions.menus import LANDMARK_ACTIONS
from steadymark.app.gui.i18n.local_numbers import file_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.panels.plots import Plots
    from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
    from steadymark.app.gui.timeline.timeline import Timeline
    from steadymark.app.session.session import Session

translate = QCoreApplication.translate


def on_request(widget: QWidget, make: Callable[[QPoint], QMenu]) -> None:
    """Open a menu when the user asks for the context menu of a widget.

    Args:
        widget: The widget.
        make: Returns the menu for a position in the widget.
    """

    def open_menu(at: QPoint) -> None:
        menu = make(at)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(widget.mapToGlobal(at))

    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    widget.customContextMenuRequested.connect(open_menu)


def video_menu(parent: QWidget, actions: Mapping[str, QAction]) -> QMenu:
    """Return the menu of the video: copy, save, zoom, and what is drawn."""
    menu = QMenu(parent)
    names = ("copy_frame", "export_frame", "", "correct_landmarks", "", "fit", "actual", "")
    for name in (*names, *LANDMARK_ACTIONS, ""):
        if name:
            menu.addAction(actions[name])
        else:
            menu.addSeparator()
    drawn = menu.addMenu(translate("menus", "Overlays"))
    for name in overlay_action_names():
        drawn.addAction(actions[name])
    return menu


def timeline_menu(parent: QWidget, timeline: Timeline, session: Session, frame: int) -> QMenu:
    """Return the menu of the timeline: the loop, and its zoom.

    Args:
        parent: The parent of the menu.
        timeline: The timeline.
        session: Has the loop.
        frame: The frame on which the menu opens.
    """
    display, recording, shown = session.display, session.recording, timeline.shown
    first, last = display.loop or (0, display.last)
    start = (frame, last if frame < last else display.last)
    end = (first if first < frame else 0, frame)
    part = (shown.frame_at(0.0), shown.frame_at(1.0))
    menu = QMenu(parent)
    _add(menu, translate("menus", "Start the loop here"), lambda: recording.set_loop(start))
    _add(menu, translate("menus", "End the loop here"), lambda: recording.set_loop(end))
    only = _add(menu, translate("menus", "Loop the shown part"), lambda: recording.set_loop(part))
    only.setEnabled(not shown.is_whole)
    remove = _add(menu, translate("menus", "Remove the loop"), lambda: recording.set_loop(None))
    remove.setEnabled(display.loop is not None or display.loop_start is not None)
    menu.addSeparator()
    whole = _add(menu, translate("menus", "Show the whole recording"), timeline.show_everything)
    whole.setEnabled(not shown.is_whole)
    return menu


def plots_menu(parent: QWidget, plots: Plots, actions: Mapping[str, QAction]) -> QMenu:
    """Return the menu of the plots: copy, save, and their zoom."""
    menu = QMenu(parent)
    clipboard = QGuiApplication.clipboard()
    values = _add(
        menu,
        translate("menus", "Copy the values as CSV"),
        lambda: clipboard.setText(plots.as_csv()),
    )
    picture = _add(
        menu,
        translate("menus", "Copy the plots as an image"),
        lambda: clipboard.setImage(plots.as_image()),
    )
    for action in (values, picture):
        action.setEnabled(actions["export_plots"].isEnabled() and plots.has_values)
    menu.addAction(actions["export_plots"])
    menu.addSeparator()
    _add(menu, translate("menus", "Show the whole recording"), plots.show_everything)
    return menu


def figures_menu(parent: QWidget, panel: StatisticsPanel) -> QMenu:
    """Return the menu of the statistics panel, which copies its figures."""
    menu = QMenu(parent)
    clipboard = QGuiApplication.clipboard()
    text = _add(
        menu,
        translate("menus", "Copy the figures as text"),
        lambda: clipboard.setText(figures_text(panel.figures(), "excel-tab")),
    )
    table = _add(
        menu,
        translate("menus", "Copy the figures as CSV"),
        lambda: clipboard.setText(figures_text(panel.figures(), "excel")),
    )
    for action in (text, table):
        action.setEnabled(bool(panel.figures()))
    return menu


def figures_text(figures: Sequence[tuple[str, str, float, float]], dialect: str) -> str:
    """Return figures as lines of a table; a figure that is not known has an empty field.

    Args:
        figures: See `StatisticsPanel.figures`.
        dialect: Name of a dialect of the module csv: `excel` or, with tabs, `excel-tab`.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, dialect, lineterminator="\n")
    writer.writerow(("group", "measure", "first", "second"))
    for group, measure, *values in figures:
        writer.writerow((group, measure, *(file_number(value, 6) for value in values)))
    return lines.getvalue()


def _add(menu: QMenu, text: str, slot: Callable[[], object]) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _=False: slot())
    return action
