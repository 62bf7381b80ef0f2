"""Persons are named, merged, divided and exchanged in the window, with undo, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000


def cells(window: MainWindow) -> list[list[str]]:
    model = window.people.model
    return [
        [str(model.data(model.index(row, column))) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def faces(window: MainWindow) -> list[tuple[int, ...]]:
    return [row.summary.faces for row in window.people.model.rows]


def titles(window: MainWindow) -> list[str]:
    return [row.title for row in window.people.model.rows]


def type_name(qtbot: QtBot, window: MainWindow, person: int, name: str) -> None:
    """Select a person, press the key of naming, and type."""
    window.people.select(person)
    key(window, "name_person")
    (field,) = window.people.table.findChildren(QLineEdit)
    field.clear()
    QTest.keyClicks(field, name)
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.people.table.findChildren(QLineEdit))


def go_to(qtbot: QtBot, window: MainWindow, frame: int) -> None:
    window.session.recording.seek(frame)
    qtbot.waitUntil(lambda: window.session.display.frame == frame, timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: window.view.shown is not None and window.view.shown.frame.index == frame,
        timeout=WAIT_MS,
    )


def called(window: MainWindow) -> dict[int, str]:
    """Return what the faces of the shown frame are called in the picture."""
    shown = window.view.shown
    assert shown is not None
    return {face: name.full for face, name in shown.names.items()}


def test_persons_are_listed_with_pictures_faces_and_times(
    qtbot: QtBot, people: MainWindow
) -> None:
    assert cells(people) == [
        ["#0", "#0", "100\N{NO-BREAK SPACE}%", "0:00.0 – 0:04.4"],
        ["#1", "#1", "18\N{NO-BREAK SPACE}%", "0:00.0 – 0:00.8"],
        ["#2", "#2", "19\N{NO-BREAK SPACE}%", "0:03.6 – 0:04.4"],
    ]
    rows = people.people.model.rows
    qtbot.waitUntil(lambda: all(r.image is not None for r in people.people.model.rows))
    assert people.people.model.rows[1].image.max() > 150  # the bright square
    people.people.chosen.emit(rows[2])
    qtbot.waitUntil(lambda: people.session.display.frame == rows[2].summary.best_frame)
    assert people.session.user_state.face == 2


def test_a_name_is_typed_in_the_list_and_shown_everywhere(
    qtbot: QtBot, people: MainWindow
) -> None:
    type_name(qtbot, people, 1, "  Ada ")
    assert titles(people) == ["#0", "Ada", "#2"]
    go_to(qtbot, people, 5)
    assert called(people) == {0: "#0", 1: "Ada (#1)"}
    qtbot.waitUntil(lambda: people.statistics.face.itemText(1) == "Ada (#1)", timeout=WAIT_MS)
    layout = people.playback_bar.timeline._layout()
    assert layout.faces_called == ("#0", "Ada", "#2")
    type_name(qtbot, people, 0, "Ada")
    assert "another person is called Ada already" in people.messages.texts[-1]
    assert titles(people) == ["#0", "Ada", "#2"]
    key(people, "undo")
    assert titles(people) == ["#0", "#1", "#2"]


def test_merged_persons_are_one_until_that_is_undone(qtbot: QtBot, people: MainWindow) -> None:
    type_name(qtbot, people, 2, "Ada")
    assert not people.actions_by_name["merge_people"].isEnabled()
    people.people.select(1, 2)
    key(people, "merge_people")
    qtbot.waitUntil(lambda: faces(people) == [(0,), (1, 2)], timeout=WAIT_MS)
    assert titles(people) == ["#0", "Ada"]
    go_to(qtbot, people, 90)
    assert called(people) == {0: "#0", 2: "Ada (#2)"}
    key(people, "undo")
    qtbot.waitUntil(lambda: faces(people) == [(0,), (1,), (2,)], timeout=WAIT_MS)


def test_persons_that_are_seen_together_are_not_merged(people: MainWindow) -> None:
    people.people.select(0, 1)
    key(people, "merge_people")
    assert "#0 and #1 are not merged, because both are in frame 0" in people.messages.texts[-1]
    assert people.session.review.project.reassignments == ()


def test_persons_are_divided_and_exchanged_from_the_shown_frame_on(
    qtbot: QtBot, people: MainWindow
) -> None:
    people.people.select(0)
    go_to(qtbot, people, 0)
    key(people, "split_person")
    assert "#0 has no frames before and after this one" in people.messages.texts[-1]
    go_to(qtbot, people, 78)
    key(people, "split_person")
    qtbot.waitUntil(lambda: len(titles(people)) == 4, timeout=WAIT_MS)
    assert titles(people) == ["#0", "#1", "#2", "#3"]
    assert called(people) == {0: "#3 (#0)"}
    key(people, "undo")
    assert called(people) == {0: "#0"}
    people.people.select(0, 2)
    go_to(qtbot, people, 90)
    key(people, "swap_people")
    assert called(people) == {0: "#2 (#0)", 2: "#0 (#2)"}
    go_to(qtbot, people, 10)
    assert called(people) == {0: "#0", 1: "#1"}


def test_persons_that_may_be_the_same_are_suggested_and_never_merged_unasked(
    qtbot: QtBot, people: MainWindow
) -> None:
    panel = people.people
    qtbot.waitUntil(lambda: panel.suggestion.text() != "", timeout=WAIT_MS)
    assert panel.suggestion.text().startswith("#2 may be #1")
    assert len(titles(people)) == 3
    panel.different.click()
    assert panel.suggestion.text() == ""
    people.session.people.suggestions.clear()
    people.session.people.suggestions.request()
    qtbot.waitUntil(lambda: panel.suggestion.text() != "", timeout=WAIT_MS)
    panel.same.click()
    qtbot.waitUntil(lambda: faces(people) == [(0,), (1, 2)], timeout=WAIT_MS)
    assert panel.suggestion.text() == ""


def test_names_and_merges_are_there_when_the_recording_is_opened_again(
    qtbot: QtBot, people: MainWindow, two_faces: str
) -> None:
    type_name(qtbot, people, 1, "Ada")
    people.people.select(1, 2)
    key(people, "merge_people")
    people.session.close_source()
    assert people.people.model.rows == []
    open_video(qtbot, people, two_faces)
    qtbot.waitUntil(lambda: titles(people) == ["#0", "Ada"], timeout=WAIT_MS)
    assert faces(people) == [(0,), (1, 2)]
