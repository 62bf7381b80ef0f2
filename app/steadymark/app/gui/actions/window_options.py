"""What the user chooses for the window itself: its language, its keys, presets, own models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication, QDockWidget, QMenu

from steadymark.app.gui.actions.shortcuts import Shortcuts
from steadymark.app.gui.actions.shortcuts_dialog import ShortcutsDialog
from steadymark.app.gui.files.own_models import OwnModels
from steadymark.app.gui.i18n.language import LANGUAGES, SYSTEM, speak

if TYPE_CHECKING:
    from steadymark.app.gui.main_window import MainWindow


class WindowOptions(QObject):
    """Of one main window, whose docks are there."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.own_models = OwnModels(window.settings, window.preferences, self)
        self.own_models.told.connect(window.messages.tell)
        self.own_models.noted.connect(lambda text: window.messages.tell(text, note=True))
        self.renew()

    def renew(self) -> None:
        """The window's widgets were built anew."""
        window = self._window
        actions = window.actions_by_name
        docks = {d.objectName(): d.toggleViewAction() for d in window.findChildren(QDockWidget)}
        self.keys = Shortcuts({**actions, **docks}, window.preferences)
        self.language_menu = self._languages()
        self.own_models.serve(window.settings)
        self.own_models.wire(actions)
        window.settings.presets.told.connect(window.messages.tell)
        window.settings.presets.fill()
        actions["shortcuts"].triggered.connect(self._show_keys)

    def close(self) -> bool:
        """Whether nothing is under way any more."""
        return self.own_models.close()

    def _languages(self) -> QMenu:
        menu = QMenu(self.tr("Lan&guage"), self._window)
        group = QActionGroup(menu)
        for language, name in {SYSTEM: self.tr("As the system"), **LANGUAGES}.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(language == self._window.preferences.language())
            group.addAction(action)
            action.triggered.connect(lambda _=False, language=language: self._speak(language))
        return menu

    def _speak(self, language: str) -> None:
        self._window.preferences.set_language(language)
        application = QApplication.instance()
        assert application is not None
        speak(application, language)  # which changes the language of the window, too

    def _show_keys(self) -> None:
        self.keys.reserve(action.text() for action in self._window.menuBar().actions())
        dialog = ShortcutsDialog(self.keys, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
