"""The doubtful stretches as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QPalette

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon
from steadymark.app.session.state import clock_text
from steadymark.engine.review.stretch_table import StretchStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QObject

    from steadymark.app.session.review.stretch_rows import StretchRow

FACE, TIME, DURATION, WHY = range(4)
_ROLE = Qt.ItemDataRole
_ICONS = {StretchStatus.ACCEPTED: "check", StretchStatus.EXCLUDED: "exclude"}
_AT_TOP = QModelIndex()


class StretchModel(QAbstractTableModel):
    """The table of the doubtful stretches: face, time, duration, and why."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[StretchRow] = []
        self._frame_s = 0.0
        self._titles = self.tr("Face"), self.tr("Time"), self.tr("Duration"), self.tr("Why")
        self._status_texts = {
            StretchStatus.OPEN: self.tr("not looked at"),
            StretchStatus.ACCEPTED: self.tr("accepted"),
            StretchStatus.EXCLUDED: self.tr("excluded"),
        }

    def set_rows(self, rows: Sequence[StretchRow], frame_s: float) -> None:
        """Show these stretches; `frame_s` is the duration of a frame in seconds."""
        self.beginResetModel()
        self.rows, self._frame_s = list(rows), frame_s
        self.endResetModel()

    def row_of(self, key: tuple[int, int] | None) -> int:
        """Return the number of the row with this key, -1 if there is none."""
        found = (number for number, row in enumerate(self.rows) if row.key == key)
        return next(found, -1)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _AT_TOP) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _AT_TOP) -> int:
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == _ROLE.DisplayRole:
            return self._titles[section]
        return None

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = _ROLE.DisplayRole
    ) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == _ROLE.DisplayRole:
            return self._text(row, column)
        if role == _ROLE.ToolTipRole:
            return f"{translated(row.stretch.reason)} ({self._status_texts[row.status]})"
        if role == _ROLE.AccessibleTextRole:
            status = self._status_texts[row.status]
            return f"{self._text(row, column)}, {status}" if column == FACE else None
        if role == _ROLE.DecorationRole and column == FACE and not row.is_open:
            return icon(_ICONS[row.status])
        if role == _ROLE.TextAlignmentRole and column in (TIME, DURATION):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == _ROLE.ForegroundRole and not row.is_open:
            return _faint()
        return None

    def _text(self, row: StretchRow, column: int) -> str:
        stretch = row.stretch
        if column == FACE:
            return row.name
        if column == TIME:
            return clock_text(round(stretch.start_s, 1))[:-2]  # tenths of seconds
        if column == DURATION:
            return number_text(stretch.end_s - stretch.start_s + self._frame_s, 2, "s")
        return translated(stretch.reason)


def _faint() -> QColor:
    return QPalette().color(QPalette.ColorRole.PlaceholderText)
