"""What `steadymark report` writes: an HTML page, or a PDF that Qt makes of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.cli.output_files import OutputFiles, check_outputs
from steadymark.engine.core.citation import citation_sentence
from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.version import version
from steadymark.engine.output.output_paths import cannot_write
from steadymark.engine.report.report_page import report_page
from steadymark.engine.report.stretch_pictures import stretch_pictures
from steadymark.engine.report.video_facts import VideoFacts, video_facts
from steadymark.engine.review.find_reviewed import ReviewedFile, find_reviewed
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

PDF = ".pdf"


def write_report(
    files: Sequence[Path], target: Path, *, title: str, pictures: bool, overwrite: bool
) -> list[UserText]:
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
    if target.suffix.lower() not in (".html", ".htm", PDF):
        raise UsageError("{path}: name a file that ends in .html or .pdf", path=target)
    check_outputs(OutputFiles(target))
    if target.exists() and not overwrite:
        raise UsageError(
            "{path} is there already: add --overwrite, or choose another with --out", path=target
        )
    notes: list[UserText] = []
    videos = []
    for file in files:
        found = find_reviewed(file)
        facts = video_facts((found.video or found.table_path).name, found.table, found.project)
        videos.append((facts, _pictures(found, facts, notes) if pictures else []))
    made = f"Made by Steadymark {version()} on {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}."
    page = report_page(videos, title=title, made=made, citation=citation_sentence())
    if target.suffix.lower() == PDF:
        from steadymark.app.gui.files.print_pdf import print_pdf

        print_pdf(page, target)
    else:
        try:
            target.write_text(page, encoding="utf-8")
        except OSError as error:
            raise cannot_write(target, error) from error
    return notes


def _pictures(found: ReviewedFile, facts: VideoFacts, notes: list[UserText]) -> list[str]:
    if found.video is None:
        notes.append(
            UserText(
                "{table}: its video was not found, so that the report shows no pictures",
                table=found.table_path,
            )
        )
        return []
    try:
        return stretch_pictures(str(found.video), facts.stretches, facts.tracks, found.table.schema)
    except SourceError as error:
        notes.append(error.sentence)
        return []
