"""The limits of doubtful stretches: a check box and a value for each kind of doubt."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QPushButton, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.filter_controls import parameter_spin_box
from steadymark.engine.review.doubt_kinds import DOUBT_KINDS, DoubtKind
from steadymark.engine.review.doubtful_stretches import DoubtLimits


class LimitControls(QWidget):
    """The controls of the limits, which are made from `DOUBT_KINDS`.

    Attributes:
        changed: Emitted with the new DoubtLimits and the name of the kind that the user changed;
            the name is empty if all were reset.
        boxes: The check boxes by the name of the kind.
        values: The spin boxes by the name of the kind.
    """

    changed = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[str, QCheckBox] = {}
        self.values: dict[str, QDoubleSpinBox] = {}
        self._limits = DoubtLimits()
        self.reset = QPushButton(self.tr("Reset to defaults"))
        self.reset.clicked.connect(lambda: self.changed.emit(DoubtLimits(), ""))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        for line, kind in enumerate(DOUBT_KINDS):
            self._add(kind)
            grid.addWidget(self.boxes[kind.name], line, 0)
            grid.addWidget(self.values[kind.name], line, 1)
        grid.addWidget(self.reset, len(DOUBT_KINDS), 0, 1, 2)
        grid.setRowStretch(len(DOUBT_KINDS) + 1, 1)
        self.show_limits(self._limits)

    def show_limits(self, limits: DoubtLimits) -> None:
        """Show these limits without emitting `changed`."""
        self._limits = limits
        for kind in DOUBT_KINDS:
            box, value = self.boxes[kind.name], self.values[kind.name]
            for widget in (box, value):
                widget.blockSignals(True)
            box.setChecked(kind.name not in limits.off)
            value.setEnabled(kind.name not in limits.off)
            value.setValue(limits.values[kind.limit.name])
            for widget in (box, value):
                widget.blockSignals(False)
        self.reset.setEnabled(limits != DoubtLimits())

    def _add(self, kind: DoubtKind) -> None:
        words, text = translated(kind.label), translated(kind.limit.label)
        box = QCheckBox(f"{words[:1].upper()}{words[1:]}")
        box.setToolTip(translated(kind.limit.help))
        box.toggled.connect(lambda on, kind=kind: self._switch(kind, on=on))
        value = parameter_spin_box(kind.limit)
        value.setDecimals(_decimals(kind.limit.step))
        value.setPrefix("< " if kind.below else "> ")
        value.setAccessibleName(text)
        value.setToolTip(f"{text}\n{translated(kind.limit.help)}")
        value.valueChanged.connect(lambda number, kind=kind: self._set(kind, number))
        self.boxes[kind.name], self.values[kind.name] = box, value

    def _switch(self, kind: DoubtKind, *, on: bool) -> None:
        off = self._limits.off - {kind.name} if on else self._limits.off | {kind.name}
        self.changed.emit(DoubtLimits(self._limits.values, off), kind.name)

    def _set(self, kind: DoubtKind, number: float) -> None:
        values = {**self._limits.values, kind.limit.name: kind.limit.nearest(number)}
        self.changed.emit(DoubtLimits(values, self._limits.off), kind.name)


def _decimals(step: float) -> int:
    """Return the number of decimals of values that the user sets in these steps."""
    if step >= 1:
        return 0
    return 1 if step == 0.5 else 2
