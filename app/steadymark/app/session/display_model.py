"""The model of the display: it combines the user's choices with the source's state."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from steadymark.app.session.state import (
    ComparisonLayout,
    Display,
    OverlayOptions,
    ShownLandmarks,
    SourceState,
    UserState,
    resolve_display,
)


class DisplayModel(QObject):
    """Keeps what is displayed. It lives in the GUI thread.

    Attributes:
        changed: Emitted when there is a new `display`.
        user_state: The user's choices. `refresh` displays changes of them.
        display: What the widgets show.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.user_state = UserState()
        self.display: Display = resolve_display(self.user_state, SourceState())

    def set_shown_landmarks(self, shown_landmarks: ShownLandmarks) -> None:
        """Choose which landmarks are drawn."""
        self._set_user_state(replace(self.user_state, shown_landmarks=shown_landmarks))

    def set_layout(self, layout: ComparisonLayout) -> None:
        """Choose how raw and stabilized points are laid out. Both are shown from now on."""
        self._set_user_state(
            replace(self.user_state, layout=layout, shown_landmarks=ShownLandmarks.BOTH)
        )

    def set_wipe(self, wipe: float) -> None:
        """Move the dividing line of the wipe to this position, limited to [0, 1]."""
        self._set_user_state(replace(self.user_state, wipe=min(max(wipe, 0.0), 1.0)))

    def set_overlay(self, overlay: OverlayOptions) -> None:
        """Choose what is drawn over the picture."""
        self._set_user_state(replace(self.user_state, overlay=overlay))

    def refresh(self) -> None:
        """Compute the display again because something that `_resolve_display` reads has changed."""
        display = self._resolve_display()
        if display != self.display:
            self.display = display
            self.changed.emit()

    def _set_user_state(self, user_state: UserState) -> None:
        self.user_state = user_state
        self.refresh()

    def _resolve_display(self) -> Display:
        return resolve_display(self.user_state, SourceState())
