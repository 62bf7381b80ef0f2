"""The parameters of a filter on one side of a comparison: its own or those of the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QPushButton, QWidget

from steadymark.app.gui.panels.filter_controls import FilterControls
from steadymark.engine.stabilizers.stabilizer_registry import choose, point_filters

if TYPE_CHECKING:
    from steadymark.app.session.analysis.variants import Variant
    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer
    from steadymark.engine.tracking.settings import TrackSettings


class FilterParameters(QWidget):
    """Editor of a filter's parameters.

    Attributes:
        changed: Emitted when `take` has other parameters.
        controls: The controls of each filter by its name.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.take: Variant | None = None  # None if there is no filter
        self.as_set = QPushButton(self.tr("Use the settings"))
        self.as_set.setToolTip(
            self.tr("Use the parameters of the settings, and follow their changes")
        )
        self._form = QFormLayout(self)
        self._form.setContentsMargins(12, 0, 0, 4)
        self.controls = {
            entry.name: FilterControls(entry, choose(entry.name), self) for entry in point_filters()
        }
        for controls in self.controls.values():
            controls.changed.connect(self._on_change)
            for text, box in controls.rows():
                box.setMinimumWidth(84)
                self._form.addRow(text, box)
        self._form.addRow(self.as_set)
        self.as_set.clicked.connect(self._on_as_set)
        self.hide()

    def name_for(self, side: str) -> None:
        """Set the accessible names, which state the side of the comparison."""
        for controls in self.controls.values():
            for text, box in controls.rows():
                box.setAccessibleName(f"{side}: {text}")
        self.as_set.setAccessibleName(f"{side}: {self.as_set.text()}")

    def show_take(self, take: Variant, settings: TrackSettings) -> None:
        """Show these parameters without emitting `changed`."""
        for name, controls in self.controls.items():
            if name == take.kind:
                controls.show_values(take.filter_of(settings))
            for box in controls.boxes.values():
                self._form.setRowVisible(box, name == take.kind)
        self._form.setRowVisible(self.as_set, take.own is not None)
        there = take.kind in self.controls
        self.take = take if there else None
        self.setVisible(there)

    def _on_change(self, own: ChosenStabilizer) -> None:
        if self.take is not None:
            self.take = replace(self.take, own=own)
            self.changed.emit()

    def _on_as_set(self) -> None:
        if self.take is not None:
            self.take = replace(self.take, own=None)
            self.changed.emit()
