"""Annotations are made, undone and edited with keys and menus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from steadymark.app.gui.actions.actions import action_specs
from steadymark.app.gui.annotations.annotation_dialog import AnnotationDialog
from steadymark.app.gui.annotations.lane_dialog import LaneDialog
from steadymark.engine.core.file_lock import open_locked
from steadymark.engine.review.project import Lane
from support.window.lane_driver import go_to, open_for_annotating, project_of, spans
from support.window.window_driver import key, shows

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QMenu
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def press(window: MainWindow, keys: str) -> None:
    QTest.keySequence(window, QKeySequence(keys))


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions()]


@pytest.fixture
def ready(qtbot: QtBot, window: MainWindow, clip: str) -> MainWindow:
    """Return a window with an open video."""
    open_for_annotating(qtbot, window, clip)
    window.view.setFocus()
    return window


def test_the_key_of_a_lane_starts_and_ends_an_interval_which_is_undone_and_redone(
    qtbot: QtBot, ready: MainWindow
) -> None:
    undo, redo = (ready.actions_by_name[name] for name in ("undo", "redo"))
    assert not undo.isEnabled()
    assert undo.statusTip() == "There is nothing to undo."
    go_to(qtbot, ready, 10)
    press(ready, "X")
    assert ready.annotations.annotating.growing == {"exclude": 0.4}
    go_to(qtbot, ready, 30)
    press(ready, "X")
    assert spans(ready) == [(10, 30)]
    assert undo.text() == "&Undo: exclude"
    press(ready, "Ctrl+Z")
    assert spans(ready) == []
    assert (undo.text(), redo.text()) == ("&Undo", "&Redo: exclude")
    for redo_key in ("Ctrl+Shift+Z", "Ctrl+Y"):
        press(ready, redo_key)
        assert spans(ready) == [(10, 30)]
        press(ready, "Ctrl+Z")


def test_a_key_right_after_a_jump_means_the_frame_that_the_user_went_to(
    ready: MainWindow,
) -> None:
    ready.session.recording.seek(25)
    assert ready.session.display.frame != 25  # it is not decoded yet
    press(ready, "X")
    assert ready.annotations.annotating.growing == {"exclude": 1.0}


def test_escape_gives_up_an_interval_and_shift_marks_an_event(
    qtbot: QtBot, ready: MainWindow
) -> None:
    go_to(qtbot, ready, 20)
    press(ready, "X")
    ready.messages.show_message("a message")
    key(ready, "dismiss")
    assert ready.annotations.annotating.growing == {}
    assert ready.messages.texts == ["a message"]
    press(ready, "Shift+X")
    assert spans(ready) == [(20, 20)]
    key(ready, "dismiss")
    assert ready.messages.texts == []


def test_the_history_lists_what_was_done_and_returns_to_any_step(
    qtbot: QtBot, ready: MainWindow
) -> None:
    for frame in (5, 50, 90):
        go_to(qtbot, ready, frame)
        press(ready, "Shift+X")
    menu = ready.annotations.menus.history
    menu.fill()
    assert texts(menu) == ["Nothing done yet", *["event in 'exclude'"] * 3]
    menu.actions()[1].trigger()
    assert spans(ready) == [(5, 5)]
    menu.fill()
    assert [a.property("undone") for a in menu.actions()] == [False, False, True, True]
    assert [a.isChecked() for a in menu.actions()] == [False, True, False, False]
    menu.actions()[3].trigger()
    assert len(spans(ready)) == 3


def test_the_selected_annotation_is_reached_and_changed_with_keys_alone(
    qtbot: QtBot, ready: MainWindow
) -> None:
    annotating = ready.annotations.annotating
    annotating.add("exclude", 0.4, 1.2)
    annotating.add("exclude", 2.0, 3.0)
    annotating.select(None)
    assert not ready.actions_by_name["delete_annotation"].isEnabled()
    assert "Select an annotation" in ready.actions_by_name["delete_annotation"].statusTip()
    go_to(qtbot, ready, 0)
    key(ready, "next_annotation")
    qtbot.waitUntil(lambda: shows(ready, 10))
    key(ready, "next_annotation")
    qtbot.waitUntil(lambda: shows(ready, 50))
    key(ready, "to_end")
    qtbot.waitUntil(lambda: shows(ready, 75))
    key(ready, "loop_annotation")
    assert ready.session.display.loop == (50, 75)
    go_to(qtbot, ready, 60)
    key(ready, "start_here")
    assert spans(ready) == [(10, 30), (60, 75)]
    go_to(qtbot, ready, 70)
    key(ready, "end_here")
    assert spans(ready) == [(10, 30), (60, 70)]
    key(ready, "previous_annotation")
    qtbot.waitUntil(lambda: shows(ready, 10))
    key(ready, "delete_annotation")
    assert spans(ready) == [(60, 70)]


def test_an_annotation_is_edited_in_a_dialog_that_refuses_wrong_times(
    qtbot: QtBot, ready: MainWindow
) -> None:
    ready.annotations.annotating.add_lane(Lane("talking", "#0072b2"))
    ready.annotations.annotating.add("exclude", 0.411, 1.2)
    key(ready, "edit_annotation")
    (dialog,) = ready.findChildren(AnnotationDialog)
    dialog.label.setText("hand")
    dialog.note.setPlainText("hides the mouth")
    dialog.lane.setCurrentIndex(1)
    dialog.end.setText("soon")
    dialog.accept()
    assert dialog.isVisible()
    assert "'soon' is not a position" in dialog.fault_label.text()
    dialog.end.setText("0:00.080")
    dialog.accept()
    assert dialog.fault_label.text() == "The end is before the start."
    dialog.end.setText("f50")
    dialog.accept()
    assert not dialog.isVisible()
    (one,) = project_of(ready).annotations
    assert (one.lane, one.label, one.note) == ("talking", "hand", "hides the mouth")
    assert (one.start_s, one.end_s, one.person) == (0.411, 2.0, None)


def test_only_free_keys_are_offered_to_lanes(ready: MainWindow) -> None:
    key(ready, "add_lane")
    (dialog,) = ready.findChildren(LaneDialog)
    offered = {dialog.key.itemData(index) for index in range(dialog.key.count())}
    taken = {k for command in action_specs() for k in command.keys}
    assert not offered & taken
    assert "X" not in offered
    assert {"", "2", "J"} <= offered
    ok = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    assert not ok.isEnabled()
    dialog.name.setText("exclude")
    assert not ok.isEnabled()
    assert "a lane called 'exclude'" in dialog.fault_label.text()
    dialog.name.setText("talking")
    dialog.key.setCurrentIndex(dialog.key.findData("J"))
    ok.click()
    assert project_of(ready).lanes[1].name == "talking"
    ready.view.setFocus()
    press(ready, "Shift+J")
    assert len(spans(ready, "talking")) == 1


def test_a_key_belongs_either_to_a_lane_or_to_a_command(ready: MainWindow) -> None:
    shortcuts = ready.options.shortcuts
    for taken in ("X", "Shift+X"):
        assert "the key of the lane 'exclude'" in shortcuts.set_keys("boxes", [taken])
    ready.annotations.annotating.change_lane("exclude", Lane("exclude", "#cc3311", ""))
    assert shortcuts.set_keys("boxes", ["X"]) == ""
    ready.annotations.annotating.change_lane("exclude", Lane("exclude", "#cc3311", "X"))
    (entry,) = ready.annotations.menus.intervals.actions()
    assert entry.shortcut().isEmpty()
    assert "X is the key of 'Face boxes'" in entry.statusTip()
    ready.annotations._change_lane("exclude")
    (dialog,) = ready.findChildren(LaneDialog)
    assert "X is the key of 'Face boxes'" in dialog.fault_label.text()
    dialog.reject()
    shortcuts.reset("boxes")
    (entry,) = ready.annotations.menus.intervals.actions()
    assert entry.shortcut().toString() == "X"


def test_without_a_recording_the_commands_are_disabled_with_the_reason(window: MainWindow) -> None:
    for name in ("undo", "redo", "edit_annotation", "add_lane", "import_annotations", "to_start"):
        action = window.actions_by_name[name]
        assert not action.isEnabled()
        assert "Open a recording first" in action.statusTip()
    assert not window.annotations.menus.intervals.menuAction().isEnabled()


def test_a_project_that_is_open_elsewhere_is_shown_and_not_edited(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    handle = open_locked(tmp_path / ".a.steadymark.lock")
    assert handle is not None
    open_for_annotating(qtbot, window, clip)
    window.view.setFocus()
    assert "is open in another window" in window.actions_by_name["add_lane"].statusTip()
    press(window, "X")
    assert window.annotations.annotating.growing == {}
    assert project_of(window).annotations == ()


def test_commands_follow_the_language_while_a_project_is_open(
    qtbot: QtBot, ready: MainWindow
) -> None:
    ready.annotations.annotating.add("exclude", 0.4, 1.2)
    old = ready.playback_bar
    ready._retranslate()
    assert ready.playback_bar is not old
    assert ready.actions_by_name["undo"].text() == "&Undo: exclude"
    qtbot.waitUntil(lambda: ready.playback_bar.timeline.shown.count > 0)
    ready.view.setFocus()
    press(ready, "X")
    assert "exclude" in ready.annotations.annotating.growing
