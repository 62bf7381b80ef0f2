"""The keyboard shortcuts of all commands.

Shortcuts that the user chose replace the defaults, and no key belongs to two commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence

from steadymark.app.gui.actions.actions import text_without_mnemonic, update_tooltip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from PySide6.QtGui import QAction

    from steadymark.app.gui.preferences import Preferences

_NATIVE = QKeySequence.SequenceFormat.NativeText
_NAVIGATION_KEYS = ("Tab", "Shift+Tab", "Return", "Enter", "Up", "Down", "PgUp", "PgDown")


class Shortcuts(QObject):
    """The shortcuts of the given actions.

    The shortcuts that the actions have when the object is created are the defaults. Keys are
    strings in the portable format of QKeySequence, such as "Ctrl+O".

    Attributes:
        changed: Emitted after any change.
    """

    changed = Signal()

    def __init__(self, actions: Mapping[str, QAction], preferences: Preferences) -> None:
        super().__init__()
        self._actions, self._preferences = actions, preferences
        self._defaults = {name: _keys_of(action) for name, action in actions.items()}
        self._menu_keys: dict[str, str] = {}
        self._lane_keys: dict[str, str] = {}
        self._restore()

    def reserve(self, menu_titles: Iterable[str]) -> None:
        """Reserve the Alt keys that open the menus with these titles."""
        for title in menu_titles:
            letter = QKeySequence.mnemonic(title).toString()
            if letter:
                self._menu_keys[letter] = text_without_mnemonic(title)

    def reserve_for_lanes(self, keys: Mapping[str, str]) -> None:
        """Reserve the keys of the lanes of the open project.

        Args:
            keys: The titles of the lanes by their keys.
        """
        self._lane_keys = dict(keys)

    def command_with(self, key: str) -> str:
        """Return the text of the command that has this key; empty if none has."""
        wanted = _portable(key)
        return next((self.text(n) for n in self._actions if wanted in self.keys(n)), "")

    @property
    def names(self) -> list[str]:
        """Return the names of all commands."""
        return list(self._actions)

    def text(self, name: str) -> str:
        """Return the current text of the command."""
        return text_without_mnemonic(self._actions[name].text())

    def keys(self, name: str) -> list[str]:
        """Return the current shortcuts of the command."""
        return _keys_of(self._actions[name])

    def is_default(self, name: str) -> bool:
        """Return whether the command has its default shortcuts."""
        return self.keys(name) == self._defaults[name]

    def set_keys(self, name: str, keys: list[str]) -> str:
        """Set the shortcuts of a command and store them.

        Returns:
            An empty string on success; otherwise a sentence that says why nothing was changed.
        """
        for key in keys:
            fault = self._fault(name, _portable(key)) if _portable(key) else self._unknown_key(key)
            if fault:
                return fault
        self._apply(name, list(dict.fromkeys(_portable(key) for key in keys)))
        self._store()
        return ""

    def reset(self, name: str) -> str:
        """Set the shortcuts of a command to its defaults, and return as `set_keys` does."""
        return self.set_keys(name, self._defaults[name])

    def reset_all(self) -> None:
        """Set the shortcuts of all commands to their defaults."""
        for name, keys in self._defaults.items():
            self._apply(name, keys)
        self._store()

    def _unknown_key(self, key: str) -> str:
        return self.tr("'{key}' is not a key.").format(key=key)

    def _fault(self, name: str, key: str) -> str:
        shown = native_key_text(key)
        if key in _NAVIGATION_KEYS:
            return self.tr("{key} is needed to move between buttons and fields.").format(key=shown)
        if key in self._menu_keys:
            return self.tr("{key} opens the menu '{menu}': choose another key.").format(
                key=shown, menu=self._menu_keys[key]
            )
        if key in self._lane_keys:
            return self.tr("{key} is the key of the lane '{lane}': choose another key.").format(
                key=shown, lane=self._lane_keys[key]
            )
        for other in self._actions:
            if other != name and key in self.keys(other):
                return self.tr(
                    "{key} is already used for '{command}': choose another key, or assign "
                    "another key to that command first."
                ).format(key=shown, command=self.text(other))
        return ""

    def _restore(self) -> None:
        """Apply the shortcuts that the user chose.

        A default shortcut that is already taken by one of the user's is dropped.
        """
        own = {n: k for n, k in self._preferences.shortcuts().items() if n in self._actions}
        taken: set[str] = set()
        for name in (*own, *(n for n in self._actions if n not in own)):
            wanted = [_portable(k) for k in own.get(name, self._defaults[name])]
            free = [k for k in wanted if k and k not in taken and k not in _NAVIGATION_KEYS]
            taken.update(free)
            self._apply(name, free)

    def _apply(self, name: str, keys: list[str]) -> None:
        action = self._actions[name]
        action.setShortcuts([QKeySequence(key) for key in keys])
        update_tooltip(action)

    def _store(self) -> None:
        own = {name: self.keys(name) for name in self._actions if not self.is_default(name)}
        self._preferences.set_shortcuts(own)
        self.changed.emit()


def native_key_text(key: str) -> str:
    """Return the key as the user's operating system writes it."""
    return QKeySequence(key).toString(_NATIVE)


def _portable(key: str) -> str:
    return QKeySequence(key).toString()


def _keys_of(action: QAction) -> list[str]:
    return [key.toString() for key in action.shortcuts()]
