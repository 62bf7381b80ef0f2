"""The commands of the Help menu that open a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from steadymark.app.gui.help.about import AboutDialog
from steadymark.app.gui.help.citation import CitationDialog
from steadymark.app.gui.help.manual import GLOSSARY, GUIDE, ManualWindow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QWidget


def wire_help(parent: QWidget, actions: Mapping[str, QAction], kept_root: Path) -> None:
    """Connect the commands.

    Args:
        parent: The window over which theirs open.
        actions: All commands by name.
        kept_root: The folder of the kept results, which the about dialog shows.
    """
    actions["manual"].triggered.connect(lambda: _show_manual(parent, GUIDE, "the-window"))
    actions["glossary"].triggered.connect(lambda: _show_manual(parent, GLOSSARY))
    actions["cite"].triggered.connect(lambda: CitationDialog(parent).open())
    actions["about"].triggered.connect(lambda: AboutDialog(kept_root, parent).open())


def _show_manual(parent: QWidget, page: str, heading: str = "") -> None:
    """Show a page, at a heading, in the manual, which is opened only once."""
    manual = next((m for m in parent.findChildren(ManualWindow) if m.isVisible()), None)
    if manual is None:
        manual = ManualWindow(parent)
        manual.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    manual.show_page(page, heading)
