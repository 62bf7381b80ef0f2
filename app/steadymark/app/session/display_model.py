"""The model of the display: it keeps the user's choices and the facts, and resolves both."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from steadymark.app.session.state import (
    ComparisonLayout,
    Display,
    Facts,
    OverlayOptions,
    ShownLandmarks,
    UserState,
    resolve,
)


class DisplayModel(QObject):
    """Keeps what is displayed. It lives in the GUI thread.

    Attributes:
        changed: Emitted when there is a new `display`.
        wish: The user's choices. `refresh` displays changes of them.
        display: What the widgets show.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wish = UserState()
        self.display: Display = resolve(self.wish, Facts())

    def set_show(self, show: ShownLandmarks) -> None:
        self._want(replace(self.wish, show=show))

    def set_layout(self, layout: ComparisonLayout) -> None:
        """Choose how raw and stabilized points are laid out. Both are shown from now on."""
        self._want(replace(self.wish, layout=layout, show=ShownLandmarks.BOTH))

    def set_wipe(self, wipe: float) -> None:
        self._want(replace(self.wish, wipe=min(max(wipe, 0.0), 1.0)))

    def set_overlay(self, overlay: OverlayOptions) -> None:
        self._want(replace(self.wish, overlay=overlay))

    def refresh(self) -> None:
        """Resolve the display again because something that `_resolved` reads has changed."""
        display = self._resolved()
        if display != self.display:
            self.display = display
            self.changed.emit()

    def _want(self, wish: UserState) -> None:
        self.wish = wish
        self.refresh()

    def _resolved(self) -> Display:
        return resolve(self.wish, Facts())
