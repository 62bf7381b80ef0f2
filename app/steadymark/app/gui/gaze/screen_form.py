"""The size of the screen and the place of the camera, for the calibration in a live view."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from steadymark.app.session.gaze.screen_points import COUNTS, LARGEST_MM, ScreenSetup

if TYPE_CHECKING:
    from PySide6.QtGui import QScreen

_FARTHEST_MM = 1000.0  # of the camera from the middle of the screen's upper edge


class ScreenForm(QWidget):
    """Asks for a `ScreenSetup`.

    Attributes:
        changed: Emitted when the user changes a value.
        width_mm, height_mm, up_mm, right_mm: The boxes of lengths.
        count: The box of the number of points.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        intro = QLabel(
            self.tr(
                "Sit before the camera as you usually do. Points appear on the whole screen: look "
                "at each of them until the next one appears."
            )
        )
        intro.setWordWrap(True)
        self.width_mm, self.height_mm = self._length(0, LARGEST_MM), self._length(0, LARGEST_MM)
        self.up_mm = self._length(-_FARTHEST_MM, _FARTHEST_MM)
        self.right_mm = self._length(-_FARTHEST_MM, _FARTHEST_MM)
        self.up_mm.setToolTip(self.tr("Negative if the camera is below the upper edge"))
        self.right_mm.setToolTip(self.tr("As you see it; negative if the camera is on the left"))
        for box in (self.width_mm, self.height_mm):
            box.setSpecialValueText(self.tr("unknown"))
        self.count = QComboBox()
        for count in COUNTS:
            self.count.addItem(f"{count}", count)
        form = QFormLayout()
        rows: tuple[tuple[str, QWidget], ...] = (
            (self.tr("&Width of the screen"), self.width_mm),
            (self.tr("&Height of the screen"), self.height_mm),
            (self.tr("Camera &above its upper edge"), self.up_mm),
            (self.tr("Camera &right of its middle"), self.right_mm),
            (self.tr("&Points"), self.count),
        )
        for words, row in rows:
            form.addRow(words, row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(intro)
        column.addLayout(form)
        column.addStretch()
        self.count.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.show_setup(ScreenSetup())

    @property
    def setup(self) -> ScreenSetup:
        """What the boxes say."""
        return ScreenSetup(
            self.width_mm.value(),
            self.height_mm.value(),
            self.up_mm.value(),
            self.right_mm.value(),
            self.count.currentData(),
        )

    def show_setup(self, setup: ScreenSetup) -> None:
        """Show these values without emitting `changed`."""
        for box, value in (
            (self.width_mm, setup.width_mm),
            (self.height_mm, setup.height_mm),
            (self.up_mm, setup.camera_up_mm),
            (self.right_mm, setup.camera_right_mm),
        ):
            with QSignalBlocker(box):
                box.setValue(value)
        with QSignalBlocker(self.count):
            self.count.setCurrentIndex(self.count.findData(setup.count))

    def _length(self, least: float, most: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(least, most)
        box.setDecimals(0)
        box.setSuffix(self.tr(" mm"))
        box.valueChanged.connect(lambda _: self.changed.emit())
        return box


def setup_of_screen(screen: QScreen, setup: ScreenSetup) -> ScreenSetup:
    """Return a setup with the size that the system says the screen has; 0 if that is impossible."""
    size = screen.physicalSize()
    found = replace(setup, width_mm=round(size.width()), height_mm=round(size.height()))
    return found if found.has_size else replace(setup, width_mm=0.0, height_mm=0.0)
