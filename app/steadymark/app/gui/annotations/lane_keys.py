"""Which keys can belong to lanes: those that no command of the window has."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steadymark.app.gui.actions.shortcuts import Shortcuts
    from steadymark.engine.review.project import Lane

_KEYS = ("2", "3", "4", "5", "6", "7", "8", "9", *ascii_uppercase)


def with_shift(key: str) -> str:
    """Return the key that marks an event in the lane of this key."""
    return f"Shift+{key}"


def command_with(shortcuts: Shortcuts, key: str) -> str:
    """Return the text of a command that has this key, alone or with Shift; empty if none has."""
    return shortcuts.command_with(key) or shortcuts.command_with(with_shift(key))


def free_keys(shortcuts: Shortcuts, others: Iterable[Lane]) -> list[str]:
    """Return the keys that a lane can have.

    Args:
        shortcuts: The keys of the commands.
        others: The other lanes.
    """
    taken = {lane.key for lane in others}
    return [key for key in _KEYS if key not in taken and not command_with(shortcuts, key)]
