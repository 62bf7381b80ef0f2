"""The controls of a stabilizer's parameters, which are made from its entry of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDoubleSpinBox

from steadymark.app.gui.i18n.translate import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget

    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer, StabilizerEntry
    from steadymark.models.choice_registry import Parameter


_MAX_VALUE = 1e6  # of parameters without a largest value; more digits would make the control wide


class FilterControls(QObject):
    """A spin box for each parameter of a stabilizer.

    Attributes:
        changed: Emitted with the ChosenStabilizer when the user changes a value.
        entry: The entry of the stabilizer.
        boxes: The spin boxes by the parameter's name.
    """

    changed = Signal(object)

    def __init__(self, entry: StabilizerEntry, chosen: ChosenStabilizer, parent: QObject) -> None:
        super().__init__(parent)
        self.entry = entry
        self.boxes = {
            parameter.name: parameter_spin_box(parameter) for parameter in entry.parameters
        }
        self.show_values(chosen)
        for name, box in self.boxes.items():
            box.valueChanged.connect(lambda _value, name=name: self._on_change(name))

    def show_values(self, chosen: ChosenStabilizer) -> None:
        """Show these values without emitting `changed`."""
        self._chosen = chosen
        for name, value in chosen.values:
            self.boxes[name].blockSignals(True)
            self.boxes[name].setValue(value)
            self.boxes[name].blockSignals(False)

    def rows(self) -> Iterator[tuple[str, QWidget]]:
        """Yield the label and the spin box of each parameter."""
        for parameter in self.entry.parameters:
            yield translated(parameter.label), self.boxes[parameter.name]

    def _on_change(self, name: str) -> None:
        box = self.boxes[name]
        value = self.entry.parameter(name).nearest(box.value())
        if value != box.value():
            box.setValue(value)  # this emits the signal again
            return
        self._chosen = self._chosen.changed(**{name: value})
        self.changed.emit(self._chosen)


def make_spin_box(
    least: float, most: float, step: float, unit: str, decimals: int = 2
) -> QDoubleSpinBox:
    """Return a spin box whose value changes when the user has finished typing."""
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setSingleStep(step)
    box.setDecimals(decimals)
    box.setSuffix(unit)
    box.setKeyboardTracking(False)
    return box


def parameter_spin_box(parameter: Parameter) -> QDoubleSpinBox:
    """Return a spin box with the range, unit and help of a parameter."""
    least = parameter.least if parameter.shown_least is None else parameter.shown_least
    most = parameter.most if parameter.shown_most is None else parameter.shown_most
    most = min(most, _MAX_VALUE)
    unit = f" {parameter.unit}" if parameter.unit else ""
    box = make_spin_box(least, most, parameter.step, unit, 0 if parameter.whole else 2)
    box.setToolTip(translated(parameter.help))
    return box
