"""Panels beside the video, each with a key that shows and hides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from steadymark.app.window.theme import icon

if TYPE_CHECKING:
    from PySide6.QtCore import Qt


def add_dock(
    window: QMainWindow,
    title: str,
    name: str,
    widget: QWidget,
    area: Qt.DockWidgetArea,
    key: str,
) -> QDockWidget:
    """name: of the widget, and a file's stem in assets/icons."""
    widget.setObjectName(name)
    dock = QDockWidget(title, window)
    dock.setObjectName(f"{name}_dock")
    dock.setWidget(widget)
    action = dock.toggleViewAction()
    action.setShortcut(key)
    action.setIcon(icon(name))
    action.setToolTip(f"{title} ({key})")
    window.addAction(action)
    window.addDockWidget(area, dock)
    return dock
