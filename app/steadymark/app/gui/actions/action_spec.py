"""What a command of the window is made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command of the window, from which its QAction is made.

    Attributes:
        name: The name of the command in code, which is also the object name of its QAction.
        text: The text in menus: a source text of the context "commands", or a UserText.
        keys: The shortcuts; menus show the first one.
        icon: The stem of an SVG file in assets/icons; empty for no icon.
        checkable: Whether the command switches something on and off.
    """

    name: str
    text: object
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
