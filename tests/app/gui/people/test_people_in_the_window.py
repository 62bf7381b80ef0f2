"""Persons are named, merged, divided and exchanged in the window, with undo, and kept."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from steadymark.app.gui.files.table_export_dialog import TableExportDialog
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    import pytest
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


def ask_export(window: MainWindow) -> TableExportDialog:
    window.actions_by_name["export_reviewed"].trigger()
    return next(d for d in window.findChildren(TableExportDialog) if d.isVisible())


def export_reviewed(
    qtbot: QtBot, window: MainWindow, *, per_person: bool, fails: bool = False
) -> Path:
    """Export the reviewed table and return the file."""
    for open_one in window.findChildren(TableExportDialog):
        open_one.reject()
    dialog = ask_export(window)
    dialog.per_person.setChecked(per_person)
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        dialog.accept()
    assert bool(ended.args[0].fault) is fails
    return Path(ended.args[0].path)


def read(path: Path) -> dict[int, dict[str, str]]:
    """Return the names in an exported table, by frame and face."""
    found: dict[int, dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            found.setdefault(int(row["frame"]), {})[row["face_id"]] = row["name"]
    return found


def told(window: MainWindow, words: str) -> bool:
    return any(words in text for text in window.messages.texts)


def called(window: MainWindow) -> dict[int, str]:
    """Return what the faces of the shown frame are called in the picture."""
    shown = window.view.shown
    assert shown is not None
    return {face: name.full for face, name in shown.names.items()}


def test_persons_are_listed_with_pictures_faces_and_times(qtbot: QtBot, people: MainWindow) -> None:
    assert cells(people) == [
        ["#0", "#0", "100\N{NO-BREAK SPACE}%", "0:00.0 –\n0:04.4"],
        ["#1", "#1", "18\N{NO-BREAK SPACE}%", "0:00.0 –\n0:00.8"],
        ["#2", "#2", "19\N{NO-BREAK SPACE}%", "0:03.6 –\n0:04.4"],
    ]
    rows = people.people.model.rows
    qtbot.waitUntil(lambda: all(r.image is not None for r in people.people.model.rows))
    image = people.people.model.rows[1].image
    assert image is not None
    assert image.max() > 150  # the bright square
    people.people.chosen.emit(rows[2])
    qtbot.waitUntil(lambda: people.session.display.frame == rows[2].summary.best_frame)
    assert people.session.user_state.face == 2


def test_a_name_is_typed_in_the_list_and_shown_everywhere(qtbot: QtBot, people: MainWindow) -> None:
    type_name(qtbot, people, 1, "  Ada ")
    assert titles(people) == ["#0", "Ada", "#2"]
    go_to(qtbot, people, 5)
    assert called(people) == {0: "#0", 1: "Ada (#1)"}
    qtbot.waitUntil(lambda: people.statistics.face.itemText(1) == "Ada (#1)", timeout=WAIT_MS)
    layout = people.playback_bar.timeline._layout()
    assert layout.faces_called == ("#0", "Ada", "#2")
    type_name(qtbot, people, 0, "Ada")
    assert told(people, "another person is called Ada already")
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
    assert told(people, "#0 and #1 are not merged, because both are in frame 0")
    project = people.session.review.project
    assert project is not None
    assert project.reassignments == ()


def test_persons_are_divided_and_exchanged_from_the_shown_frame_on(
    qtbot: QtBot, people: MainWindow
) -> None:
    people.people.select(0)
    go_to(qtbot, people, 0)
    key(people, "split_person")
    assert told(people, "#0 cannot be split at this frame")
    go_to(qtbot, people, 78)
    key(people, "split_person")
    qtbot.waitUntil(lambda: len(titles(people)) == 4, timeout=WAIT_MS)
    assert titles(people) == ["#0", "#1", "#2", "#3"]
    assert called(people)[0] == "#3 (#0)"
    key(people, "undo")
    assert called(people)[0] == "#0"
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


def test_names_are_in_the_exported_table_and_each_person_has_a_file_on_request(
    qtbot: QtBot, people: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (given[2], ""))
    type_name(qtbot, people, 1, "Ada")
    people.people.select(1, 2)
    key(people, "merge_people")
    qtbot.waitUntil(lambda: len(titles(people)) == 2, timeout=WAIT_MS)
    type_name(qtbot, people, 0, "Bob")
    people.people.select(0, 1)
    go_to(qtbot, people, 100)
    key(people, "swap_people")
    whole = read(export_reviewed(qtbot, people, per_person=False))
    assert whole[95] == {"0": "Bob", "2": "Ada"}
    assert whole[105] == {"0": "Ada", "2": "Bob"}
    first = export_reviewed(qtbot, people, per_person=True)
    assert sorted(path.name for path in first.parent.glob("two_reviewed*")) == [
        "two_reviewed.Ada.csv",
        "two_reviewed.Bob.csv",
        "two_reviewed.csv",
    ]
    assert {name for names in read(first).values() for name in names.values()} == {"Bob"}
    assert ask_export(people).per_person.isChecked()
    export_reviewed(qtbot, people, per_person=True, fails=True)
    assert told(people, "two_reviewed.Bob.csv is there already")


def test_a_name_that_is_being_typed_stays_when_the_list_changes(
    qtbot: QtBot, people: MainWindow
) -> None:
    people.people.select(2)
    QTest.keyClick(people.people.table, Qt.Key.Key_F2)
    (field,) = people.people.table.findChildren(QLineEdit)
    QTest.keyClicks(field, "Ad")
    people.session.people.pictures.changed.emit()
    people.session.people.rename(0, "Bob")
    QTest.keyClicks(field, "a")
    assert field.text() == "Ada"
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: titles(people) == ["Bob", "#1", "Ada"])
