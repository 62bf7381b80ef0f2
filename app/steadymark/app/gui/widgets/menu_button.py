"""Buttons that open a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStyle,
    QStyleOption,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_ARROW_PX = 14


class MenuButton(QToolButton):
    """Button that opens its menu or its actions when pressed.

    Qt would draw its own arrow over the text. A style sheet could move that arrow, but it would
    keep the light colours in the dark theme.

    Args:
        parent: The parent widget.
        arrow: Whether an arrow is drawn beside the text.
    """

    def __init__(self, parent: QWidget | None = None, *, arrow: bool = True) -> None:
        super().__init__(parent)
        self._arrow_px = _ARROW_PX if arrow else 0
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def sizeHint(self) -> QSize:
        """Return Qt's size with room for the arrow."""
        return super().sizeHint() + QSize(self._arrow_px, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button without Qt's arrow, and its own arrow beside the text."""
        painter = QStylePainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.features &= ~QStyleOptionToolButton.ToolButtonFeature.HasMenu
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        if self._arrow_px:
            arrow = QStyleOption()
            arrow.initFrom(self)
            side = _ARROW_PX - 4
            arrow.rect = QRect(self.width() - side - 4, (self.height() - side) // 2, side, side)
            painter.drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorArrowDown, arrow)


def make_menu_button(tooltip: str) -> QToolButton:
    """Return a button labelled "…", for the actions that belong to the widget beside it."""
    button = MenuButton(arrow=False)
    button.setText("…")
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    return button


def widget_with_button(widget: QWidget, button: QToolButton) -> QWidget:
    """Return a widget that contains the widget and the button in a row."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widget, 1)
    row.addWidget(button)
    return both
