"""How to cite the program: CITATION.cff as a sentence and as BibTeX."""

from __future__ import annotations

import re

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.help.manual import docs_root
from steadymark.engine.core.version import version

_FILE = "CITATION.cff"


def citation_file() -> str:
    """Return the text of CITATION.cff, of the installed package or of the checkout."""
    docs = docs_root()
    path = docs / _FILE if (docs / _FILE).is_file() else docs.parent / _FILE
    return path.read_text(encoding="utf-8")


def citation_fields(text: str) -> dict[str, str]:
    """Return title, author, year and license of a CITATION.cff."""
    fields = {}
    for field, key in (("title", "title"), ("author", "- name"), ("year", "year")):
        found = re.search(rf'^ *{key}: *"?([^"\n]+)"?$', text, re.MULTILINE)
        fields[field] = found[1] if found else ""
    return fields


def as_sentence(fields: dict[str, str]) -> str:
    """Return the citation in the style of a list of references."""
    return (
        f"{fields['author']} ({fields['year']}). {fields['title']} (Version {version()}) "
        "[Computer software]."
    )


def as_bibtex(fields: dict[str, str]) -> str:
    """Return the citation as a BibTeX entry."""
    return (
        "@software{steadymark,\n"
        f"  author  = {{{{{fields['author']}}}}},\n"
        f"  title   = {{{{{fields['title']}}}}},\n"
        f"  version = {{{version()}}},\n"
        f"  year    = {{{fields['year']}}}\n"
        "}\n"
    )


class CitationDialog(QDialog):
    """Dialog with the citation as a sentence, as BibTeX and as CITATION.cff, each to copy."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("How to cite"))
        text = citation_file()
        fields = citation_fields(text)
        column = QVBoxLayout(self)
        self.copy_buttons: list[QPushButton] = []
        for title, words, lines in (
            (self.tr("Reference"), as_sentence(fields), 3),
            ("BibTeX", as_bibtex(fields), 7),
            (_FILE, text, 9),
        ):
            self._add(column, title, words, lines)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.setModal(True)
        self.resize(640, 560)

    def _add(self, column: QVBoxLayout, title: str, words: str, lines: int) -> None:
        """Add a title, a text of this many visible lines, and a button that copies it."""
        field = QPlainTextEdit(words)
        field.setReadOnly(True)
        field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        field.setAccessibleName(title)
        field.setMinimumHeight(field.fontMetrics().lineSpacing() * lines + 12)
        copy = QPushButton(self.tr("Copy"))
        copy.setAutoDefault(False)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(words))
        self.copy_buttons.append(copy)
        row = QHBoxLayout()
        row.addWidget(QLabel(title))
        row.addStretch(1)
        row.addWidget(copy)
        column.addLayout(row)
        column.addWidget(field, lines)
