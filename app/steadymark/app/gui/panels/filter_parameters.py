"""The parameters of a filter on one side of a comparison: its own or those of the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFormLayout, QPushButton, QWidget

from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.online_filters import OFFLINE, ONE_EURO, OneEuro

if TYPE_CHECKING:
    from steadymark.app.session.analysis.variants import Variant
    from steadymark.engine.tracking.settings import TrackSettings

translate = QCoreApplication.translate


class FilterParameters(QWidget):
    """Editor of a filter's parameters.

    Attributes:
        changed: Emitted when `take` has other parameters.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.take: Variant | None = None  # None if there is no filter
        self._order = Butterworth().order
        self.min_cutoff, self.beta = spin(0.01, 30.0, 0.1, " Hz"), spin(0.0, 20.0, 0.1, "")
        self.derivative, self.cutoff = spin(0.01, 30.0, 0.1, " Hz"), spin(0.1, 60.0, 0.5, " Hz")
        self.as_set = QPushButton(self.tr("As in the settings"))
        self.as_set.setToolTip(self.tr("Use the parameters of the settings, and follow them"))
        self._names = {
            self.min_cutoff: translate("SettingsPanel", "Cut-off at rest"),
            self.beta: translate("SettingsPanel", "Beta"),
            self.derivative: translate("SettingsPanel", "Cut-off of the speed"),
            self.cutoff: translate("SettingsPanel", "Cut-off"),
        }
        self._form = QFormLayout(self)
        self._form.setContentsMargins(12, 0, 0, 4)
        for box, name in self._names.items():
            box.setKeyboardTracking(False)
            box.setMinimumWidth(84)
            box.valueChanged.connect(self._on_change)
            self._form.addRow(name, box)
        self._form.addRow(self.as_set)
        self.min_cutoff.setToolTip(translate("SettingsPanel", "Lower: stiller at rest, and later"))
        self.beta.setToolTip(translate("SettingsPanel", "Higher: less lag when the face moves"))
        self.as_set.clicked.connect(self._on_as_set)
        self.hide()

    def name_for(self, side: str) -> None:
        """Set the accessible names, which state the side of the comparison."""
        for box, name in self._names.items():
            box.setAccessibleName(f"{side}: {name}")
        self.as_set.setAccessibleName(f"{side}: {self.as_set.text()}")

    def show_take(self, take: Variant, settings: TrackSettings) -> None:
        """Show these parameters without emitting `changed`."""
        self.take = None
        choice = take.filter_of(settings)
        self._order = choice.butterworth.order
        self.min_cutoff.setValue(choice.one_euro.min_cutoff_hz)
        self.beta.setValue(choice.one_euro.beta)
        self.derivative.setValue(choice.one_euro.derivative_cutoff_hz)
        self.cutoff.setValue(choice.butterworth.cutoff_hz)
        for box in (self.min_cutoff, self.beta, self.derivative):
            self._form.setRowVisible(box, take.kind == ONE_EURO)
        self._form.setRowVisible(self.cutoff, take.kind == OFFLINE)
        self._form.setRowVisible(self.as_set, take.own is not None)
        there = take.kind in (ONE_EURO, OFFLINE)
        self.take = take if there else None
        self.setVisible(there)

    def _on_change(self) -> None:
        if self.take is None:
            return
        own: OneEuro | Butterworth = Butterworth(self.cutoff.value(), self._order)
        if self.take.kind == ONE_EURO:
            own = OneEuro(self.min_cutoff.value(), self.beta.value(), self.derivative.value())
        self.take = replace(self.take, own=own)
        self.changed.emit()

    def _on_as_set(self) -> None:
        if self.take is not None:
            self.take = replace(self.take, own=None)
            self.changed.emit()


def spin(least: float, most: float, step: float, unit: str) -> QDoubleSpinBox:
    """Return a spin box with two decimals."""
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setSingleStep(step)
    box.setDecimals(2)
    box.setSuffix(unit)
    return box
