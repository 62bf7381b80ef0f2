"""The light and dark themes, the style sheet, type sizes, and icons in the text colour."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
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
SYSTEM, LIGHT, DARK = "system", "light", "dark"
THEMES = (SYSTEM, LIGHT, DARK)
SMALL, TITLE = 0.85, 1.6  # sizes of labels and titles relative to the text of the window
_THEME = "steadymark_theme"  # name of a dynamic property of the application
_STYLE_SHEET = """
QToolBar { border: none; border-bottom: 1px solid %(line)s; padding: 3px 6px; spacing: 2px; }
QToolBar::separator { width: 1px; background: %(line)s; margin: 5px 5px; }
QToolBar QToolButton, PlaybackBar QToolButton {
    border: none; border-radius: 5px; padding: 4px; background: transparent; }
PlaybackBar QToolButton { padding: 2px; }
QToolBar QToolButton:hover, PlaybackBar QToolButton:hover { background: %(hover)s; }
QToolBar QToolButton:pressed, PlaybackBar QToolButton:pressed { background: %(line)s; }
QToolBar QToolButton:checked, PlaybackBar QToolButton:checked { background: %(checked)s; }
QDockWidget { font-weight: 600; }
QDockWidget::title { padding: 5px 8px; background: %(window)s; }
QStatusBar { border-top: 1px solid %(line)s; }
QStatusBar::item { border: none; }
QMainWindow::separator { background: %(window)s; width: 5px; height: 5px; }
QMainWindow::separator:hover { background: %(accent)s; }
QTabBar::tab { padding: 5px 7px; border: none; border-top: 2px solid transparent; }
QTabBar::tab:selected { border-top: 2px solid %(accent)s; }
QTabBar::tab:hover { background: %(hover)s; }
QPushButton#recent { border: none; border-radius: 5px; padding: 5px 8px; text-align: left; }
QPushButton#recent:hover { background: %(hover)s; }
QToolTip { padding: 3px; }
"""
_DISABLED = {True: "#8c8c95", False: "#94949c"}


def palette(*, dark: bool) -> QPalette:
    """Return the palette of the Fusion style."""
    made = QPalette()
    colours = _DARK if dark else _LIGHT
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    made.setColor(_ROLES.Accent, QColor(colours[_ROLES.Highlight]))
    for role in (_ROLES.WindowText, _ROLES.Text, _ROLES.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(_DISABLED[dark]))
    return made


def follow_system_theme(application: QApplication, theme: str = SYSTEM) -> None:
    """Apply a theme; SYSTEM also follows the system whenever it changes between light and dark."""
    application.setStyle("Fusion")
    application.styleHints().colorSchemeChanged.connect(lambda: _apply(application))
    use_theme(application, theme)


def use_theme(application: QApplication, theme: str) -> None:
    """Apply one of THEMES from now on; another name counts as SYSTEM."""
    application.setProperty(_THEME, theme)
    _apply(application)


def _apply(application: QApplication) -> None:
    theme = application.property(_THEME)
    system_dark = application.styleHints().colorScheme() is Qt.ColorScheme.Dark
    dark = theme == DARK or (theme != LIGHT and system_dark)
    application.setPalette(palette(dark=dark))


def style_sheet(colours: QPalette) -> str:
    """Return the style sheet of a window whose colours are those of `palette`."""
    role = {
        "line": _ROLES.Mid,
        "window": _ROLES.Window,
        "text": _ROLES.WindowText,
        "accent": _ROLES.Highlight,
    }
    names = {name: colours.color(each).name() for name, each in role.items()}
    accent = colours.color(_ROLES.Highlight)
    names["hover"] = _mixed(colours, 0.10).name()
    names["checked"] = _blend(accent, colours.color(_ROLES.Window), 0.28).name()
    return _STYLE_SHEET % names


def _mixed(colours: QPalette, share: float) -> QColor:
    """Return the colour of the window with a share of the colour of its text."""
    return _blend(colours.color(_ROLES.WindowText), colours.color(_ROLES.Window), share)


def _blend(first: QColor, second: QColor, share: float) -> QColor:
    return QColor.fromRgbF(
        share * first.redF() + (1 - share) * second.redF(),
        share * first.greenF() + (1 - share) * second.greenF(),
        share * first.blueF() + (1 - share) * second.blueF(),
    )


def scaled_font(font: QFont, factor: float) -> QFont:
    """Return a font of SMALL, TITLE or another size relative to the given one."""
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * factor)
    return made


def is_dark(colours: QPalette) -> bool:
    return colours.color(_ROLES.Window).lightness() < 128


def icon(name: str) -> QIcon:
    """Return the icon assets/icons/NAME.svg in the application's text colours."""
    colours = QGuiApplication.palette()
    made = QIcon()
    for group, role, mode in (
        (QPalette.ColorGroup.Active, _ROLES.ButtonText, QIcon.Mode.Normal),
        (QPalette.ColorGroup.Disabled, _ROLES.ButtonText, QIcon.Mode.Disabled),
        (QPalette.ColorGroup.Active, _ROLES.HighlightedText, QIcon.Mode.Selected),
    ):
        colour = colours.color(group, role).name()
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
