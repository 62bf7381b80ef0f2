"""The dialog that asks how a table is exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QVBoxLayout,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.output.table_formats import TABLE_FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QWidget

NATIVE, PARQUET = "native", "parquet"
_FORMAT, _REVIEW, _WIDE, _DROP = "format", "review", "wide", "drop_excluded"
_EACH = "per_person"


@dataclass(frozen=True, slots=True)
class TableChoice:
    """How a table is exported.

    Attributes:
        format: Name of a format in `TABLE_FORMATS`, or PARQUET.
        review: Whether the review is applied: corrections, persons and excluded intervals.
        wide: Whether each frame has one row with columns for each person.
        drop_excluded: Whether excluded rows are left out instead of marked.
        only_loop: Whether only the looped region is exported.
        per_person: Whether each person has a file of its own.
    """

    format: str = NATIVE
    review: bool = True
    wide: bool = False
    drop_excluded: bool = False
    only_loop: bool = False
    per_person: bool = False

    @property
    def has_layout(self) -> bool:
        """Whether the format can have one row for a frame, and columns of the review."""
        return self.format in (NATIVE, PARQUET)

    @property
    def as_tracked(self) -> bool:
        """Whether the table has the rows and columns that tracking writes."""
        return not (self.review or self.wide or self.per_person or self.format == PARQUET)


class TableExportDialog(QDialog):
    """Dialog of the choices for a table.

    Args:
        choice: What is chosen when the dialog opens.
        has_loop: Whether a region is looped.
        parent: The window over which the dialog opens.
    """

    def __init__(
        self, choice: TableChoice, *, has_loop: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export table"))
        self.format, self.rows, self.excluded = QComboBox(), QComboBox(), QComboBox()
        for each in TABLE_FORMATS.all():
            self.format.addItem(translated(each.label), each.name)
        self.format.addItem("Parquet", PARQUET)
        self.rows.addItem(self.tr("one for each face (long)"), False)
        self.rows.addItem(self.tr("one for each frame (wide)"), True)
        self.review = QCheckBox(self.tr("Apply the review: corrections, persons, exclusions"))
        self.excluded.addItem(self.tr("marked in a column"), False)
        self.excluded.addItem(self.tr("left out"), True)
        self.per_person = QCheckBox(self.tr("A file for each person, with the name in it"))
        self.only_loop = QCheckBox(self.tr("Only the looped region"))
        self.only_loop.setEnabled(has_loop)
        if not has_loop:
            self.only_loop.setToolTip(self.tr("Mark a loop first, with its start and end"))
        self._lay_out(choice)
        self.format.currentIndexChanged.connect(self._update)
        self.review.toggled.connect(self._update)
        self._update()

    @property
    def choice(self) -> TableChoice:
        """What the user has chosen."""
        chosen = TableChoice(
            str(self.format.currentData()), self.review.isChecked(), only_loop=self._only_loop
        )
        if not chosen.has_layout:
            return TableChoice(chosen.format, chosen.review, False, chosen.review, self._only_loop)
        return TableChoice(
            chosen.format,
            chosen.review,
            bool(self.rows.currentData()),
            bool(self.excluded.currentData()),
            self._only_loop,
            self.per_person.isChecked(),
        )

    @property
    def _only_loop(self) -> bool:
        return self.only_loop.isChecked() and self.only_loop.isEnabled()

    def _update(self) -> None:
        """Enable what the format can hold; only tables with columns of the review mark rows."""
        has_layout = self.choice.has_layout
        self.rows.setEnabled(has_layout)
        self.per_person.setEnabled(has_layout)
        self.excluded.setEnabled(has_layout and self.review.isChecked())

    def _lay_out(self, choice: TableChoice) -> None:
        form = QFormLayout()
        self.review.setChecked(choice.review)
        for text, box, value in (
            (self.tr("Format"), self.format, choice.format),
            (self.tr("Rows"), self.rows, choice.wide),
            (self.tr("Excluded rows"), self.excluded, choice.drop_excluded),
        ):
            if box is self.excluded:
                form.addRow(self.review)
            form.addRow(text, box)
            box.setAccessibleName(text)
            box.setCurrentIndex(max(0, box.findData(value)))
        self.per_person.setChecked(choice.per_person)
        form.addRow(self.per_person)
        form.addRow(self.only_loop)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(buttons)


def remembered_choice(values: Mapping[str, object]) -> TableChoice:
    """Return the choice that was stored with `as_values`; the loop is never remembered."""
    found = values.get(_FORMAT)
    known = (*TABLE_FORMATS.names(), PARQUET)
    return TableChoice(
        str(found) if found in known else NATIVE,
        values.get(_REVIEW) is not False,
        values.get(_WIDE) is True,
        values.get(_DROP) is True,
        per_person=values.get(_EACH) is True,
    )


def as_values(choice: TableChoice) -> dict[str, object]:
    """Return a choice as values that preferences can store."""
    return {
        _FORMAT: choice.format,
        _REVIEW: choice.review,
        _WIDE: choice.wide,
        _DROP: choice.drop_excluded,
        _EACH: choice.per_person,
    }
