"""A table that compares measures of two kinds of landmarks and shows the relative change."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from steadymark.app.gui.i18n.local_numbers import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 12  # maximum number of characters in a heading


class MeasureRow(NamedTuple):
    """One measure of the table.

    Attributes:
        name: The name of the measure in code.
        title: The name that the user sees.
        tooltip: An explanation of the measure.
        digits: The number of decimals.
    """

    name: str
    title: str
    tooltip: str
    digits: int


class ComparisonTable(QWidget):
    """Table with the columns title, first value, second value and change in %."""

    def __init__(self, title: str, lines: Sequence[MeasureRow]) -> None:
        super().__init__()
        self.cells: dict[tuple[str, str], QLabel] = {}
        self._digits = {line.name: line.digits for line in lines}
        self._titles, self._change = (
            {line.name: line.title for line in lines},
            self.tr("difference"),
        )
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(2)
        self.title = QLabel(f"<b>{title}</b>")
        self._headings = QLabel(), QLabel()
        self._values: dict[str, tuple[float, float]] = {}
        grid.addWidget(self.title, 0, 0, 1, 4)
        for column, head in enumerate((*self._headings, QLabel(self._change))):
            grid.addWidget(_right(head), 1, column + 1)
        for row, line in enumerate(lines, start=2):
            heading = QLabel(line.title)
            heading.setToolTip(line.tooltip)
            grid.addWidget(heading, row, 0)
            heading.setWhatsThis(line.tooltip)
            for column, which in enumerate(("raw", "stabilized", "difference"), start=1):
                cell = _right(QLabel())
                cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                cell.setToolTip(line.tooltip)
                cell.setAccessibleDescription(line.tooltip)
                self.cells[line.name, which] = cell
                grid.addWidget(cell, row, column)
        self.set_headings(self.tr("raw"), self.tr("stabilized"))

    def set_headings(self, first: str, second: str) -> None:
        """Set the headings of the two compared variants; further lines are parameters."""
        for head, text in zip(self._headings, (first, second), strict=True):
            head.setText("\n".join(short_text(line) for line in text.splitlines()))
            head.setToolTip(text.replace("\n", " "))
        first, second = first.replace("\n", " "), second.replace("\n", " ")
        spoken = {"raw": first, "stabilized": second, "difference": self._change}
        for (name, which), cell in self.cells.items():
            cell.setAccessibleName(f"{self._titles[name]}, {spoken[which]}")

    def fill(self, name: str, before: float, after: float, *, change: bool = True) -> None:
        """Show both values of a measure; NaN is shown as a dash.

        Args:
            name: The name of the measure.
            before: The value of the first variant.
            after: The value of the second variant.
            change: Whether the relative change is meaningful for this measure.
        """
        self._values[name] = before, after
        digits = self._digits[name]
        self.cells[name, "raw"].setText(number_text(before, digits))
        self.cells[name, "stabilized"].setText(number_text(after, digits))
        known = change and math.isfinite(before) and math.isfinite(after) and before > 0
        self.cells[name, "difference"].setText(_change(before, after) if known else "")

    def figures(self) -> list[tuple[str, str, float, float]]:
        """Return the title of the table and of each measure, and both values, NaN if unknown."""
        plain = QTextDocumentFragment.fromHtml(self.title.text()).toPlainText()
        return [(plain, self._titles[name], *values) for name, values in self._values.items()]

    def clear(self) -> None:
        self._values.clear()
        for cell in self.cells.values():
            cell.setText("")


def _change(before: float, after: float) -> str:
    percent = round(100 * (after / before - 1))
    return f"{percent:+d}\N{NO-BREAK SPACE}%" if percent else "0\N{NO-BREAK SPACE}%"


def short_text(text: str) -> str:
    """Return a text that is short enough for a heading."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _right(label: QLabel) -> QLabel:
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
