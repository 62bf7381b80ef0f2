"""Lets the user choose which two variants of the landmarks are compared, tables among them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.action_handlers import disabled_reason
from steadymark.app.session.analysis.variants import ANY_TABLE, table_variant, variants_for
from steadymark.app.session.state import ShownLandmarks
from steadymark.engine.review.find_reviewed import project_tables

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
    from steadymark.app.session.analysis.variants import Variant, VariantPair
    from steadymark.app.session.session import Session


class ComparisonController(QObject):
    """Offers the variants in the statistics panel, and compares those that the user chooses.

    Args:
        parent: The window over which dialogs open.
        session: Compares the variants.
    """

    def __init__(self, parent: QWidget, *, session: Session) -> None:
        super().__init__(parent)
        self._parent, self._session = parent, session
        self._panel: StatisticsPanel | None = None
        session.review.changed.connect(self.show_variants)

    def connect_panel(self, panel: StatisticsPanel) -> None:
        """Connect the panel after it was built or rebuilt."""
        self._panel = panel
        panel.variants_chosen.connect(self.compare)

    def show_variants(self) -> None:
        """Show the compared variants and those that can be chosen."""
        display, settings = self._session.display, self._session.settings
        if self._panel is None:
            return
        offered = (*variants_for(settings), *self._tables(), ANY_TABLE)
        self._panel.set_variants(
            display.variants, settings, offered, disabled_reason=disabled_reason(display)
        )

    def _tables(self) -> tuple[Variant, ...]:
        """Return the tables that the project lists, and those that were compared."""
        review, listed = self._session.review, list(self._session.analysis.tables)
        if review.project is not None and review.path is not None:
            for path in project_tables(review.path, review.project):
                variant = table_variant(path)
                if variant not in listed:
                    listed.append(variant)
        return tuple(listed)

    def compare(self, variants: VariantPair) -> None:
        """Compare two variants; ask for a table first if one is to be chosen."""
        session = self._session
        if ANY_TABLE in variants:
            path = self._ask_table() if session.recording.current is not None else ""
            if not path:
                self.show_variants()
                return
            chosen = table_variant(Path(path))
            first, second = (chosen if each == ANY_TABLE else each for each in variants)
            variants = first, second
        session.analysis.compare(variants)
        session.set_shown_landmarks(ShownLandmarks.BOTH)

    def _ask_table(self) -> str:
        path, _ = QFileDialog.getOpenFileName(
            self._parent,
            self.tr("Compare with a table of landmarks"),
            str(Path(self._session.display.path).parent),
            self.tr("Tables of landmarks ({kinds});;All files (*)").format(kinds="*.csv"),
        )
        return path
