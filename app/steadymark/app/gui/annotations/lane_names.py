"""How lanes, annotations and persons are called in the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.review.annotating import lane_text
from steadymark.app.session.state import clock_text

if TYPE_CHECKING:
    from steadymark.engine.review.project import Annotation, Project

translate = QCoreApplication.translate


def lane_title(name: str) -> str:
    """Return the name of a lane; that of the lane `exclude` is translated."""
    return translated(lane_text(name))


def person_title(project: Project, person: int | None) -> str:
    """Return how a person is called: by name and number, or everybody for None."""
    if person is None:
        return translate("lanes", "Everybody")
    name = project.name_of(person)
    if name == str(person):
        return translate("lanes", "Face {number}").format(number=person)
    return translate("lanes", "{name} (face {number})").format(name=name, number=person)


def annotation_text(project: Project, one: Annotation) -> str:
    """Return what the tooltip of an annotation says: label, times, person and note."""
    times = clock_text(one.start_s)
    if not one.is_event:
        length = one.end_s - one.start_s
        times = translate("lanes", "{start} to {end} ({length})").format(
            start=times, end=clock_text(one.end_s), length=clock_text(length)
        )
    title = lane_title(one.lane)
    lines = [f"{title}: {one.label}" if one.label else title, times]
    if one.person is not None:
        lines.append(person_title(project, one.person))
    if one.note:
        lines.append(one.note)
    return "\n".join(lines)
