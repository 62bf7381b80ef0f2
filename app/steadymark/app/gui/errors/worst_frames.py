"""The frames with the largest errors, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHeaderView, QTableView, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.local_numbers import UNKNOWN, number_text
from steadymark.app.session.state import clock_text

if TYPE_CHECKING:
    from PySide6.QtCore import QObject

    from steadymark.app.gui.errors.shown_errors import ShownErrors
    from steadymark.engine.metrics.accuracy_scores import FacePlace

VIDEO, TIME, FRAME, FIRST, SECOND = range(5)
_ROLE = Qt.ItemDataRole
_AT_TOP = QModelIndex()
_ROW_PX = 22
_WIDTH_PX = 208  # so that all columns are seen


class WorstFramesModel(QAbstractTableModel):
    """The table of the worst frames: video, time, frame, and the errors of both variants."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown: ShownErrors | None = None
        self._rows: tuple[int, ...] = ()
        self._titles = self.tr("Video"), self.tr("Time"), self.tr("Frame")

    def set_errors(self, shown: ShownErrors | None, variant: int) -> None:
        """Show the worst frames of one of the two variants."""
        self.beginResetModel()
        self._shown = shown
        self._rows = () if shown is None else shown.pair[variant].worst
        self.endResetModel()

    def place(self, row: int) -> FacePlace | None:
        """Return the frame of a row, or None if there is no such row."""
        if self._shown is None or not 0 <= row < len(self._rows):
            return None
        return self._shown.pair[0].places[self._rows[row]]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _AT_TOP) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = _AT_TOP) -> int:
        return 0 if parent.isValid() else SECOND + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _ROLE.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == _ROLE.ToolTipRole and section >= FIRST and self._shown is not None:
            words = self.tr("{name}: NRMSE in % of the distance between the outer eye corners")
            return words.format(name=self._shown.names[section - FIRST])
        if role != _ROLE.DisplayRole:
            return None
        if section <= FRAME:
            return self._titles[section]
        return "" if self._shown is None else self._shown.names[section - FIRST]

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = _ROLE.DisplayRole
    ) -> object:
        text = self._text(self._rows[index.row()], index.column())
        if role == _ROLE.DisplayRole:
            return text
        if role == _ROLE.ToolTipRole and text == UNKNOWN:
            return self.tr("The face was not found in this frame")
        if role == _ROLE.TextAlignmentRole and index.column() != VIDEO:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _text(self, number: int, column: int) -> str:
        assert self._shown is not None
        place = self._shown.pair[0].places[number]
        if column == VIDEO:
            return place.name
        if column == TIME:
            time_s = self._shown.time_s(number)
            return "" if time_s is None else clock_text(time_s)
        if column == FRAME:
            return f"{place.frame}"
        return number_text(float(self._shown.pair[column - FIRST].errors[number]), 2)


class WorstFrames(QWidget):
    """The list of the worst frames.

    Attributes:
        chosen: Emitted with the `FacePlace` of the frame that was clicked or selected by a key.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.table, self.variant = WorstFramesModel(self), QTableView(), QComboBox()
        self._shown: ShownErrors | None = None
        self._filling = False
        self.variant.setAccessibleName(self.tr("Worst frames of"))
        self.variant.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.variant.setMinimumContentsLength(10)
        self.setMinimumWidth(_WIDTH_PX)
        self.variant.activated.connect(lambda _: self._fill())
        self._set_up_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.variant)
        column.addWidget(self.table, 1)

    def show_errors(self, shown: ShownErrors | None) -> None:
        """Show the worst frames of these errors; the selected row stays selected."""
        names = () if shown is None else shown.names
        if [self.variant.itemData(i) for i in range(self.variant.count())] != list(names):
            chosen = self.variant.currentIndex()
            self.variant.clear()
            for name in names:
                self.variant.addItem(self.tr("Worst frames, {name}").format(name=name), name)
            # The second variant is the stabilized one, which is exported.
            self.variant.setCurrentIndex(chosen if chosen >= 0 else len(names) - 1)
        self._shown = shown
        self._fill()

    def _fill(self) -> None:
        before = self.model.place(self.table.currentIndex().row())
        self._filling = True
        self.model.set_errors(self._shown, max(0, self.variant.currentIndex()))
        one_video = self._shown is not None and self._shown.times_s is not None
        self.table.setColumnHidden(VIDEO, one_video)
        self.table.setColumnHidden(TIME, not one_video)
        rows = range(self.model.rowCount())
        row = next((r for r in rows if before and self.model.place(r) == before), -1)
        if row >= 0:
            self.table.selectRow(row)
        self._filling = False

    def _choose(self, index: QModelIndex) -> None:
        place = self.model.place(index.row())
        if place is not None and not self._filling:
            self.chosen.emit(place)

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(self.tr("Worst frames"))
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for section in (FIRST, SECOND):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(36)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        table.selectionModel().currentRowChanged.connect(lambda index, _: self._choose(index))
        table.clicked.connect(self._choose)
