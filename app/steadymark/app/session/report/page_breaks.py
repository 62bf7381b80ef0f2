"""Page breaks of a printed report: headings stay with what follows, and short tables stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtGui import QTextCursor, QTextFormat, QTextTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QTextBlock, QTextDocument

_SHORT = 0.5  # share of a page; a table that is longer may be cut between its rows
_FIRST_ROWS = 3  # rows of a long table that stay with its heading, with the row of headings
_TOP = 0.02  # share of a page, above which a part is at the start of a page


class _Part(NamedTuple):
    """A paragraph, or a table, whose block is its first one."""

    block: QTextBlock
    table: QTextTable | None

    @property
    def is_heading(self) -> bool:
        return self.table is None and self.block.blockFormat().headingLevel() > 0


def keep_together(document: QTextDocument) -> None:
    """Begin a new page where a page would end behind a heading or in a short table.

    Args:
        document: A document with a page size; formats of its paragraphs and tables are changed.
    """
    page = document.pageSize().height()
    first: _Part | None = None
    for part in list(_parts(document)):
        first = first or part
        if part.is_heading:
            continue
        top, bottom = _top(document, first), _bottom(document, part)
        cut = int(top // page) != int((bottom - 1) // page)
        if cut and top % page > _TOP * page and (first.is_heading or part.table is not None):
            _break_before(first)
        first = None


def _parts(document: QTextDocument) -> Iterator[_Part]:
    block = document.begin()
    while block.isValid():
        table = QTextCursor(block).currentTable()
        yield _Part(block, table)
        block = block.next() if table is None else document.findBlock(table.lastPosition() + 1)


def _top(document: QTextDocument, part: _Part) -> float:
    layout = document.documentLayout()
    if part.table is not None:
        return layout.frameBoundingRect(part.table).top()
    return layout.blockBoundingRect(part.block).top()


def _bottom(document: QTextDocument, part: _Part) -> float:
    """Return where a part ends that is not cut: of a long table, where its first rows end."""
    layout, table = document.documentLayout(), part.table
    if table is None:
        return layout.blockBoundingRect(part.block).bottom()
    whole = layout.frameBoundingRect(table)
    if whole.height() <= _SHORT * document.pageSize().height():
        return whole.bottom()
    row = min(_FIRST_ROWS, table.rows()) - 1
    cells = (table.cellAt(row, column) for column in range(table.columns()))
    blocks = (cell.lastCursorPosition().block() for cell in cells)
    return max(layout.blockBoundingRect(block).bottom() for block in blocks)


def _break_before(part: _Part) -> None:
    before = QTextFormat.PageBreakFlag.PageBreak_AlwaysBefore
    if part.table is not None:
        form = part.table.format().toTableFormat()
        form.setPageBreakPolicy(before)
        part.table.setFormat(form)
    else:
        changed = part.block.blockFormat()
        changed.setPageBreakPolicy(before)
        QTextCursor(part.block).setBlockFormat(changed)
