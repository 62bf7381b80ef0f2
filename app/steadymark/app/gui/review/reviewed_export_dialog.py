"""The dialog that asks how a reviewed table is exported."""

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

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QWidget

CSV, PARQUET = ".csv", ".parquet"
_FORMAT, _WIDE, _DROP, _EACH = "format", "wide", "drop_excluded", "per_person"


@dataclass(frozen=True, slots=True)
class ReviewedChoice:
    """How a reviewed table is exported.

    Attributes:
        suffix: CSV or PARQUET.
        wide: Whether each frame has one row with columns for each person.
        drop_excluded: Whether excluded rows are left out instead of marked.
        only_loop: Whether only the looped region is exported.
        per_person: Whether each person has a file of its own.
    """

    suffix: str = CSV
    wide: bool = False
    drop_excluded: bool = False
    only_loop: bool = False
    per_person: bool = False


class ReviewedExportDialog(QDialog):
    """Dialog of the choices for a reviewed table.

    Args:
        choice: What is chosen when the dialog opens.
        has_loop: Whether a region is looped.
        parent: The window over which the dialog opens.
    """

    def __init__(
        self, choice: ReviewedChoice, *, has_loop: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export reviewed table"))
        self.format, self.rows, self.excluded = QComboBox(), QComboBox(), QComboBox()
        self.format.addItem("CSV", CSV)
        self.format.addItem("Parquet", PARQUET)
        self.rows.addItem(self.tr("one for each face (long)"), False)
        self.rows.addItem(self.tr("one for each frame (wide)"), True)
        self.excluded.addItem(self.tr("marked in a column"), False)
        self.excluded.addItem(self.tr("left out"), True)
        self.only_loop = QCheckBox(self.tr("Only the looped region"))
        self.only_loop.setEnabled(has_loop)
        if not has_loop:
            self.only_loop.setToolTip(self.tr("Mark a loop first, with its start and end"))
        form = QFormLayout()
        for text, box, value in (
            (self.tr("Format"), self.format, choice.suffix),
            (self.tr("Rows"), self.rows, choice.wide),
            (self.tr("Excluded rows"), self.excluded, choice.drop_excluded),
        ):
            form.addRow(text, box)
            box.setAccessibleName(text)
            box.setCurrentIndex(max(0, box.findData(value)))
        self.per_person = QCheckBox(self.tr("A file for each person, with the name in it"))
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

    @property
    def choice(self) -> ReviewedChoice:
        """What the user has chosen."""
        return ReviewedChoice(
            str(self.format.currentData()),
            bool(self.rows.currentData()),
            bool(self.excluded.currentData()),
            self.only_loop.isChecked(),
            self.per_person.isChecked(),
        )


def remembered_choice(values: Mapping[str, object]) -> ReviewedChoice:
    """Return the choice that was stored with `as_values`; the loop is never remembered."""
    suffix = PARQUET if values.get(_FORMAT) == PARQUET else CSV
    wide, drop, each = (values.get(name) is True for name in (_WIDE, _DROP, _EACH))
    return ReviewedChoice(suffix, wide, drop, per_person=each)


def as_values(choice: ReviewedChoice) -> dict[str, object]:
    """Return a choice as values that preferences can store."""
    return {
        _FORMAT: choice.suffix,
        _WIDE: choice.wide,
        _DROP: choice.drop_excluded,
        _EACH: choice.per_person,
    }
