"""Prints an HTML page to a PDF file."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QMarginsF, QSizeF
from PySide6.QtGui import QGuiApplication, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from steadymark.app.session.report.page_breaks import keep_together
from steadymark.engine.output.output_paths import cannot_write

if TYPE_CHECKING:
    from pathlib import Path

_MARGIN_MM = 15.0
_DPI = 150


def print_pdf(page: str, path: Path) -> None:
    """Write an HTML page as PDF, A4.

    Args:
        page: The HTML; pictures are `data:` addresses.
        path: The file; an existing one is replaced.

    Raises:
        SinkError: The file cannot be written.
    """
    application = QGuiApplication.instance() or QGuiApplication([])  # fonts need one
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    writer.setPageMargins(margins, QPageLayout.Unit.Millimeter)
    document = QTextDocument()
    document.setHtml(page)
    area = writer.pageLayout().paintRectPixels(_DPI)
    document.documentLayout().setPaintDevice(writer)
    document.setPageSize(QSizeF(area.size()))
    keep_together(document)
    document.print_(writer)
    del application
    if not path.is_file() or not path.stat().st_size:
        raise cannot_write(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
