"""The dialog of expressions: what is measured, and what a character gets of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.expressions.expression_bars import ExpressionBars
from steadymark.app.gui.expressions.expression_preset_bar import ExpressionPresetBar
from steadymark.app.gui.expressions.shape_controls import ShapeControls
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.engine.core.types import EXPRESSIONS
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    apply_expression_settings,
    other_side,
)
from steadymark.engine.output.video.draw_style import VERMILLION

if TYPE_CHECKING:
    from steadymark.app.session.expressions.expression_presets import ExpressionPresets
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.expressions.expression_settings import (
        ExpressionSettings,
        Floats,
        ShapeSettings,
    )

_UNKNOWN = np.full(len(SHAPES), np.nan)


class ExpressionsDialog(QDialog):
    """Non-modal dialog with a live bar for each shape, and the settings of the chosen one.

    Args:
        presets: The user's presets.
        parent: The parent widget.

    Attributes:
        changed: Emitted with the ExpressionSettings when the user changes them.
        neutral_chosen: Emitted when the face of this moment is to be the neutral one.
    """

    changed = Signal(object)
    neutral_chosen = Signal()

    def __init__(self, presets: ExpressionPresets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Expressions"))
        self._settings, self._measured = AS_MEASURED, _UNKNOWN
        self.presets = ExpressionPresetBar(presets)
        self.bars, self.controls = ExpressionBars(), ShapeControls()
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find a shape"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.setClearButtonEnabled(True)
        self.mirrored = QCheckBox(self.tr("&Mirrored"))
        self.mirrored.setToolTip(
            self.tr("Left and right are exchanged, as if the character were your mirror image.")
        )
        self.neutral = QPushButton(self.tr("&Neutral face now"))
        self.neutral.setToolTip(
            self.tr(
                "Take the face and the place of this moment as neutral: look into the camera with "
                "a relaxed face, and press this."
            )
        )
        self.neutral.setAutoDefault(False)
        self.fault = self._fault_label()
        self._lay_out()
        self._connect()
        self.resize(900, 600)
        self.show_settings(AS_MEASURED)
        self.presets.reload()

    def show_settings(self, settings: ExpressionSettings) -> None:
        """Show these settings without emitting `changed`."""
        self._settings = settings
        self.mirrored.setChecked(settings.mirrored)
        self.presets.show_settings(settings)
        self.controls.show_shape(self.bars.name, settings.of(self.bars.name))
        self._show_strengths()

    def show_face(self, face: TrackedFace | None) -> None:
        """Show the expressions of a face in another frame; without them, the bars are empty."""
        known = None if face is None or face.attributes is None else face.attributes.values
        strengths = None if known is None else known.get(EXPRESSIONS)
        self._measured = _UNKNOWN if strengths is None else np.array(strengths)
        self._show_strengths()

    def set_live(self, *, live: bool) -> None:
        """Enable what works in a live view only."""
        self.neutral.setEnabled(live)

    # -- construction

    def _fault_label(self) -> QLabel:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        colours = label.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        label.setPalette(colours)
        label.hide()
        return label

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.presets, 1)
        top.addWidget(self.mirrored)
        top.addWidget(self.neutral)
        legend = QLabel(self.tr("Upper bar: measured. Lower bar: sent, and in animations."))
        legend.setWordWrap(True)
        legend.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.area = in_scroll_area(self.bars)
        left = QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.area, 1)
        left.addWidget(legend)
        right = QVBoxLayout()
        right.addWidget(self.controls)
        right.addStretch(1)
        middle = QHBoxLayout()
        middle.addLayout(left, 1)
        middle.addSpacing(8)
        middle.addLayout(right)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        self.reset = QPushButton(self.tr("Reset &all"))
        self.reset.setAutoDefault(False)
        buttons.addButton(self.reset, QDialogButtonBox.ButtonRole.ResetRole)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self.fault)
        column.addLayout(middle, 1)
        column.addWidget(buttons)

    def _connect(self) -> None:
        self.search.textChanged.connect(self.bars.set_filter)
        self.bars.chosen.connect(self._on_shape)
        self.bars.shown_at.connect(self._scroll_to)
        self.controls.changed.connect(self._on_shape_changed)
        self.mirrored.clicked.connect(lambda on: self._change(replace(self._settings, mirrored=on)))
        self.neutral.clicked.connect(lambda: self.neutral_chosen.emit())
        self.reset.clicked.connect(lambda: self._change(AS_MEASURED))
        self.presets.chosen.connect(self._change)
        self.presets.fault.connect(self._show_fault)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)

    # -- what the user does

    def _on_shape(self, name: str) -> None:
        self.controls.show_shape(name, self._settings.of(name))
        self._show_strengths()

    def _on_shape_changed(self, shape: ShapeSettings) -> None:
        name, settings = self.bars.name, self._settings.with_shape(self.bars.name, shape)
        if self.controls.both_sides.isChecked():
            settings = settings.with_shape(other_side(name), shape)
        self._change(settings)

    def _change(self, settings: ExpressionSettings) -> None:
        self.show_settings(settings)
        self.changed.emit(settings)

    def _scroll_to(self, place: QRect) -> None:
        centre = place.center()
        self.area.ensureVisible(centre.x(), centre.y(), 0, place.height())

    def _show_fault(self, words: str) -> None:
        self.fault.setText(words)
        self.fault.setVisible(bool(words))

    def _show_strengths(self) -> None:
        sent: Floats = apply_expression_settings(self._measured, self._settings)
        self.bars.set_values(self._measured, sent)
        index = SHAPES.index(self.bars.name)
        self.controls.show_strengths(float(self._measured[index]), float(sent[index]))
