"""The menu of recent recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from steadymark.app.gui.start_page import is_there

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.preferences import Preferences


class RecentMenu(QMenu):
    """The menu of recent recordings; those that are missing now are disabled.

    Args:
        parent: The window of the menu.
        preferences: Store the recent files.
        open_path: Opens a recording in the window.
    """

    def __init__(
        self, parent: QWidget, preferences: Preferences, open_path: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Open &recent"))
        self._preferences, self._open_path = preferences, open_path
        self.fill()

    def fill(self) -> None:
        """List the recordings that were opened last."""
        self.clear()
        files = self._preferences.recent()
        for path in files:
            action = self.addAction(path)
            action.setEnabled(is_there(path))
            action.triggered.connect(lambda _=False, path=path: self._open_path(path))
        self.setEnabled(bool(files))
        if files:
            self.addSeparator()
            self.addAction(self.tr("Clear this list")).triggered.connect(self._clear_recent)

    def _clear_recent(self) -> None:
        self._preferences.clear_recent()
        self.fill()
