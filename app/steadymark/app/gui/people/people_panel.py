"""The panel that lists the persons of the open recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStyledItemDelegate,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.people.people_model import FACES, FRAMES, PERSON, TIME, PeopleModel
from steadymark.app.gui.widgets.flow_layout import FlowLayout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QAction

    from steadymark.app.session.people.people import PersonRow

_BUTTONS = ("name_person", "merge_people", "split_person", "swap_people", "neutral_face")
_PICTURE_PX = 40
_TABLE = QTableView
_FILLED = "filled"  # name of a dynamic property of editors


class NameDelegate(QStyledItemDelegate):
    """Edits names, and keeps what is typed when the rows change meanwhile."""

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        """Fill a new editor with the present name."""
        if not editor.property(_FILLED):
            super().setEditorData(editor, index)
            editor.setProperty(_FILLED, True)


class PeoplePanel(QWidget):
    """The list of persons, buttons that change them, and a suggestion.

    A click shows the best frame of a person; a double click or F2 edits the name.

    Attributes:
        chosen: Emitted with the PersonRow that the user clicks.
        selection_changed: Emitted when other persons are selected.
        suggestion_answered: Emitted with whether the user takes the suggestion.
        model: The rows; its signal `named` tells which name was typed.

    Args:
        actions: The commands by name, for the buttons.
    """

    chosen = Signal(object)
    selection_changed = Signal()
    suggestion_answered = Signal(bool)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("People"))
        self.notice, self.suggestion = QLabel(), QLabel()
        self.same, self.different = QToolButton(), QToolButton()
        self.model, self.table = PeopleModel(self), QTableView()
        self._suggestion_box = QWidget()
        self._set_up_table()
        self._lay_out([actions[name] for name in _BUTTONS])
        self.table.clicked.connect(lambda index: self.chosen.emit(self.model.rows[index.row()]))
        selection = self.table.selectionModel()
        selection.selectionChanged.connect(lambda *_: self.selection_changed.emit())

    @property
    def selected(self) -> list[PersonRow]:
        """The persons that are selected, by number."""
        places = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.rows[place] for place in places]

    def show_rows(self, rows: Sequence[PersonRow]) -> None:
        """Show these persons; those that were selected stay selected."""
        self.model.set_rows(rows)

    def show_notice(self, text: str) -> None:
        """Show a sentence above the list; an empty one shows none."""
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def show_suggestion(self, text: str) -> None:
        """Show a suggestion with its two answers; an empty one shows none."""
        self.suggestion.setText(text)
        self._suggestion_box.setVisible(bool(text))

    def select(self, *persons: int) -> None:
        """Select persons by number; the last one becomes the current row."""
        selection, flags = self.table.selectionModel(), QItemSelectionModel.SelectionFlag
        selection.clearSelection()
        for person in persons:
            index = self.model.index(self.model.place_of(person), PERSON)
            if index.isValid():
                selection.setCurrentIndex(index, flags.Select | flags.Rows)

    def edit_name(self, person: int) -> None:
        """Let the user type the name of a person in the list."""
        index = self.model.index(self.model.place_of(person), PERSON)
        if index.isValid():
            self.select(person)
            self.table.setFocus()
            self.table.edit(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let F2 edit a name while the list has the focus, rather than an annotation."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_F2
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _set_up_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setItemDelegate(NameDelegate(table))
        table.installEventFilter(self)
        table.setAccessibleName(self.tr("Persons"))
        table.setSelectionBehavior(_TABLE.SelectionBehavior.SelectRows)
        table.setSelectionMode(_TABLE.SelectionMode.ExtendedSelection)
        triggers = _TABLE.EditTrigger
        table.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_PICTURE_PX + 4)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(PERSON, QHeaderView.ResizeMode.Stretch)
        for column in (FACES, FRAMES, TIME):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def _lay_out(self, actions: Sequence[QAction]) -> None:
        for label in (self.notice, self.suggestion):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.same.setText(self.tr("Merge"))
        self.same.setToolTip(self.tr("Make one person of both"))
        self.different.setText(self.tr("Different persons"))
        self.different.setToolTip(self.tr("Do not suggest these two again"))
        self.same.clicked.connect(lambda: self.suggestion_answered.emit(True))
        self.different.clicked.connect(lambda: self.suggestion_answered.emit(False))
        answers = QHBoxLayout()
        answers.addWidget(self.same)
        answers.addWidget(self.different)
        answers.addStretch(1)
        suggestion = QVBoxLayout(self._suggestion_box)
        suggestion.setContentsMargins(0, 0, 0, 0)
        suggestion.addWidget(self.suggestion)
        suggestion.addLayout(answers)
        self._suggestion_box.hide()
        buttons = QWidget()
        flow = FlowLayout(buttons, spacing=4)
        flow.setContentsMargins(0, 0, 0, 0)
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        for widget in (self.notice, self._suggestion_box, self.table, buttons):
            column.addWidget(widget)
        column.setStretchFactor(self.table, 1)
