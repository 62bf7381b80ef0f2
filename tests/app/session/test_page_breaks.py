"""Headings and short tables of a printed report are not cut by the end of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QSizeF
from PySide6.QtGui import QTextCursor, QTextDocument

from steadymark.app.session.report.page_breaks import keep_together

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PAGE = QSizeF(400, 500)
ROWS = "".join(f"<tr><td>{row}</td></tr>" for row in range(8))
TABLE = f"<table><thead><tr><th>number</th></tr></thead>{ROWS}</table>"


def printed(before: int, after: str) -> QTextDocument:
    document = QTextDocument()
    document.setHtml("<p>text</p>" * before + f"<h3>Heading</h3>{after}<p>end</p>")
    document.setPageSize(PAGE)
    return document


def page_of(document: QTextDocument, text: str) -> int:
    block = document.find(text).block()
    rectangle = document.documentLayout().blockBoundingRect(block)
    return int(rectangle.bottom() // PAGE.height())


def table_is_whole(document: QTextDocument) -> bool:
    table = QTextCursor(document.find("number").block()).currentTable()
    rectangle = document.documentLayout().frameBoundingRect(table)
    return int(rectangle.top() // PAGE.height()) == int((rectangle.bottom() - 1) // PAGE.height())


def test_a_heading_stays_with_what_follows_it(qapp: QApplication) -> None:
    parted = 0
    for before in range(10, 30):
        document = printed(before, "<p>following</p>")
        parted += page_of(document, "Heading") != page_of(document, "following")
        keep_together(document)
        assert page_of(document, "Heading") == page_of(document, "following")
    assert parted


def test_a_short_table_is_not_cut_and_stays_with_its_heading(qapp: QApplication) -> None:
    cut = 0
    for before in range(5, 30):
        document = printed(before, TABLE)
        cut += not table_is_whole(document)
        keep_together(document)
        assert table_is_whole(document)
        assert page_of(document, "Heading") == page_of(document, "number")
    assert cut


@pytest.mark.parametrize("before", [1, 15])
def test_a_long_table_begins_behind_its_heading_and_goes_on_on_the_next_pages(
    qapp: QApplication, before: int
) -> None:
    document = printed(before, TABLE.replace(ROWS, ROWS * 12))
    keep_together(document)
    assert page_of(document, "Heading") == page_of(document, "number") == 0
    assert not table_is_whole(document)
