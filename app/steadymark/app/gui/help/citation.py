"""The dialog that tells how to cite the program."""

from __future__ import annotations

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

from steadymark.engine.core.citation import (
    CITATION_FILE,
    as_bibtex,
    as_sentence,
    citation_fields,
    citation_file,
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
            (CITATION_FILE, text, 9),
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
