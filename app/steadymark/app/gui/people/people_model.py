"""The persons of the open recording as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap

from steadymark.app.gui.i18n.local_numbers import share_text
from steadymark.app.gui.video.visible_image import as_qimage
from steadymark.app.session.state import clock_text
from steadymark.engine.output.video.draw_style import bgr, face_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QObject

    from steadymark.app.session.people.people import PersonRow

PERSON, FACES, FRAMES, TIME = range(4)
_ROLE = Qt.ItemDataRole
_AT_TOP = QModelIndex()
_LINE_PX = 4  # width of the coloured line below a picture, in pixels of the picture


class PeopleModel(QAbstractTableModel):
    """The table of persons: picture and name, faces, share of the frames, and when.

    Attributes:
        named: Emitted with the number of a person and the name that was typed.
    """

    named = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[PersonRow] = []
        self._icons: dict[int, tuple[object, QIcon]] = {}  # picture and icon by person
        self._titles = self.tr("Person"), self.tr("Faces"), self.tr("Frames"), self.tr("Time")

    def set_rows(self, rows: Sequence[PersonRow]) -> None:
        """Show these persons, by number; rows that stay remain selected."""
        wanted = [row.number for row in rows]
        for place in reversed(range(len(self.rows))):
            if self.rows[place].number not in wanted:
                self.beginRemoveRows(_AT_TOP, place, place)
                del self.rows[place]
                self.endRemoveRows()
        for place, row in enumerate(rows):
            if place == len(self.rows) or self.rows[place].number != row.number:
                self.beginInsertRows(_AT_TOP, place, place)
                self.rows.insert(place, row)
                self.endInsertRows()
            self.rows[place] = row
        if rows:
            self.dataChanged.emit(self.index(0, PERSON), self.index(len(rows) - 1, TIME))

    def place_of(self, person: int) -> int:
        """Return the number of the row of a person, -1 if there is none."""
        return next((i for i, row in enumerate(self.rows) if row.number == person), -1)

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

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == PERSON else flags

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = _ROLE.DisplayRole
    ) -> object:
        row, column = self.rows[index.row()], index.column()
        if role == _ROLE.DisplayRole:
            return self._text(row, column)
        if role == _ROLE.EditRole:
            return row.name
        if role == _ROLE.DecorationRole and column == PERSON:
            return self._icon(row)
        if role == _ROLE.ToolTipRole:
            return self._tooltip(row)
        if role == _ROLE.TextAlignmentRole and column in (FRAMES, TIME):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(
        self, index: QModelIndex | QPersistentModelIndex, value: object, role: int = _ROLE.EditRole
    ) -> bool:
        if role != _ROLE.EditRole:
            return False
        self.named.emit(self.rows[index.row()].number, str(value))
        return True

    def _text(self, row: PersonRow, column: int) -> str:
        one = row.summary
        if column == PERSON:
            return row.title
        if column == FACES:
            return " ".join(f"#{face}" for face in one.faces)
        if column == FRAMES:
            return share_text(row.share)
        return f"{_seconds(one.first_s)} –\n{_seconds(one.last_s)}"

    def _tooltip(self, row: PersonRow) -> str:
        one = row.summary
        lines = [
            row.title,
            self.tr("%n frame(s)", "", one.frames),
            self.tr("frames {first} to {last}").format(first=one.first, last=one.last),
        ]
        if row.neutral is not None:
            lines.append(self.tr("neutral in frame {frame}").format(frame=row.neutral))
        if row.calibrated:
            lines.append(self.tr("gaze is calibrated"))
        if one.doubled:
            lines.append(
                self.tr("two faces at once in %n frame(s), first in frame {frame}", "", one.doubled)
                .format(frame=one.first_doubled)
            )  # fmt: skip
        return "\n".join(lines)

    def _icon(self, row: PersonRow) -> QIcon | None:
        """Return the picture of a person above a line in the colour of the person."""
        if row.image is None:
            return None
        image, icon = self._icons.get(row.number, (None, QIcon()))
        if image is not row.image:
            picture = row.image.copy()
            picture[-_LINE_PX:] = bgr(face_colour(row.number))
            icon = QIcon(QPixmap.fromImage(as_qimage(picture)))
            self._icons[row.number] = row.image, icon
        return icon


def _seconds(time_s: float) -> str:
    """Return a time with tenths of seconds."""
    return clock_text(round(time_s, 1))[:-2]
