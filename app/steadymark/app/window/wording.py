"""What engine and session tell in English, in the window's language."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from steadymark.models.sentence import Sentence, filled

CONTEXT = "sentences"  # of the .ts files


def worded(text: str) -> str:
    """A Sentence translated, with the sentences in it; any other text as it is."""
    if not isinstance(text, Sentence):
        return text
    template = QCoreApplication.translate(CONTEXT, text.template)
    fields = {
        name: worded(value) if isinstance(value, str) else value
        for name, value in text.fields.items()
    }
    return filled(template, fields)
