"""A hint for new users, which is shown once, when landmarks are first visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtGui import QAction

    from steadymark.app.gui.messages import Messages
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.session import Session

translate = QCoreApplication.translate
_NAME = "hints"


def show_first_hint(
    session: Session,
    preferences: Preferences,
    messages: Messages,
    actions: Callable[[], Mapping[str, QAction]],
) -> None:
    """Show the hint at the first picture of the first recording or camera, and never again.

    Args:
        session: Reports the first picture.
        preferences: Store that the hint was shown.
        messages: Show the hint.
        actions: Returns the window's current actions by name.
    """
    if preferences.values(_NAME).get("first"):
        return

    def hint() -> None:
        session.frame_changed.disconnect(hint)
        preferences.set_values(_NAME, {"first": True})
        messages.show_message(_hint_text(actions()), note=True)

    session.frame_changed.connect(hint)


def _hint_text(actions: Mapping[str, QAction]) -> str:
    """Return the hint with the current shortcuts."""
    names = ("show_raw", "show_stabilized", "show_both", "shortcuts")
    texts = {
        name: actions[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText) or "–"
        for name in names
    }
    return translate(
        "first_hint",
        "See what stabilization does: {raw} shows raw landmarks, {stabilized} "
        "stabilized ones, {both} both. 'Statistics' measures how stable they "
        "are; {keys} lists all shortcuts.",
    ).format(
        raw=texts["show_raw"],
        stabilized=texts["show_stabilized"],
        both=texts["show_both"],
        keys=texts["shortcuts"],
    )
