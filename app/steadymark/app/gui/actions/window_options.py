"""Options of the window itself: language, theme, shortcuts, presets and the user's own models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication, QMenu

from steadymark.app.gui.actions.shortcuts import Shortcuts
from steadymark.app.gui.actions.shortcuts_dialog import ShortcutsDialog
from steadymark.app.gui.files.own_models import OwnModels
from steadymark.app.gui.i18n.language import LANGUAGES, SYSTEM, apply_language
from steadymark.app.gui.theme import THEMES, use_theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.panels.settings_panel import SettingsPanel
    from steadymark.app.gui.preferences import Preferences


class WindowOptions(QObject):
    """The options of one main window.

    Args:
        parent: The window over which dialogs open.
        preferences: Stores the options.
        messages: Shows the user what was done and what failed.
        settings: The panel that lists the presets and the user's own models.
        actions: All actions that can have shortcuts, including those of the docks.
        menu_titles: Returns the titles of the menus, whose Alt keys are reserved.
    """

    def __init__(
        self,
        parent: QWidget,
        *,
        preferences: Preferences,
        messages: Messages,
        settings: SettingsPanel,
        actions: Mapping[str, QAction],
        menu_titles: Callable[[], Iterable[str]],
    ) -> None:
        super().__init__(parent)
        self._parent, self._preferences, self._messages = parent, preferences, messages
        self._menu_titles = menu_titles
        self.own_models = OwnModels(settings, preferences, self)
        self.own_models.message_posted.connect(messages.show_message)
        self.own_models.notice_posted.connect(
            lambda text: messages.show_message(text, passing=True)
        )
        self.reconnect(settings, actions)

    def reconnect(self, settings: SettingsPanel, actions: Mapping[str, QAction]) -> None:
        """Connect to the settings panel and the actions after they were built or rebuilt."""
        self.shortcuts = Shortcuts(actions, self._preferences)
        self.language_menu = self._make_language_menu()
        self.theme_menu = self._themes()
        self.own_models.use_panel(settings)
        self.own_models.connect_actions(actions)
        settings.presets.message_posted.connect(self._messages.show_message)
        settings.presets.reload()
        actions["shortcuts"].triggered.connect(self._show_shortcuts)

    def close(self) -> bool:
        """Stop background work, and return whether it has ended."""
        return self.own_models.close()

    def _make_language_menu(self) -> QMenu:
        menu = QMenu(self.tr("Lan&guage"), self._parent)
        group = QActionGroup(menu)
        for language, name in {SYSTEM: self.tr("As the system"), **LANGUAGES}.items():
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(language == self._preferences.language())
            group.addAction(action)
            action.triggered.connect(
                lambda _=False, language=language: self._set_language(language)
            )
        return menu

    def _themes(self) -> QMenu:
        menu = QMenu(self.tr("&Theme"), self._parent)
        group = QActionGroup(menu)
        names = self.tr("As the system"), self.tr("Light"), self.tr("Dark")
        for theme, name in zip(THEMES, names, strict=True):
            action = menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(theme == self._preferences.theme())
            group.addAction(action)
            action.triggered.connect(lambda _=False, theme=theme: self.set_theme(theme))
        return menu

    def set_theme(self, theme: str) -> None:
        """Apply one of THEMES and remember it."""
        self._preferences.set_theme(theme)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        use_theme(application, theme)

    def _set_language(self, language: str) -> None:
        self._preferences.set_language(language)
        application = QApplication.instance()
        assert application is not None
        apply_language(application, language)  # This also changes the language of the window.

    def _show_shortcuts(self) -> None:
        self.shortcuts.reserve(self._menu_titles())
        dialog = ShortcutsDialog(self.shortcuts, self._parent)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
