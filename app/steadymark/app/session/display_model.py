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
    """Keeps what is displayed. It lives in the GUI thread. changed: there is a new `display`."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wish, self._facts = UserState(), Facts()
        self.display: Display = resolve(self._wish, self._facts)

    def set_show(self, show: ShownLandmarks) -> None:
        self._want(replace(self._wish, show=show))

    def set_layout(self, layout: ComparisonLayout) -> None:
        """Choose how raw and stabilized points are laid out. Both are shown from now on."""
        self._want(replace(self._wish, layout=layout, show=ShownLandmarks.BOTH))

    def set_wipe(self, wipe: float) -> None:
        self._want(replace(self._wish, wipe=min(max(wipe, 0.0), 1.0)))

    def set_overlay(self, overlay: OverlayOptions) -> None:
        self._want(replace(self._wish, overlay=overlay))

    def refresh(self) -> None:
        """Resolve the display again because something that `_resolved` reads has changed."""
        self._set()

    def _want(self, wish: UserState) -> None:
        self._wish = wish
        self._set()

    def _set(self, facts: Facts | None = None) -> None:
        self._facts = self._facts if facts is None else facts
        display = self._resolved()
        if display != self.display:
            self.display = display
            self.changed.emit()

    def _resolved(self) -> Display:
        return resolve(self._wish, self._facts)
