"""What engine and session tell in English, in the window's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from steadymark.models.user_text import UserText, fill_template

CONTEXT = "sentences"  # of the .ts files


def translated(text: str) -> str:
    """A UserText translated, with the sentences in it; any other text as it is."""
    if not isinstance(text, UserText):
        return text
    template = QCoreApplication.translate(CONTEXT, text.template)
    fields = {
        name: translated(value) if isinstance(value, str) else value
        for name, value in text.fields.items()
    }
    return fill_template(template, fields)
