"""The bar below the video in which landmarks are corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLabel, QToolButton, QVBoxLayout, QWidget

from steadymark.app.gui.widgets.elided_label import ElidedLabel
from steadymark.app.gui.widgets.flow_layout import FlowLayout
from steadymark.app.session.review.correcting import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction

LONGEST_SPAN_S = 60.0
_STEP_S = 0.1


class CorrectionBar(QWidget):
    """What moves with a landmark, for how long a correction counts, and the commands.

    Attributes:
        scope_chosen: Emitted with a Scope.
        span_chosen: Emitted with a time in seconds.

    Args:
        actions: The commands by name, for the buttons.
    """

    scope_chosen = Signal(object)
    span_chosen = Signal(float)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Correct landmarks"))
        self.scope, self.span, self.note = QComboBox(), QDoubleSpinBox(), ElidedLabel()
        self._set_up_fields()
        column, fields = QVBoxLayout(self), QWidget()
        column.setContentsMargins(8, 4, 8, 2)
        column.setSpacing(2)
        flow = FlowLayout(fields, spacing=6)
        flow.setContentsMargins(0, 0, 0, 0)
        moved, faded = QLabel(self.tr("Move")), QLabel(self.tr("fades out over"))
        for widget in (moved, self.scope, faded, self.span):
            flow.addWidget(widget)
        for name, text in (
            ("previous_correction", self.tr("Previous")),
            ("next_correction", self.tr("Next")),
            ("remove_correction", self.tr("Remove")),
            ("track_from_here", self.tr("Track from here")),
        ):
            flow.addWidget(_button(actions[name], text))
        done = QToolButton()
        done.setText(self.tr("Close"))
        done.clicked.connect(actions["correct_landmarks"].trigger)
        flow.addWidget(done)
        column.addWidget(fields)
        column.addWidget(self.note)
        self.hide()

    def show_state(self, scope: Scope, span_s: float, note: str) -> None:
        """Show what is chosen, and a sentence about the shown frame.

        Args:
            scope: What moves with a landmark.
            span_s: The span of the correction of the shown frame, or of new ones.
            note: The sentence.
        """
        self.scope.setCurrentIndex(self.scope.findData(scope))
        self._show_span(span_s)
        self.note.setText(note)
        self.note.setToolTip(note)

    def _show_span(self, span_s: float) -> None:
        blocked = self.span.blockSignals(True)
        self.span.setValue(span_s)
        self.span.blockSignals(blocked)

    def _set_up_fields(self) -> None:
        for scope, text in (
            (Scope.LANDMARK, self.tr("the landmark")),
            (Scope.REGION, self.tr("its part of the face (Shift)")),
            (Scope.FACE, self.tr("the whole face (Ctrl)")),
        ):
            self.scope.addItem(text, scope)
        self.scope.setAccessibleName(self.tr("What moves"))
        self.scope.activated.connect(
            lambda _: self.scope_chosen.emit(Scope(self.scope.currentData()))
        )
        self.span.setRange(0.0, LONGEST_SPAN_S)
        self.span.setSingleStep(_STEP_S)
        self.span.setSuffix(self.tr(" s"))
        self.span.setAccessibleName(self.tr("Span"))
        self.span.setToolTip(
            self.tr("For how long before and after its frame a correction fades out")
        )
        self.span.setKeyboardTracking(False)
        self.span.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.span.valueChanged.connect(self.span_chosen.emit)


def _button(action: QAction, text: str) -> QToolButton:
    button = QToolButton()
    action.setIconText(text)
    button.setDefaultAction(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
