"""Translation of the sentences that the engine and the session write in English."""

from __future__ import annotations

from numbers import Real

from PySide6.QtCore import QCoreApplication

from steadymark.app.gui.i18n.local_numbers import LocalNumber
from steadymark.models.user_text import UserText, fill_template

CONTEXT = "sentences"  # the context of these sentences in the .ts files


def translated(text: str) -> str:
    """Translate a UserText and the sentences in it; return any other text unchanged.

    Numbers with decimals get the decimal sign of the language.
    """
    if not isinstance(text, UserText):
        return text
    template = QCoreApplication.translate(CONTEXT, text.template)
    return fill_template(template, {name: _local(v) for name, v in text.fields.items()})


def _local(value: object) -> object:
    if isinstance(value, str):
        return translated(value)
    return LocalNumber(value) if isinstance(value, Real) and not isinstance(value, int) else value
