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
        changed: Emitted when `variant` has other parameters.
        controls: The controls of each filter by its name.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.variant: Variant | None = None  # None if there is no filter
        self.use_settings_button = QPushButton(self.tr("Use the settings"))
        self.use_settings_button.setToolTip(
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
        self._form.addRow(self.use_settings_button)
        self.use_settings_button.clicked.connect(self._on_use_settings)
        self.hide()

    def set_accessible_names(self, side: str) -> None:
        """Set the accessible names, which state the side of the comparison."""
        for controls in self.controls.values():
            for text, box in controls.rows():
                box.setAccessibleName(f"{side}: {text}")
        self.use_settings_button.setAccessibleName(f"{side}: {self.use_settings_button.text()}")

    def show_variant(self, variant: Variant, settings: TrackSettings) -> None:
        """Show these parameters without emitting `changed`."""
        for name, controls in self.controls.items():
            if name == variant.kind:
                controls.show_values(variant.filter_of(settings))
            for box in controls.boxes.values():
                self._form.setRowVisible(box, name == variant.kind)
        self._form.setRowVisible(self.use_settings_button, variant.own is not None)
        there = variant.kind in self.controls
        self.variant = variant if there else None
        self.setVisible(there)

    def _on_change(self, own: ChosenStabilizer) -> None:
        if self.variant is not None:
            self.variant = replace(self.variant, own=own)
            self.changed.emit()

    def _on_use_settings(self) -> None:
        if self.variant is not None:
            self.variant = replace(self.variant, own=None)
            self.changed.emit()
