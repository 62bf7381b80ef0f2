"""What the user chooses for the window itself: its language and its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from steadymark.app.window.keys import Keys
from steadymark.app.window.keys_dialog import KeysDialog
from steadymark.app.window.language import LANGUAGES, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.app.window.main_window import MainWindow


class Options(QObject):
    """Of one main window. actions: all that can have keys, by name."""

    def __init__(self, window: MainWindow, actions: Mapping[str, QAction]) -> None:
        super().__init__(window)
        self._window = window
        self.keys = Keys(actions, window.preferences)
        self.language_menu = self._languages()
        actions["shortcuts"].triggered.connect(self._show_keys)

    def _languages(self) -> QMenu:
        menu, group = QMenu(self.tr("Lan&guage"), self._window), QActionGroup(self)
        for language, name in {SYSTEM: self.tr("As the system"), **LANGUAGES}.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(language == self._window.preferences.language())
            group.addAction(action)
            action.triggered.connect(lambda _=False, language=language: self._speak(language))
        return menu

    def _speak(self, language: str) -> None:
        self._window.preferences.set_language(language)
        self._window.messages.tell(
            self.tr("The language changes when Steadymark is started again.")
        )

    def _show_keys(self) -> None:
        self.keys.reserve(action.text() for action in self._window.menuBar().actions())
        dialog = KeysDialog(self.keys, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
