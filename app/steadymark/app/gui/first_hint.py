"""What a new user may try, told once: when landmarks are seen for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

if TYPE_CHECKING:
    from steadymark.app.gui.main_window import MainWindow

translate = QCoreApplication.translate
_NAME = "hints"


def hint_once(window: MainWindow) -> None:
    """At the first picture of the first recording or camera, never again after it."""
    preferences = window.preferences
    if preferences.values(_NAME).get("first"):
        return

    def hint() -> None:
        window.session.pictured.disconnect(hint)
        preferences.set_values(_NAME, {"first": True})
        window.messages.tell(_words(window), note=True)

    window.session.pictured.connect(hint)


def _words(window: MainWindow) -> str:
    """With the keys as they are now."""
    names = ("show_raw", "show_stabilized", "show_both", "shortcuts")
    texts = {
        name: window.actions_by_name[name]
        .shortcut()
        .toString(QKeySequence.SequenceFormat.NativeText)
        or "–"
        for name in names
    }
    return translate(
        "first_hint",
        "See what stabilization does: {raw} shows raw landmarks, {stabilized} stabilized ones, "
        "{both} both. Numbers tell how still they are; {keys} lists all keys.",
    ).format(
        raw=texts["show_raw"],
        stabilized=texts["show_stabilized"],
        both=texts["show_both"],
        keys=texts["shortcuts"],
    )
