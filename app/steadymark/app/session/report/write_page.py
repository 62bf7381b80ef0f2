"""Writes the page of a report to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.output.output_paths import cannot_write

if TYPE_CHECKING:
    from pathlib import Path

HTML, PDF = ".html", ".pdf"
PAGE_SUFFIXES = (HTML, ".htm", PDF)


def write_page(page: str, target: Path) -> None:
    """Write an HTML page, or a PDF that Qt makes of it.

    Args:
        page: The HTML.
        target: The file; an existing one is replaced. If it ends in `.pdf`, it is a PDF.

    Raises:
        SinkError: The file cannot be written.
    """
    if target.suffix.lower() == PDF:
        from steadymark.app.session.report.print_pdf import print_pdf

        print_pdf(page, target)
        return
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise cannot_write(target, error) from error
