"""The controls of one shape: gain, dead zone, curve, and a picture of what they do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.filter_controls import parameter_spin_box
from steadymark.engine.expressions.expression_settings import (
    PARAMETERS,
    UNCHANGED,
    ShapeSettings,
    changed_strength,
    other_side,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_CURVE_PX = 110
_CURVE_POINTS = 61


class ResponseCurve(QWidget):
    """The strength that is sent over the one that is measured, with the current one as a point."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings, self._measured = UNCHANGED, float("nan")
        self.setAccessibleName(self.tr("Measured and sent strength"))
        self.setToolTip(self.tr("To the right: the measured strength. Up: the one that is sent."))

    def sizeHint(self) -> QSize:
        return QSize(_CURVE_PX, _CURVE_PX)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_settings(self, settings: ShapeSettings) -> None:
        """Draw the curve of these settings."""
        self._settings = settings
        self.update()

    def show_strength(self, measured: float) -> None:
        """Draw the point of this measured strength; NaN draws none."""
        if measured != self._measured:
            self._measured = measured
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        side = min(self.width(), self.height()) - 9
        colours, painter = self.palette(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(4.5, 4.5)
        painter.setPen(colours.color(QPalette.ColorRole.Mid))
        painter.drawRect(0, 0, side, side)
        painter.drawLine(0, side, side, 0)
        strengths = np.linspace(0, 1, _CURVE_POINTS)
        sent = changed_strength(strengths, self._settings)
        painter.setPen(QPen(colours.color(QPalette.ColorRole.Highlight), 2))
        points = zip((side * strengths).tolist(), (side * (1 - sent)).tolist(), strict=True)
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))
        if self._measured >= 0:  # NaN is not
            at = float(changed_strength(np.array([self._measured]), self._settings)[0])
            painter.setBrush(colours.color(QPalette.ColorRole.Highlight))
            painter.drawEllipse(QPointF(side * self._measured, side * (1 - at)), 3.5, 3.5)


class ShapeControls(QWidget):
    """The controls of the chosen shape.

    Attributes:
        changed: Emitted with the ShapeSettings when the user changes a value.
        boxes: The spin boxes by the parameter's name.
        both_sides: Whether left and right get the same settings.
    """

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.strengths = QLabel(), QLabel()
        bold = self.title.font()
        bold.setBold(True)
        self.title.setFont(bold)
        self.strengths.setWordWrap(True)
        self.strengths.setAlignment(Qt.AlignmentFlag.AlignTop)
        # Room for two lines, so that nothing moves when the numbers change.
        self.strengths.setMinimumHeight(2 * self.strengths.fontMetrics().lineSpacing())
        self.curve = ResponseCurve()
        self.boxes = {parameter.name: parameter_spin_box(parameter) for parameter in PARAMETERS}
        self.both_sides = QCheckBox(self.tr("&Both sides"))
        self.both_sides.setToolTip(self.tr("Give the left and the right shape the same settings"))
        self.both_sides.setChecked(True)
        self.reset = QPushButton(self.tr("&Reset this shape"))
        self.reset.setAutoDefault(False)
        self.reset.clicked.connect(lambda: self.changed.emit(UNCHANGED))
        form = QFormLayout()
        for parameter in PARAMETERS:
            box = self.boxes[parameter.name]
            form.addRow(translated(parameter.label), box)
            box.valueChanged.connect(lambda _value: self.changed.emit(self._chosen))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.title, self.strengths):
            column.addWidget(widget)
        column.addWidget(self.curve, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(form)
        for button in (self.both_sides, self.reset):
            column.addWidget(button)
        self._settings = UNCHANGED

    def show_shape(self, name: str, settings: ShapeSettings) -> None:
        """Show the settings of a shape without emitting `changed`."""
        self.title.setText(name)
        self._settings = settings
        self.both_sides.setEnabled(other_side(name) != name)
        for parameter in PARAMETERS:
            box = self.boxes[parameter.name]
            with QSignalBlocker(box):
                box.setValue(getattr(settings, parameter.name))
            box.setAccessibleName(f"{name}: {translated(parameter.label)}")
        self.reset.setEnabled(settings != UNCHANGED)
        self.curve.show_settings(settings)

    def show_strengths(self, measured: float, sent: float) -> None:
        """Show the strengths of the shape in the current frame; NaN is unknown."""
        words = self.tr("measured {measured}, sent {sent}")
        self.strengths.setText(
            words.format(measured=number_text(measured, 2), sent=number_text(sent, 2))
        )
        self.curve.show_strength(measured)

    @property
    def _chosen(self) -> ShapeSettings:
        changed = {
            parameter.name: min(max(box.value(), parameter.least), parameter.most)
            for parameter, box in zip(PARAMETERS, self.boxes.values(), strict=True)
        }
        return replace(self._settings, **changed)
