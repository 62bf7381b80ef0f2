"""A scroll area for a panel that is higher than its dock."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QComboBox, QScrollArea, QWidget

_FEWEST_LETTERS = 8


class _Scrolled(QScrollArea):
    """Scroll area that is never narrower than its content, which would be cut off."""

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        inside = self.widget()
        width = bar + (0 if inside is None else inside.minimumSizeHint().width())
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def in_scroll_area(inside: QWidget) -> QScrollArea:
    """Put a widget into a vertical scroll area without a frame.

    Drop-down lists in the widget may become narrower than their entries.
    """
    for box in inside.findChildren(QComboBox):
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_FEWEST_LETTERS)
    area = _Scrolled()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    return area
