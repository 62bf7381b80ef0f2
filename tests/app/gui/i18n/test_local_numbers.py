"""Numbers of the window have the decimal sign of the language, and zero has no sign."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.i18n.language import apply_language
from steadymark.app.gui.i18n.local_numbers import (
    local_decimals,
    number_text,
    share_text,
    significant_text,
)
from steadymark.app.gui.i18n.translate import translated
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator

GUI = Path(__file__).resolve().parents[4] / "app" / "steadymark" / "app" / "gui"
NOT_LOCAL = {
    "about.py",  # diagnostics for reports
    "portable_svg.py",  # a file format
    "model_cards.py",  # a page of the manual, which is in English
}
DECIMALS = re.compile(r"\.\d*[efgEFG]|^[+]?[efgEFG]$|%")


@pytest.fixture
def german(english: None) -> Iterator[None]:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application, "de")
    yield
    apply_language(application, "en")


@pytest.mark.usefixtures("german")
def test_numbers_and_the_fields_of_messages_have_a_comma_in_german() -> None:
    assert number_text(6.84, 1, "ms") == "6,8\N{NO-BREAK SPACE}ms"
    assert share_text(0.005, 1) == "0,5\N{NO-BREAK SPACE}%"
    assert significant_text(29.97, 4) == "29,97"
    assert local_decimals("count 68.00, no. 3.") == "count 68,00, no. 3."
    text = UserText("{percent:.0f} % of the frames lack the face", percent=57.4)
    assert translated(text) == "in 57 % der Bilder fehlt das Gesicht"
    assert translated(UserText("{label} {degrees:+.1f}°", label="a", degrees=-1.25)) == "a -1,2°"
    assert str(text) == "57 % of the frames lack the face"


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.0004, 3, "0.000"), (-0.0006, 3, "-0.001"), (0.0, 1, "0.0"), (1.25, 0, "1")],
)
def test_zero_has_no_sign(value: float, digits: int, text: str) -> None:
    assert number_text(value, digits) == text


@pytest.mark.usefixtures("english")
def test_unknown_numbers_are_a_dash_and_shares_claim_no_more_than_is_true() -> None:
    assert number_text(math.nan, 1) == number_text(math.inf, 1) == share_text(math.nan) == "–"
    assert share_text(0.9996) == "99\N{NO-BREAK SPACE}%"
    assert share_text(0.0004) == "1\N{NO-BREAK SPACE}%"


def test_no_text_of_the_window_formats_decimals_without_the_language() -> None:
    places = [
        f"{file.name}, line {node.lineno}"
        for file in GUI.rglob("*.py")
        if file.name not in NOT_LOCAL and file.name != "local_numbers.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FormattedValue)
        and node.format_spec is not None
        and DECIMALS.search(ast.unparse(node.format_spec).strip("f'\""))
    ]
    assert places == []
