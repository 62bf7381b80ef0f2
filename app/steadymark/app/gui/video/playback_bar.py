"""The bar below the video: playback, steps, speed, and the position as time and frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import significant_text
from steadymark.app.gui.timeline.timeline import Timeline
from steadymark.app.session.state import SPEEDS, Display, clock_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction

_BUTTONS = ("stop", "jump_back", "step_back", "play", "step_on", "jump_on", "loop")


class PlaybackBar(QWidget):
    """The playback bar.

    Attributes:
        position_entered: Emitted with a position as the user typed it.
        speed_chosen: Emitted with a multiple of normal speed.
    """

    position_entered = Signal(str)
    speed_chosen = Signal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.timeline = Timeline()
        self.time = _field(self.tr("Time"), 84)
        self.frame = _field(self.tr("Frame"), 56)
        self.length = QLabel()
        self.speed = QComboBox()
        self._fill_speed()
        self._shown: Display | None = None
        row = QHBoxLayout()
        row.setSpacing(2)
        for name in _BUTTONS:
            row.addWidget(_button(actions[name], large=name == "play"))
        row.addSpacing(8)
        row.addWidget(self.speed)
        row.addStretch(1)
        for widget in (
            self.time,
            self.length,
            QLabel(self.tr("frame")),
            self.frame,
        ):
            row.addWidget(widget)
            row.addSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(2)
        column.addWidget(self.timeline)
        column.addLayout(row)
        for field in (self.time, self.frame):
            field.returnPressed.connect(self._on_position_entered)
            field.editingFinished.connect(self._refresh)
        self.speed.activated.connect(
            lambda: self.speed_chosen.emit(float(self.speed.currentData()))
        )
        self.time.setToolTip(self.tr("Enter a time: 83.4s, 1:23.4 or 1:02:03"))
        self.frame.setToolTip(self.tr("Enter a frame number, from 0"))

    def set_position(self, display: Display) -> None:
        """Show the playback position."""
        self._shown = display
        self.timeline.set_display(display)
        self._refresh()

    def set_display(self, display: Display) -> None:
        """Show the rest of the display state."""
        for widget in (self.time, self.frame, self.speed):
            widget.setEnabled(display.has_recording)
        self.speed.setCurrentIndex(self.speed.findData(display.speed))
        self.length.setText(
            self.tr("of {clock}").format(clock=clock_text(display.duration_s))
            if display.has_recording
            else ""
        )
        self.set_position(display)

    def edit_time(self) -> None:
        """Select the current time, so that what is typed replaces it."""
        self.time.setModified(False)  # what was typed earlier and not entered is given up
        self._refresh()
        self.time.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.time.selectAll()

    def stop_editing(self) -> bool:
        """Give up what is being typed. Returns whether a field had the keyboard."""
        fields = [field for field in (self.time, self.frame) if field.hasFocus()]
        for field in fields:
            field.setModified(False)
        self._refresh()
        return bool(fields)

    def _refresh(self) -> None:
        """Update the fields.

        A field that is being edited is not changed, and a selected text stays selected.
        """
        display = self._shown
        if display is None:
            return
        texts = (
            (self.time, clock_text(display.time_s)),
            (self.frame, str(display.frame)),
        )
        for field, text in texts:
            if not (field.hasFocus() and field.isModified()):
                selected = field.hasFocus() and field.selectedText() == field.text() != ""
                field.setText(text if display.has_recording else "")
                if selected:
                    field.selectAll()

    def _on_position_entered(self) -> None:
        field = self.time if self.time.hasFocus() else self.frame
        text = field.text().strip()
        if field is self.time and text.isdigit():
            text += "s"  # A bare number such as 83 in the time field is a time in seconds.
        field.setModified(False)
        self.position_entered.emit(text)

    def _fill_speed(self) -> None:
        self.speed.setAccessibleName(self.tr("Speed"))
        self.speed.setToolTip(self.tr("Playback speed"))
        for value in SPEEDS:
            self.speed.addItem(f"{significant_text(value, 6)}×", value)
        self.speed.setCurrentIndex(self.speed.findData(1.0))


def _button(action: QAction, *, large: bool) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    size = 26 if large else 20
    button.setIconSize(QSize(size, size))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _field(name: str, width: int) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setFixedWidth(width)
    field.setAlignment(Qt.AlignmentFlag.AlignRight)
    field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return field
