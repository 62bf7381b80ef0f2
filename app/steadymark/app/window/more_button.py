"""The button beside a list that offers what can be done with it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget


def more_button(hint: str) -> QToolButton:
    """Shows its actions when pressed."""
    button = QToolButton()
    button.setText("…")
    button.setStyleSheet("QToolButton::menu-indicator { image: none; }")  # it lies over the text
    button.setToolTip(hint)
    button.setAccessibleName(hint)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


def beside(widget: QWidget, button: QToolButton) -> QWidget:
    """Both in a row."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(widget, 1)
    row.addWidget(button)
    return both
