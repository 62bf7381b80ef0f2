"""Translation of the sentences that the engine and the session write in English."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from steadymark.models.user_text import UserText, fill_template

CONTEXT = "sentences"  # the context of these sentences in the .ts files


def translated(text: str) -> str:
    """Translate a UserText and the sentences in it; return any other text unchanged."""
    if not isinstance(text, UserText):
        return text
    template = QCoreApplication.translate(CONTEXT, text.template)
    fields = {
        name: translated(value) if isinstance(value, str) else value
        for name, value in text.fields.items()
    }
    return fill_template(template, fields)
