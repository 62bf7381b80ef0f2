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

    from steadymark.app.gui.main_window import MainWindow


@dataclass(frozen=True, slots=True)
class WindowArrangement:
    """How the user has set up what is built again.

    docks: of the whole window; seen: names of those that no other one covers.
    """

    docks: QByteArray
    seen: tuple[str, ...]
    plots: tuple[str, ...]
    region: str


def take_out(window: MainWindow) -> WindowArrangement:
    """All widgets with words are gone afterwards, at once: two of a name or key would clash."""
    for dialog in window.findChildren(QDialog):
        if dialog.isModal():  # of the words and commands that go
            dialog.reject()
    plots = window.plots
    seen = tuple(d.objectName() for d in window.docks.all if not d.visibleRegion().isEmpty())
    region = str(plots.region.currentData())
    before = WindowArrangement(window.docks.state(), seen, plots.chosen, region)
    gone: list[QObject] = [
        *window.findChildren(QDockWidget),
        *window.findChildren(QToolBar),
        *window.findChildren(QActionGroup),
        window.docks,
        window.files.recent_menu,
        window.options.language_menu,
        *window.actions_by_name.values(),
        window.middle,
    ]
    for kept in (window.view, window.messages, window.exports):
        kept.setParent(window)
        kept.hide()
    window.setLocale(QLocale())  # of numbers in fields, which take the window's
    window.setMenuBar(QMenuBar())  # deletes the one before, with its menus
    window.statusBar().removeWidget(window.status)
    window.status.setParent(None)
    window.status.deleteLater()
    for thing in gone:
        if Shiboken.isValid(thing):
            Shiboken.delete(thing)
    return before


def put_back(window: MainWindow, before: WindowArrangement) -> None:
    """As it was set up, after the widgets are there again."""
    window.restoreState(before.docks)
    if not window.session.display.has_picture:
        window.docks.hide()
    for dock in window.docks.all:
        if dock.objectName() in before.seen:
            dock.raise_()
    window.plots.choose(*before.plots)
    window.plots.choose_region(before.region)
    window.messages.retranslate()
    window.exports.retranslate()
    window.view.setFocus()
    window.status.set_zoom(window.view.viewport().scale * window.view.devicePixelRatioF())
