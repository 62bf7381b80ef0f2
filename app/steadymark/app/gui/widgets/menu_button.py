"""Buttons that offer what can be done."""

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
    """Shows its menu, or its actions, when pressed. arrow: says so, beside the words.

    Qt draws its own arrow below the corner and over the words; a style sheet that moves it would
    keep the colours of light when dark comes.
    """

    def __init__(self, parent: QWidget | None = None, *, arrow: bool = True) -> None:
        super().__init__(parent)
        self._arrow_px = _ARROW_PX if arrow else 0
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self._arrow_px, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
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


def menu_button_of(hint: str) -> QToolButton:
    """For the actions of the list that it stands beside."""
    button = MenuButton(arrow=False)
    button.setText("…")
    button.setToolTip(hint)
    button.setAccessibleName(hint)
    return button


def widget_with_button(widget: QWidget, button: QToolButton) -> QWidget:
    """Both in a row."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widget, 1)
    row.addWidget(button)
    return both
