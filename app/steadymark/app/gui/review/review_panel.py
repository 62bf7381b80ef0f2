"""The panel that lists the doubtful stretches of the open recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.review.limit_controls import LimitControls
from steadymark.app.gui.review.stretch_model import DURATION, FACE, TIME, WHY, StretchModel
from steadymark.app.gui.widgets.flow_layout import FlowLayout
from steadymark.app.gui.widgets.scroll_area import in_scroll_area

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QAction

    from steadymark.app.session.review.stretch_rows import StretchRow

_BUTTONS = ("previous_doubt", "next_doubt", "accept_doubt", "exclude_doubt")
_ROW_PX = 24


class ReviewPanel(QWidget):
    """The list of doubtful stretches, buttons that decide about them, and their limits.

    Attributes:
        chosen: Emitted when the user chooses a stretch, with its StretchRow.
        current_changed: Emitted when another stretch, or none, is the current one.
        limits: The controls of the limits.

    Args:
        actions: The commands by name, for the buttons.
    """

    chosen = Signal(object)
    current_changed = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Review"))
        self._all_rows: Sequence[StretchRow] = ()
        self._frame_s = 0.0
        self._filling = False
        self.count, self.notice, self.why = QLabel(), QLabel(), QLabel()
        self.filter, self.order = QComboBox(), QComboBox()
        self.filter.addItems([self.tr("To do"), self.tr("All")])
        self.filter.setAccessibleName(self.tr("Which stretches are listed"))
        self.order.addItems([self.tr("Worst first"), self.tr("By time")])
        self.order.setAccessibleName(self.tr("Order of the stretches"))
        self.model, self.table = StretchModel(self), QTableView()
        self._set_up_table()
        self.limits = LimitControls()
        self.limits_button = QToolButton()
        self._lay_out([actions[name] for name in _BUTTONS])
        for box in (self.filter, self.order):
            box.activated.connect(lambda _: self._list())
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.clicked.connect(self._on_clicked)

    @property
    def current(self) -> StretchRow | None:
        """The stretch that is selected in the list."""
        place = self.table.currentIndex().row()
        return self.model.rows[place] if 0 <= place < len(self.model.rows) else None

    @property
    def listed(self) -> list[StretchRow]:
        """The stretches that are listed, in their order."""
        return self.model.rows

    def show_rows(self, rows: Sequence[StretchRow], frame_s: float) -> None:
        """Show these stretches, the worst first; the current one stays without being chosen again.

        Args:
            rows: All stretches.
            frame_s: The duration of a frame in seconds.
        """
        if (rows, frame_s) != (self._all_rows, self._frame_s):
            self._all_rows, self._frame_s = rows, frame_s
            self._list()
        done = sum(not row.is_open for row in rows)
        words = self.tr("{done} of {all} looked at").format(done=done, all=len(rows))
        self.count.setText(words if rows else "")

    def show_notice(self, text: str) -> None:
        """Show a sentence above the list; an empty one shows none."""
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def select(self, row: StretchRow | None) -> None:
        """Choose a stretch as if the user had; None does nothing."""
        place = self.model.row_of(None if row is None else row.key)
        if place < 0:
            return
        if place == self.table.currentIndex().row():
            self._on_current(self.table.currentIndex())
        else:
            self.table.selectRow(place)
        self.table.scrollTo(self.model.index(place, 0))

    def step(self, by: int) -> None:
        """Choose the stretch that is this many rows below the current one, or the first one."""
        place, last = self.table.currentIndex().row(), len(self.listed) - 1
        if last >= 0:
            self.select(self.listed[0 if place < 0 else min(max(place + by, 0), last)])

    def next_open(self, row: StretchRow) -> StretchRow | None:
        """Return the next stretch in the list that was not looked at; after the last, the first."""
        place = self.model.row_of(row.key)
        later = (*self.listed[place + 1 :], *self.listed[: max(place, 0)])
        return next((one for one in later if one.is_open), None)

    def _list(self) -> None:
        """List the stretches that the filter lets through, in the chosen order."""
        key = None if self.current is None else self.current.key
        rows = [row for row in self._all_rows if row.is_open or self.filter.currentIndex()]
        if self.order.currentIndex():
            rows.sort(key=lambda row: (row.stretch.start_s, row.stretch.face_id))
        self._filling = True
        self.model.set_rows(rows, self._frame_s)
        place = self.model.row_of(key)
        if place >= 0:
            self.table.selectRow(place)
        self._filling = False
        self._show_why()
        self.current_changed.emit()

    def _on_current(self, index: QModelIndex) -> None:
        if self._filling:
            return
        self._show_why()
        self.current_changed.emit()
        if index.isValid():
            self.chosen.emit(self.model.rows[index.row()])

    def _on_clicked(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.rows[index.row()])

    def _show_why(self) -> None:
        row = self.current
        text = "" if row is None else translated(row.stretch.reason)
        self.why.setText(text[:1].upper() + text[1:])

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setAccessibleName(self.tr("Doubtful stretches"))
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
        for column in (FACE, TIME, DURATION):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(WHY, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self, actions: Sequence[QAction]) -> None:
        above = QHBoxLayout()
        above.addWidget(self.filter)
        above.addWidget(self.order)
        above.addStretch(1)
        buttons = QWidget()
        flow = FlowLayout(buttons, spacing=4)
        flow.setContentsMargins(0, 0, 0, 0)
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            flow.addWidget(button)
        for label in (self.notice, self.why):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        limits = in_scroll_area(self.limits)
        limits.setMaximumHeight(self.limits.sizeHint().height())
        self._fold(limits)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addLayout(above)
        column.addWidget(self.count)
        column.addWidget(self.notice)
        column.addWidget(self.table, 2)
        column.addWidget(self.why)
        column.addWidget(buttons)
        column.addWidget(self.limits_button)
        column.addWidget(limits, 3)

    def _fold(self, limits: QWidget) -> None:
        """Make the button that shows and hides the limits; they are hidden at first."""
        button = self.limits_button
        button.setText(self.tr("Limits"))
        button.setToolTip(self.tr("Show or hide from which value on a stretch is doubtful"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        button.setCheckable(True)
        button.setArrowType(Qt.ArrowType.RightArrow)
        limits.hide()

        def show(shown: bool) -> None:
            button.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
            limits.setVisible(shown)

        button.toggled.connect(show)
