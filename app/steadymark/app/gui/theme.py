"""The light and dark themes, which follow the system, and icons in the text colour."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

_ROLES = QPalette.ColorRole
_LIGHT = {
    _ROLES.Window: "#f4f4f6",
    _ROLES.WindowText: "#1c1c20",
    _ROLES.Base: "#ffffff",
    _ROLES.AlternateBase: "#ececf0",
    _ROLES.Text: "#1c1c20",
    _ROLES.Button: "#e9e9ed",
    _ROLES.ButtonText: "#1c1c20",
    _ROLES.BrightText: "#ffffff",
    _ROLES.Highlight: "#0072b2",
    _ROLES.HighlightedText: "#ffffff",
    _ROLES.Link: "#0072b2",
    _ROLES.ToolTipBase: "#ffffff",
    _ROLES.ToolTipText: "#1c1c20",
    _ROLES.PlaceholderText: "#75757c",
    _ROLES.Mid: "#c6c6cc",
}
_DARK = {
    _ROLES.Window: "#222226",
    _ROLES.WindowText: "#ececf0",
    _ROLES.Base: "#36363d",
    _ROLES.AlternateBase: "#3d3d45",
    _ROLES.Text: "#ececf0",
    _ROLES.Button: "#43434b",
    _ROLES.ButtonText: "#ececf0",
    _ROLES.BrightText: "#ffffff",
    _ROLES.Highlight: "#2f8fce",
    _ROLES.HighlightedText: "#ffffff",
    _ROLES.Link: "#56b4e9",
    _ROLES.ToolTipBase: "#35353b",
    _ROLES.ToolTipText: "#ececf0",
    _ROLES.PlaceholderText: "#8d8d95",
    _ROLES.Mid: "#55555d",
}
_DISABLED = {True: "#8c8c95", False: "#94949c"}


def palette(*, dark: bool) -> QPalette:
    """Return the palette of the Fusion style."""
    made = QPalette()
    for role, colour in (_DARK if dark else _LIGHT).items():
        made.setColor(role, QColor(colour))
    for role in (_ROLES.WindowText, _ROLES.Text, _ROLES.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED[dark]))
    return made


def follow_system(application: QApplication) -> None:
    """Apply the system's theme now and whenever it changes between light and dark."""
    application.setStyle("Fusion")
    hints = application.styleHints()

    def apply() -> None:
        dark = hints.colorScheme() is Qt.ColorScheme.Dark
        application.setPalette(palette(dark=dark))

    hints.colorSchemeChanged.connect(apply)
    apply()


def is_dark(colours: QPalette) -> bool:
    return colours.color(_ROLES.Window).lightness() < 128


def icon(name: str) -> QIcon:
    """Return the icon assets/icons/NAME.svg in the application's text colour."""
    colours = QGuiApplication.palette()
    made = QIcon()
    for group, mode in (
        (QPalette.ColorGroup.Active, QIcon.Mode.Normal),
        (QPalette.ColorGroup.Disabled, QIcon.Mode.Disabled),
    ):
        colour = colours.color(group, _ROLES.ButtonText).name()
        for size in (16, 20, 24, 32, 48, 64):
            made.addPixmap(_pixmap(name, colour, size), mode)
    return made


@cache
def _pixmap(name: str, colour: str, size: int) -> QPixmap:
    drawing = (assets_root() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
