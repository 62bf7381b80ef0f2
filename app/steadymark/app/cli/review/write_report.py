"""What `steadymark report` writes: an HTML page, or a PDF that Qt makes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from steadymark.app.cli.output_files import OutputFiles, check_outputs
from steadymark.app.session.report.write_page import PAGE_SUFFIXES, write_page
from steadymark.engine.core.errors import UsageError
from steadymark.engine.report.compose_report import compose_report
from steadymark.engine.review.find_reviewed import find_reviewed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steadymark.models.user_text import UserText


def write_report(
    files: Sequence[Path], target: Path, *, title: str, pictures: bool, overwrite: bool
) -> tuple[UserText, ...]:
    """Write a report.

    Args:
        files: Tables, videos or projects.
        target: The file, `.html` or `.pdf`.
        title: Title of the report.
        pictures: Whether doubtful stretches have pictures.
        overwrite: Whether an existing file is replaced.

    Returns:
        Notes, such as that a video was not found.

    Raises:
        LandmarkFileError: A table or project cannot be read.
        SinkError: The report cannot be written.
        UsageError: The file exists already, or has another ending.
    """
    if target.suffix.lower() not in PAGE_SUFFIXES:
        raise UsageError("{path}: name a file that ends in .html or .pdf", path=target)
    check_outputs(OutputFiles(target))
    if target.exists() and not overwrite:
        raise UsageError(
            "{path} is there already: add --overwrite, or choose another with --out", path=target
        )
    videos = [partial(find_reviewed, file) for file in files]
    report = compose_report(videos, title=title, pictures=pictures)
    write_page(report.page, target)
    return report.notes
