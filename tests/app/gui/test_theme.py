"""The theme: light, dark or as the system, in one palette and one style sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.preferences import Preferences
from steadymark.app.gui.theme import is_dark, palette, style_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

ROLES = QPalette.ColorRole


@pytest.fixture(autouse=True)
def _light_again(qtbot: QtBot) -> Iterator[None]:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    yield
    application.setPalette(palette(dark=False))


def contrast(first: QColor, second: QColor) -> float:
    """Return the contrast ratio of WCAG 2."""

    def luminance(colour: QColor) -> float:
        parts = (colour.redF(), colour.greenF(), colour.blueF())
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_theme_is_chosen_in_the_view_menu_and_remembered(
    qtbot: QtBot, window: MainWindow
) -> None:
    names = [action.text() for action in window.options.theme_menu.actions()]
    assert names == ["As the system", "Light", "Dark"]
    before = window.styleSheet()
    window.options.theme_menu.actions()[2].trigger()
    qtbot.waitUntil(lambda: is_dark(window.palette()) and window.styleSheet() != before)
    assert window.preferences.theme() == "dark"
    again = Preferences(window.preferences._settings)
    assert again.theme() == "dark"
    window.options.theme_menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: not is_dark(window.palette()) and window.styleSheet() == before)
    assert window.preferences.theme() == "light"


def test_a_stored_theme_that_does_not_exist_counts_as_the_system(preferences: Preferences) -> None:
    preferences.set_theme("sepia")
    assert preferences.theme() == "system"


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_readable_on_its_background(dark: bool) -> None:
    colours = palette(dark=dark)
    for text, ground, least in (
        (ROLES.WindowText, ROLES.Window, 7),
        (ROLES.Text, ROLES.Base, 7),
        (ROLES.ButtonText, ROLES.Button, 7),
        (ROLES.PlaceholderText, ROLES.Window, 4),
        (ROLES.HighlightedText, ROLES.Highlight, 3),
    ):
        assert contrast(colours.color(text), colours.color(ground)) >= least, (text, ground)


def test_the_style_sheet_has_one_accent_colour() -> None:
    for dark in (False, True):
        colours = palette(dark=dark)
        assert colours.color(ROLES.Accent) == colours.color(ROLES.Highlight)
        assert colours.color(ROLES.Highlight).name() in style_sheet(colours)
