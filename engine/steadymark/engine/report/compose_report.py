"""The report of one or several tracked videos, which the command line and the window write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from steadymark.engine.core.citation import citation_sentence
from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.version import version
from steadymark.engine.report.report_page import report_page
from steadymark.engine.report.stretch_pictures import stretch_pictures
from steadymark.engine.report.video_facts import VideoFacts, video_facts
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.review.find_reviewed import ReviewedFile

TITLE = "Facial landmarks"


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        page: The HTML.
        notes: Notes for the user, such as that a video was not found.
    """

    page: str
    notes: tuple[UserText, ...]


def compose_report(
    videos: Sequence[Callable[[], ReviewedFile]],
    *,
    title: str = TITLE,
    pictures: bool = True,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Report:
    """Compose the report of videos.

    Args:
        videos: For each video, a function that reads its table and its project. They are called
            one after the other, so that only one table is in memory.
        title: Title of the report.
        pictures: Whether doubtful stretches have pictures.
        on_progress: Called with the share that is done, from 0 to 1. It may raise to give up.

    Returns:
        The report.

    Raises:
        LandmarkFileError: A table or project cannot be read.
        UsageError: A table's landmarks are of no known schema.
    """
    notes: list[UserText] = []
    composed = []
    for number, read in enumerate(videos):

        def on_share(share: float, number: int = number) -> None:
            on_progress((number + share) / len(videos))

        on_share(0.0)
        found = read()
        facts = video_facts((found.video or found.table_path).name, found.table, found.project)
        composed.append((facts, _pictures(found, facts, notes, on_share) if pictures else []))
    made = f"Made by Steadymark {version()} on {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}."
    page = report_page(composed, title=title, made=made, citation=citation_sentence())
    return Report(page, tuple(notes))


def _pictures(
    found: ReviewedFile,
    facts: VideoFacts,
    notes: list[UserText],
    on_share: Callable[[float], None],
) -> list[str]:
    if found.video is None:
        notes.append(
            UserText(
                "{table}: its video was not found, so that the report shows no pictures",
                table=found.table_path,
            )
        )
        return []
    try:
        return stretch_pictures(
            str(found.video),
            facts.stretches,
            facts.tracks,
            found.table.schema,
            on_picture=lambda done: on_share(done / len(facts.stretches)),
        )
    except SourceError as error:
        notes.append(error.sentence)
        return []
