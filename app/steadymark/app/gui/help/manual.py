"""The manual: the documentation that is shipped with the program, in a window of its own."""

from __future__ import annotations

import re
from pathlib import Path

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

from steadymark.app.gui.help.docstring_pages import with_docstrings
from steadymark.app.gui.help.model_cards import with_model_cards
from steadymark.models.face.schema import assets_root
from steadymark.models.runtime.zoo import weights_folder

GUIDE, GLOSSARY = "guide.md", "glossary.md"
_FIRST = {QLocale.Language.German: "de/index.md", QLocale.Language.Chinese: "zh/index.md"}
PAGES = (
    "index.md",
    "install.md",
    "tasks/researchers.md",
    "tasks/animators.md",
    "tasks/engineers.md",
    GUIDE,
    "numbers.md",
    "tables.md",
    "action_units.md",
    "review.md",
    GLOSSARY,
    "troubleshooting.md",
    "python.md",
    "reference.md",
    "how-it-works/index.md",
    "models.md",
    "own-models.md",
    "training.md",
    "benchmarks.md",
    "privacy.md",
)
_LIST_PX = 210
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
        name = QUrl(name)
        path = Path(name.toLocalFile())
        if kind == QTextDocument.ResourceType.MarkdownResource.value and path.is_file():
            return page_text(path)
        found = super().loadResource(kind, name)
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
        first = _FIRST.get(QLocale().language(), PAGES[0])
        for name in (first, *PAGES[1:]):
            path = docs_root() / name
            if path.is_file():
                item = QListWidgetItem(title_of(path.read_text(encoding="utf-8")))
                item.setData(Qt.ItemDataRole.UserRole, name)
                self.pages.addItem(item)
        self.pages.currentItemChanged.connect(self._on_chosen)
        self.browser.sourceChanged.connect(self._on_source)
        self.language_note = QLabel(self.tr("The pages are in English."))
        self.language_note.setWordWrap(True)
        self.language_note.hide()
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
            if page_name(self.browser.source()) != name:
                self.browser.setSource(QUrl.fromLocalFile(str(docs_root() / name)))

    def _on_source(self, source: QUrl) -> None:
        """Select the shown page in the list, and say if it is in another language."""
        english = QLocale.Language.English, QLocale.Language.C
        is_english = page_name(source) not in _FIRST.values()
        self.language_note.setVisible(is_english and QLocale().language() not in english)
        for row in range(self.pages.count()):
            if self.pages.item(row).data(Qt.ItemDataRole.UserRole) == page_name(source):
                self.pages.setCurrentRow(row)


def page_name(source: QUrl) -> str:
    """Return the name of a shown page as in PAGES; an empty text for what is not a page."""
    path = Path(source.toLocalFile())
    return path.relative_to(docs_root()).as_posix() if path.is_relative_to(docs_root()) else ""


def page_text(path: Path) -> str:
    """Return the Markdown text of a page, with the model cards and docstrings that it shows."""
    text = path.read_text(encoding="utf-8")
    return with_docstrings(with_model_cards(text, weights_folder()))


def title_of(markdown: str) -> str:
    """Return the first heading of a page."""
    first = re.search(r"^# (.+)$", markdown, re.MULTILINE)
    return first[1] if first else ""


def slug(heading: str) -> str:
    """Return the fragment with which links name a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
