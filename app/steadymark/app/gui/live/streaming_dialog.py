"""The dialog that sets where live results are sent: a switch, address and state per target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.live.streaming_texts import state_text, target_name
from steadymark.app.gui.live.target_option_boxes import TargetOptionBoxes
from steadymark.engine.output.video.draw_style import VERMILLION
from steadymark.engine.streaming.targets import TARGETS, TargetKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.live.stream_sending import StreamTargetState

_EVERY_MS = 400  # Figures that change faster cannot be read.


class StreamingDialog(QDialog):
    """Non-modal dialog that sets where live results are sent.

    Args:
        target_states: Returns the states of the targets and whether a live view is running.
        parent: The parent widget.

    Attributes:
        target_changed: Emitted with the target's kind, whether it is on, and its address.
        neutral_chosen: Emitted when the face of this moment is to be the neutral one.
    """

    target_changed = Signal(str, bool, str)
    neutral_chosen = Signal()

    def __init__(
        self,
        target_states: Callable[[], tuple[tuple[StreamTargetState, ...], bool]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Send to other programs"))
        self._target_states = target_states
        self.check_boxes: dict[str, QCheckBox] = {}
        self.addresses: dict[str, QLineEdit] = {}
        self.states: dict[str, QLabel] = {}
        self.options: dict[str, TargetOptionBoxes] = {}
        column = QVBoxLayout(self)
        words = QLabel(
            self.tr(
                "Live results are sent immediately. Tracking never waits for a "
                "receiver: what cannot be sent in time is dropped and counted."
            )
        )
        words.setWordWrap(True)
        column.addWidget(words)
        self._grid = QGridLayout()
        self._grid.setColumnMinimumWidth(1, 220)
        self._grid.setColumnStretch(1, 1)
        self._grid.setHorizontalSpacing(12)
        column.addLayout(self._grid)
        for kind in TARGETS.all():
            self._add(kind)
        self._faults: dict[str, str] = {}
        self.fault = QLabel()
        self.fault.setWordWrap(True)
        self.fault.setTextFormat(Qt.TextFormat.PlainText)
        colours = self.fault.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        self.fault.setPalette(colours)
        self.fault.hide()
        column.addWidget(self.fault)
        column.addStretch(1)
        self.neutral = QPushButton(self.tr("Take the face as neutral now"))
        self.neutral.setToolTip(
            self.tr(
                "Sent expressions are relative to the person's neutral face. It is found in quiet "
                "moments. To choose it, look into the camera with a relaxed face, and press this."
            )
        )
        self.neutral.setAutoDefault(False)
        self.neutral.clicked.connect(lambda: self.neutral_chosen.emit())
        column.addWidget(self.neutral, 0, Qt.AlignmentFlag.AlignLeft)
        note = QLabel(
            self.tr(
                "127.0.0.1 is this computer. Other addresses send over the network, "
                "where others may read the data."
            )
        )
        note.setWordWrap(True)
        note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column.addWidget(note)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setMinimumWidth(560)
        self._refresh_timer = QTimer(self, interval=_EVERY_MS)
        self._refresh_timer.timeout.connect(self.refresh)
        self._refresh_timer.start()
        self.refresh()

    def refresh(self) -> None:
        """Show the current state; an address that is being edited is not changed."""
        states, live = self._target_states()
        self.neutral.setEnabled(live and any(state.sending for state in states))
        for state in states:
            self.check_boxes[state.kind].setChecked(state.on)
            place = self.addresses[state.kind]
            if not place.hasFocus() and not self._faults.get(state.kind):
                place.setText(self.options[state.kind].show_place(state.place))
            self.states[state.kind].setText(state_text(state, live=live))

    def show_fault(self, kind: str, fault: str) -> None:
        """Show what is wrong with an address; an empty string removes the message."""
        self._faults[kind] = fault
        lines = [f"{target_name(k)}: {words}" for k, words in self._faults.items() if words]
        self.fault.setText("\n".join(lines))
        self.fault.setVisible(bool(lines))

    def _add(self, kind: TargetKind) -> None:
        row, key = self._grid.rowCount(), kind.name
        name, hint = translated(kind.label), translated(kind.help)
        switch, place, state = QCheckBox(name), QLineEdit(kind.place), QLabel()
        about = QLabel(hint)
        about.setWordWrap(True)
        about.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        switch.setToolTip(hint)
        switch.setAccessibleDescription(hint)
        what = translated(kind.place_label)
        place.setAccessibleName(f"{name}: {what}")
        place.setToolTip(what)
        place.setPlaceholderText(kind.place)
        state.setTextFormat(Qt.TextFormat.PlainText)
        state.setAccessibleName(self.tr("{name}: state").format(name=name))
        state.setMinimumWidth(190)
        state.setWordWrap(True)
        for number, widget in enumerate((switch, place, state)):
            self._grid.addWidget(widget, row, number)
        self._grid.addWidget(about, row + 1, 1, 1, 2)
        self._grid.setRowMinimumHeight(row + 1, 40)
        options = TargetOptionBoxes(kind)
        if kind.options:
            self._grid.addWidget(options, row + 2, 1, 1, 2)

        def emit(on: bool) -> None:
            self.target_changed.emit(key, on, options.whole_place(place.text()))

        switch.clicked.connect(emit)
        place.editingFinished.connect(lambda: emit(switch.isChecked()))
        options.changed.connect(lambda: emit(switch.isChecked()))
        self.options[key] = options
        self.check_boxes[key], self.addresses[key], self.states[key] = switch, place, state
