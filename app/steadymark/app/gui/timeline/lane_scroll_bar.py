"""The scroll bar beside the lanes, which is there while more lanes exist than fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QScrollBar

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout

_WIDTH_PX = 9


class LaneScrollBar(QScrollBar):
    """The scroll bar; its value is how many pixels of the lanes are above their place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self.setAccessibleName(self.tr("Scroll the lanes"))
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()

    def fit(self, layout: TimelineLayout) -> None:
        """Lie beside the lanes of a layout, or hide if all of them are in view."""
        area = layout.all_lanes
        self.setPageStep(round(area.height()))
        self.setSingleStep(round(layout.lane_height))
        self.setRange(0, round(layout.lanes_below_px))
        left = layout.width - _WIDTH_PX
        self.setGeometry(QRect(left, round(area.top()), _WIDTH_PX, round(area.height())))
        self.setVisible(layout.lanes_below_px > 0)

    def scroll_lanes(self, steps: float) -> None:
        """Scroll by this many lanes; positive values show lanes further up."""
        self.setValue(self.value() - round(steps * self.singleStep()))

    def show_row(self, row: int) -> None:
        """Scroll as little as possible until a lane is in view."""
        top, height = row * self.singleStep(), self.singleStep()
        if top < self.value():
            self.setValue(top)
        elif top + height > self.value() + self.pageStep():
            self.setValue(top + height - self.pageStep())
