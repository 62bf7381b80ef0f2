"""The persons of a recording are listed in the background, and never those of a closed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.people import people_worker
from steadymark.app.session.people.face_names import FaceName, face_names
from steadymark.engine.core.errors import SourceError
from steadymark.engine.review import edits
from steadymark.engine.review.people.person_summary import summarize_people
from steadymark.engine.review.project import Project, VideoReference
from support.fakes.blocking_fakes import Gate
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session

WAIT_MS = 20_000
PROJECT = Project(VideoReference("a.mp4"))


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "a.mp4", 30))


def test_names_follow_the_person_of_the_shown_frame() -> None:
    project = edits.name_person(edits.name_person(PROJECT, 0, "Ada"), 1, "Bob")
    project = edits.swap_people(project, 0, 1, 10)
    before, after = face_names(project, {0, 1, 2}, 9), face_names(project, {0, 1, 2}, 10)
    assert [name.full for name in before.values()] == ["Ada (#0)", "Bob (#1)", "#2"]
    assert [name.short for name in after.values()] == ["Bob", "Ada", "#2"]
    assert face_names(edits.merge_people(PROJECT, 0, 2), [2], 5)[2].full == "#0 (#2)"
    assert face_names(None, [3], 0) == {3: FaceName(3, 3)}
    assert face_names(project, [], 0) == {}


def test_a_closed_recording_has_no_persons_also_if_they_were_being_found(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    def blocked(*arguments: object) -> object:
        gate.pass_through()
        return summarize_people(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(people_worker, "summarize_people", blocked)
    session.open(clip)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    session.close_source()
    gate.open()
    assert session.people.close(WAIT_MS / 1000)
    assert session.people.summaries == ()
    assert session.people.rows() == []


def test_a_fault_is_told_instead_of_an_empty_list(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> object:
        raise ZeroDivisionError("made")

    monkeypatch.setattr(people_worker, "summarize_people", fails)
    session.open(clip)
    qtbot.waitUntil(lambda: bool(session.people.fault), timeout=WAIT_MS)
    assert str(session.people.fault) == "people cannot be listed (ZeroDivisionError: made)"


def test_a_person_whose_frame_is_damaged_has_no_picture(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.open(clip)
    qtbot.waitUntil(lambda: session.people.complete, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: session.people.rows()[0].image is not None, timeout=WAIT_MS)
    current, pictures = session.recording.current, session.people.pictures
    assert current is not None

    def damaged(_: int) -> object:
        raise SourceError("the frame is damaged")

    pictures.request(())
    monkeypatch.setattr(current.media, "frame_at", damaged)
    with qtbot.waitSignal(pictures.changed, timeout=WAIT_MS):
        pictures.request(session.people.summaries)
    assert session.people.rows()[0].image is None
