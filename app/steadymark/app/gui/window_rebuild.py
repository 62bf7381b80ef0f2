"""A main window's words taken out, so that it can be built again in another language.

What works or remembers stays: the session, the view with its zoom, exports under way, messages.
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
    """How the user has set up what is built again.

    docks: of the whole window; seen: names of those that no other one covers.
    """

    docks: QByteArray
    seen: tuple[str, ...]
    plots: tuple[str, ...]
    region: str


@dataclass(frozen=True, slots=True)
class WindowParts:
    """What a main window is put together of.

    view, messages, exports: stay. docks, plots, status: are built again, as is `others`, all else
    that has words.
    """

    view: VideoView
    messages: Messages
    exports: ExportsList
    docks: Docks
    plots: Plots
    status: StatusLine
    others: tuple[QObject, ...]


def take_out(window: QMainWindow, parts: WindowParts) -> WindowArrangement:
    """All widgets with words are gone afterwards, at once: two of a name or key would clash."""
    for dialog in window.findChildren(QDialog):
        if dialog.isModal():  # of the words and commands that go
            dialog.reject()
    plots = parts.plots
    seen = tuple(d.objectName() for d in parts.docks.all if not d.visibleRegion().isEmpty())
    region = str(plots.region.currentData())
    before = WindowArrangement(parts.docks.state(), seen, plots.chosen, region)
    gone: list[QObject] = [
        *window.findChildren(QDockWidget),
        *window.findChildren(QToolBar),
        *window.findChildren(QActionGroup),
        parts.docks,
        *parts.others,
    ]
    for kept in (parts.view, parts.messages, parts.exports):
        kept.setParent(window)
        kept.hide()
    window.setLocale(QLocale())  # of numbers in fields, which take the window's
    window.setMenuBar(QMenuBar())  # deletes the one before, with its menus
    window.statusBar().removeWidget(parts.status)
    parts.status.setParent(None)
    parts.status.deleteLater()
    for thing in gone:
        if Shiboken.isValid(thing):
            Shiboken.delete(thing)
    return before


def put_back(
    window: QMainWindow, parts: WindowParts, before: WindowArrangement, *, has_picture: bool
) -> None:
    """As it was set up, after the widgets are there again."""
    window.restoreState(before.docks)
    if not has_picture:
        parts.docks.hide()
    for dock in parts.docks.all:
        if dock.objectName() in before.seen:
            dock.raise_()
    parts.plots.choose(*before.plots)
    parts.plots.choose_region(before.region)
    parts.messages.retranslate()
    parts.exports.retranslate()
    parts.view.setFocus()
    parts.status.set_zoom(parts.view.viewport().scale * parts.view.devicePixelRatioF())
