"""The manual: the documentation that is shipped with the program, in a window of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, Qt, QUrl
from PySide6.QtGui import QImage, QTextCursor, QTextDocument
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

GUIDE, GLOSSARY = "guide.md", "glossary.md"
_OTHERS = "install.md", "tables.md", "python.md", "own-models.md", "training.md", "benchmarks.md"
_LIST_PX = 190
_MARGIN_PX = 18


def docs_root() -> Path:
    """Return the documentation of the installed package, or else that of the checkout."""
    return assets_root().parent / "docs"


class ManualBrowser(QTextBrowser):
    """Browser for Markdown pages; images are not wider than the browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenExternalLinks(True)
        self.document().setDocumentMargin(_MARGIN_PX)
        self.document().setIndentWidth(_MARGIN_PX)
        self.sourceChanged.connect(self._go_to_heading)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        found, name = super().loadResource(kind, name), QUrl(name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return found
        image = QImage(self.source().resolved(name).toLocalFile())
        width = self.viewport().width() - 3 * _MARGIN_PX
        if image.isNull() or image.width() <= width:
            return found if image.isNull() else image
        return image.scaledToWidth(max(1, width), Qt.TransformationMode.SmoothTransformation)

    def _go_to_heading(self, source: QUrl) -> None:
        """Scroll to the heading that the fragment of an address names, as `#the-index` does."""
        block = self.document().begin()
        while source.fragment() and block.isValid():
            if block.blockFormat().headingLevel() and slug(block.text()) == source.fragment():
                self.setTextCursor(QTextCursor(block))
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(round(top))
                return
            block = block.next()


class ManualWindow(QDialog):
    """Window with the pages of the manual, a search field and links between the pages."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Manual"))
        self.browser = ManualBrowser()
        self.pages = QListWidget()
        self.pages.setFixedWidth(_LIST_PX)
        self.pages.setSpacing(3)
        self.pages.setAccessibleName(self.tr("Pages"))
        for name in (GUIDE, GLOSSARY, *_OTHERS):
            path = docs_root() / name
            if path.is_file():
                item = QListWidgetItem(title_of(path.read_text(encoding="utf-8")))
                item.setData(Qt.ItemDataRole.UserRole, name)
                self.pages.addItem(item)
        self.pages.currentItemChanged.connect(self._on_chosen)
        self.browser.sourceChanged.connect(self._on_source)
        self.language_note = QLabel(self.tr("The pages are in English."))
        self.language_note.setWordWrap(True)
        english = QLocale.Language.English, QLocale.Language.C
        self.language_note.setVisible(QLocale().language() not in english)
        back = QPushButton(self.tr("Back"))
        back.setAutoDefault(False)
        back.clicked.connect(self.browser.backward)
        self.browser.backwardAvailable.connect(back.setEnabled)
        back.setEnabled(False)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Search this page"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.search.returnPressed.connect(self.find_next)
        self._lay_out(back)
        self.resize(1120, 760)

    def show_page(self, name: str, heading: str = "") -> None:
        """Show a page of the manual, such as GUIDE, at a heading such as `the-window`."""
        address = QUrl.fromLocalFile(str(docs_root() / name))
        address.setFragment(heading)
        self.browser.setSource(address)
        self.show()
        self.raise_()
        self.activateWindow()

    def find_next(self) -> bool:
        """Select the next place of the text in the search field, and return whether there is one.

        After the last place, the search continues at the beginning.
        """
        text = self.search.text()
        if not text:
            return False
        if self.browser.find(text):
            return True
        before = self.browser.textCursor()
        self.browser.moveCursor(QTextCursor.MoveOperation.Start)
        if self.browser.find(text):
            return True
        self.browser.setTextCursor(before)
        return False

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.close()  # Its texts are in the language in which it was opened.
        super().changeEvent(event)

    def _lay_out(self, back: QPushButton) -> None:
        left, right, row = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.addWidget(self.pages)
        left.addWidget(self.language_note)
        row.addWidget(back)
        row.addWidget(self.search, 1)
        right.addLayout(row)
        right.addWidget(self.browser, 1)
        layout = QHBoxLayout(self)
        layout.addLayout(left)
        layout.addLayout(right, 1)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            name = str(item.data(Qt.ItemDataRole.UserRole))
            if self.browser.source().fileName() != name:
                self.browser.setSource(QUrl.fromLocalFile(str(docs_root() / name)))

    def _on_source(self, source: QUrl) -> None:
        """Select the shown page in the list."""
        for row in range(self.pages.count()):
            if self.pages.item(row).data(Qt.ItemDataRole.UserRole) == source.fileName():
                self.pages.setCurrentRow(row)


def title_of(markdown: str) -> str:
    """Return the first heading of a page."""
    first = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    return first[1] if first else ""


def slug(heading: str) -> str:
    """Return the fragment with which links name a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
