"""A scroll area for a panel that is higher than its dock."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QComboBox, QScrollArea, QWidget

_MIN_CHARACTERS = 8


class _PanelScrollArea(QScrollArea):
    """Scroll area that is never narrower than its content, which would be cut off."""

    def minimumSizeHint(self) -> QSize:
        bar = self.verticalScrollBar().sizeHint().width()
        content = self.widget()
        width = bar + (0 if content is None else content.minimumSizeHint().width())
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def in_scroll_area(content: QWidget) -> QScrollArea:
    """Put a widget into a vertical scroll area without a frame.

    Drop-down lists in the widget can then become narrower than their entries.
    """
    for box in content.findChildren(QComboBox):
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(_MIN_CHARACTERS)
    area = _PanelScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
