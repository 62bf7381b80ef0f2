"""The docks beside the video; each has a key that brings it to the front, or closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QTabBar

from steadymark.app.gui.theme import icon

if TYPE_CHECKING:
    from PySide6.QtCore import QByteArray
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QMainWindow, QWidget

_RIGHT, _BELOW = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
_STATISTICS_PX = 300  # initial width of the statistics and settings


class Docks(QObject):
    """The docks of one main window.

    They are visible only while a recording or live view is shown.
    """

    def __init__(
        self,
        window: QMainWindow,
        *,
        plots: QWidget,
        statistics: QWidget,
        settings: QWidget,
        review: QWidget,
        people: QWidget,
        errors: QWidget,
        face3d: QWidget,
    ) -> None:
        super().__init__(window)
        self._window = window
        # state of the window from before the docks were hidden
        self._state_before_hiding: QByteArray | None = None
        self._in_front: dict[QDockWidget, bool] = {}
        self._beside = False  # whether the plots were moved beside a portrait picture
        window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
        self.plots = self._add(self.tr("Plots"), "plots", plots, _BELOW, "F5")
        self.statistics = self._add(self.tr("Statistics"), "numbers", statistics, _RIGHT, "F6")
        self.settings = self._add(self.tr("Settings"), "settings", settings, _RIGHT, "F7")
        self.review = self._add(self.tr("Review"), "review", review, _RIGHT, "F8")
        self.people = self._add(self.tr("People"), "people", people, _RIGHT, "F4")
        self.errors = self._add(self.tr("Errors"), "errors", errors, _BELOW, "F9")
        self.face3d = self._add(self.tr("3D face"), "face3d", face3d, _RIGHT, "F3")
        self._stack()
        self.face3d.hide()
        window.tabifyDockWidget(self.plots, self.errors)
        self.errors.hide()  # Most recordings have no ground truth.

    @property
    def all(self) -> tuple[QDockWidget, ...]:
        return (
            self.plots,
            self.statistics,
            self.settings,
            self.review,
            self.people,
            self.errors,
            self.face3d,
        )

    @property
    def actions(self) -> dict[str, QAction]:
        """Return the actions that show and hide the docks, by the names of the docks."""
        return {dock.objectName(): dock.toggleViewAction() for dock in self.all}

    def resize(self) -> None:
        """Give the docks their initial sizes."""
        self._window.resizeDocks([self.statistics], [_STATISTICS_PX], Qt.Orientation.Horizontal)
        self._window.resizeDocks([self.plots], [260], Qt.Orientation.Vertical)

    def show(self, *, has_source: bool) -> None:
        """Show the docks that the user has chosen, or hide all of them.

        Args:
            has_source: Whether a recording or live view is open.
        """
        for action in self.actions.values():
            action.setEnabled(has_source)
        if not has_source:
            self.hide()
        elif self._state_before_hiding is not None:
            self._window.restoreState(self._state_before_hiding)
            self._state_before_hiding = None

    def make_room(self, *, portrait: bool) -> None:
        """Move the plots beside a portrait picture, which then has the height of the window.

        Plots that the user has put elsewhere, or that are hidden, stay.
        """
        place = _RIGHT if self._beside else _BELOW
        moved = self._window.dockWidgetArea(self.plots) is not place or self.plots.isFloating()
        hidden = self.plots.isHidden()
        if portrait is self._beside or moved or (hidden and portrait):
            return
        self._beside = portrait
        if portrait:
            width = (self._window.width() - _STATISTICS_PX) // 2
            self._window.splitDockWidget(self.statistics, self.plots, Qt.Orientation.Horizontal)
            self._window.splitDockWidget(self.plots, self.statistics, Qt.Orientation.Horizontal)
            self._stack()
            self._window.resizeDocks(
                [self.plots, self.statistics], [width, _STATISTICS_PX], Qt.Orientation.Horizontal
            )
        else:
            self._window.addDockWidget(_BELOW, self.plots)
            self.plots.setHidden(hidden)
            self.resize()
        self.statistics.raise_()

    def _stack(self) -> None:
        """Put the docks on the right into tabs, the statistics in front; the face stays below."""
        self._window.tabifyDockWidget(self.statistics, self.settings)
        self._window.tabifyDockWidget(self.settings, self.review)
        self._window.tabifyDockWidget(self.review, self.people)
        self.statistics.raise_()

    def hide(self) -> None:
        if self._state_before_hiding is None:
            self.make_room(portrait=False)
            self._state_before_hiding = self._window.saveState()
            for dock in self.all:
                dock.hide()
            # Qt leaves bars of two groups of tabs where they were laid out first.
            for bar in self._window.findChildren(QTabBar, options=_DIRECT):
                bar.hide()

    def state(self) -> QByteArray:
        """Return the state of the whole window with its docks shown, and the plots below."""
        if self._state_before_hiding is None:
            self.make_room(portrait=False)
        return self._state_before_hiding or self._window.saveState()

    def reload_icons(self) -> None:
        """Reload the icons after the window changed between light and dark."""
        for dock in self.all:
            dock.toggleViewAction().setIcon(icon(dock.widget().objectName()))

    def _note_front(self, dock: QDockWidget, *, seen: bool) -> None:
        """Note whether a dock that is shown is seen, or lies behind another tab."""
        if not dock.isHidden():
            self._in_front[dock] = seen

    def _bring_to_front(self, dock: QDockWidget, *, shown: bool) -> None:
        """Show a dock in front; the command of one that lay behind another does not close it."""
        if shown or not self._in_front.get(dock, True):
            dock.show()
            dock.raise_()

    def _add(
        self, title: str, name: str, widget: QWidget, area: Qt.DockWidgetArea, key: str
    ) -> QDockWidget:
        """Add a dock and return it.

        Args:
            title: The title of the dock.
            name: The object name of the widget, and the stem of its icon in assets/icons.
            widget: The content of the dock.
            area: Where the dock is placed.
            key: The shortcut that shows and hides the dock.
        """
        widget.setObjectName(name)
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"{name}_dock")
        dock.setWidget(widget)
        action = dock.toggleViewAction()
        dock.visibilityChanged.connect(lambda seen: self._note_front(dock, seen=seen))
        action.triggered.connect(lambda shown: self._bring_to_front(dock, shown=shown))
        action.setShortcut(key)
        action.setIcon(icon(name))
        action.setToolTip(f"{title} ({key})")
        self._window.addAction(action)
        self._window.addDockWidget(area, dock)
        return dock
