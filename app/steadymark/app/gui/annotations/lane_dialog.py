"""The dialog that adds or changes a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.actions.shortcuts import native_key_text
from steadymark.app.gui.annotations.lane_names import lane_title
from steadymark.engine.review.edits import LANE_COLOURS
from steadymark.engine.review.project import EXCLUDE, Lane

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_RED = "#cc3311"
_SWATCH_PX = 14


class LaneDialog(QDialog):
    """Dialog with the name, colour and key of a lane.

    Args:
        lane: The lane; a new one has no name yet.
        keys: The keys that it can have.
        names: The names of the other lanes.
        fault: A sentence if its present key cannot be used; otherwise empty.
        parent: The window over which the dialog opens.
    """

    def __init__(
        self,
        lane: Lane,
        keys: Sequence[str],
        names: Collection[str],
        *,
        fault: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Change lane") if lane.name else self.tr("Add lane"))
        self._lane, self._names = lane, set(names)
        self.name = QLineEdit(lane_title(lane.name))
        self.name.setEnabled(lane.name != EXCLUDE)
        self.colour, self.key = QComboBox(), QComboBox()
        self._fill(keys)
        self.fault_label = QLabel(fault)
        self.fault_label.setWordWrap(True)
        self.fault_label.setVisible(bool(fault))
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._lay_out()
        self.name.textChanged.connect(self._check)
        self._check()

    def _fill(self, keys: Sequence[str]) -> None:
        names = (
            self.tr("Blue"),
            self.tr("Orange"),
            self.tr("Green"),
            self.tr("Pink"),
            self.tr("Light blue"),
            self.tr("Vermilion"),
            self.tr("Yellow"),
            self.tr("Red"),
        )
        for colour, name in zip((*LANE_COLOURS, _RED), names, strict=True):
            self.colour.addItem(swatch(colour), name, colour)
        if self.colour.findData(self._lane.colour) < 0:
            self.colour.addItem(swatch(self._lane.colour), self._lane.colour, self._lane.colour)
        self.colour.setCurrentIndex(self.colour.findData(self._lane.colour))
        self.key.addItem(self.tr("No key"), "")
        for key in keys:
            self.key.addItem(native_key_text(key), key)
        self.key.setCurrentIndex(max(0, self.key.findData(self._lane.key)))

    def _lay_out(self) -> None:
        explanation = QLabel(
            self.tr(
                "The key starts and ends an interval; with Shift, it marks an event. Keys of "
                "commands are not offered; Keyboard shortcuts in the menu Help changes those."
            )
        )
        explanation.setWordWrap(True)
        form = QFormLayout()
        for text, field in (
            (self.tr("&Name"), self.name),
            (self.tr("&Colour"), self.colour),
            (self.tr("&Key"), self.key),
        ):
            field.setAccessibleName(text.replace("&", ""))
            form.addRow(text, field)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(explanation)
        column.addWidget(self.fault_label)
        column.addWidget(self.buttons)
        self.setMinimumWidth(380)

    @property
    def lane(self) -> Lane:
        """The lane as it was entered."""
        name = self._lane.name if self._lane.name == EXCLUDE else self.name.text().strip()
        return Lane(name, str(self.colour.currentData()), str(self.key.currentData()))

    def _check(self) -> None:
        """Allow only a name that no other lane has."""
        name = self.lane.name
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(name) and name not in self._names)
        if name in self._names:
            fault = self.tr("There is a lane called '{name}' already.").format(name=name)
            self.fault_label.setText(fault)
            self.fault_label.show()
        elif self.name.isModified():
            self.fault_label.hide()


def swatch(colour: str) -> QIcon:
    """Return a square of this colour."""
    pixmap = QPixmap(_SWATCH_PX, _SWATCH_PX)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
