"""Numbers as the window shows them: with the decimal sign of the language, and no negative zero."""

from __future__ import annotations

import math
import re

from PySide6.QtCore import QLocale

from steadymark.engine.core.face_frames import percent_of

UNKNOWN = "–"
_DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_NO_BREAK = "\N{NO-BREAK SPACE}"


class LocalNumber(float):
    """A number that is formatted with the decimal sign of the language.

    Format specifications are Python's, so that it can replace the field of a template.
    """

    def __format__(self, spec: str) -> str:
        return local_text(super().__format__(spec))

    def __str__(self) -> str:
        return local_text(super().__str__())


def number_text(value: float, digits: int, unit: str = "") -> str:
    """Return a number with this many decimals and its unit; a dash if it is not finite."""
    if not math.isfinite(value):
        return UNKNOWN
    return f"{LocalNumber(value):.{digits}f}" + (f"{_NO_BREAK}{unit}" if unit else "")


def share_text(share: float, digits: int = 0) -> str:
    """Return a share in [0, 1] as a percentage; a dash if it is not finite.

    A share that is not complete is never rounded up to 100 %, and one above zero is never rounded
    down to 0 %.
    """
    return number_text(percent_of(share, digits), digits, "%")


def significant_text(value: float, digits: int) -> str:
    """Return a number with this many significant digits; a dash if it is not finite."""
    return f"{LocalNumber(value):.{digits}g}" if math.isfinite(value) else UNKNOWN


def file_number(value: float, digits: int) -> str:
    """Return a number for a table that programs read: with a point, and empty if not finite."""
    return f"{float(value):.{digits}g}" if math.isfinite(value) else ""


def local_text(text: str) -> str:
    """Return a formatted number with the decimal sign of the language, and zero without a sign."""
    if text.startswith("-") and not any(digit in text for digit in "123456789in"):
        text = text[1:]
    return text.replace(".", QLocale().decimalPoint())


def local_decimals(text: str) -> str:
    """Return a text whose numbers have the decimal sign of the language."""
    return _DECIMAL_POINT.sub(QLocale().decimalPoint(), text)
