"""Removal of a main window's translated widgets, so that it can be rebuilt in another language.

The session, the view with its zoom, running exports and messages stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QDialog, QDockWidget, QMenuBar, QToolBar
from shiboken6 import Shiboken

if TYPE_CHECKING:
    from PySide6.QtCore import QByteArray, QObject
    from PySide6.QtWidgets import QMainWindow

    from steadymark.app.gui.docks import Docks
    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.panels.plots import Plots
    from steadymark.app.gui.status_line import StatusLine
    from steadymark.app.gui.video.video_view import VideoView


@dataclass(frozen=True, slots=True)
class WindowArrangement:
    """The user's arrangement of the widgets that are rebuilt.

    Attributes:
        docks: The state of the whole window.
        visible_docks: The names of the docks that are not hidden behind another one.
        plots: The names of the shown plots.
        region: The region whose jitter is plotted.
    """

    docks: QByteArray
    visible_docks: tuple[str, ...]
    plots: tuple[str, ...]
    region: str


@dataclass(frozen=True, slots=True)
class WindowParts:
    """The parts of a main window.

    The view, messages and exports stay. All other parts are rebuilt; `others` has those that no
    other
    attribute names.
    """

    view: VideoView
    messages: Messages
    exports: ExportsList
    docks: Docks
    plots: Plots
    status: StatusLine
    others: tuple[QObject, ...]


def remove_translated_widgets(window: QMainWindow, parts: WindowParts) -> WindowArrangement:
    """Delete all widgets with translated text, and return the user's arrangement.

    They are deleted immediately, because old and new widgets would have the same names and
    shortcuts.
    """
    for dialog in window.findChildren(QDialog):
        if dialog.isModal():  # Its text and commands are about to be deleted.
            dialog.reject()
    plots = parts.plots
    visible_docks = tuple(
        d.objectName() for d in parts.docks.all if not d.visibleRegion().isEmpty()
    )
    region = str(plots.region.currentData())
    before = WindowArrangement(parts.docks.state(), visible_docks, plots.shown_plots, region)
    to_delete: list[QObject] = [
        *window.findChildren(QDockWidget),
        *window.findChildren(QToolBar),
        *window.findChildren(QActionGroup),
        parts.docks,
        *parts.others,
    ]
    for widget in (parts.view, parts.messages, parts.exports):
        widget.setParent(window)
        widget.hide()
    window.setLocale(QLocale())  # The fields take the number format from the window.
    window.setMenuBar(QMenuBar())  # This deletes the old menu bar with its menus.
    window.statusBar().removeWidget(parts.status)
    parts.status.setParent(None)
    parts.status.deleteLater()
    for item in to_delete:
        if Shiboken.isValid(item):
            Shiboken.delete(item)
    return before


def restore_arrangement(
    window: QMainWindow, parts: WindowParts, before: WindowArrangement, *, has_source: bool
) -> None:
    """Restore the user's arrangement after the widgets were rebuilt."""
    window.restoreState(before.docks)
    if not has_source:
        parts.docks.hide()
    for dock in parts.docks.all:
        if dock.objectName() in before.visible_docks:
            dock.raise_()
    parts.plots.show_plots(*before.plots)
    parts.plots.set_region(before.region)
    parts.messages.retranslate()
    parts.exports.retranslate()
    parts.view.setFocus()
    parts.status.set_zoom(parts.view.viewport().scale * parts.view.devicePixelRatioF())
