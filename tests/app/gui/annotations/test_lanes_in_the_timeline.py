"""The lanes of the timeline: painted, and used with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.annotations.annotation_dialog import AnnotationDialog
from steadymark.app.gui.annotations.lane_dialog import LaneDialog
from steadymark.engine.review.project import Lane
from support.window.lane_driver import (
    LEFT,
    drag_frames,
    go_to,
    open_for_annotating,
    place,
    project_of,
    spans,
)
from support.window.window_driver import key

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMenu
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

RED, BLUE = "#cc3311", "#0072b2"


@pytest.fixture
def ready(qtbot: QtBot, window: MainWindow, clip: str) -> MainWindow:
    """Return a window with an open video and two lanes."""
    open_for_annotating(qtbot, window, clip)
    window.annotations.annotating.add_lane(Lane("talking", BLUE, "2"))
    line = window.playback_bar.timeline
    qtbot.waitUntil(lambda: line.height() == line.sizeHint().height())
    return window


def colour(window: MainWindow, at: QPoint) -> str:
    image = window.playback_bar.timeline.grab().toImage()
    ratio = image.devicePixelRatio()
    return QColor(image.pixel(round(at.x() * ratio), round(at.y() * ratio))).name()


def choose(menu: QMenu, text: str) -> None:
    action = next(a for a in menu.actions() if a.text().replace("&", "").startswith(text))
    assert action.isEnabled()
    action.trigger()


def test_each_lane_is_a_row_that_zooms_with_the_timeline(ready: MainWindow) -> None:
    ready.annotations.annotating.add("talking", 1.0, 2.0)
    ready.annotations.annotating.select(None)
    line = ready.playback_bar.timeline
    assert line.lanes.names == ("exclude", "talking")
    assert colour(ready, place(ready, 40, 1)) == BLUE
    assert colour(ready, place(ready, 40, 0)) != BLUE
    assert colour(ready, place(ready, 60, 1)) != BLUE
    line.show_part(line.shown.zoomed(4, 0.5))
    assert colour(ready, place(ready, 46, 1)) == BLUE
    assert colour(ready, place(ready, 53, 1)) != BLUE


def test_what_is_excluded_is_shaded_over_the_faces(ready: MainWindow) -> None:
    line = ready.playback_bar.timeline
    strip = QPoint(round(line.x_of(40)), round(line._layout().strip.bottom()) - 2)
    before = colour(ready, strip)
    ready.annotations.annotating.add("talking", 1.0, 2.0)
    assert colour(ready, strip) == before
    ready.annotations.annotating.add("exclude", 1.0, 2.0)
    assert colour(ready, strip) != before


def test_a_started_interval_grows_with_the_shown_frame(qtbot: QtBot, ready: MainWindow) -> None:
    go_to(qtbot, ready, 20)
    ready.annotations.annotating.toggle_interval("exclude", 0.8)
    empty = colour(ready, place(ready, 40))
    go_to(qtbot, ready, 60)
    assert colour(ready, place(ready, 40)) != empty
    ready.annotations.annotating.give_up()
    assert colour(ready, place(ready, 40)) == empty


def test_a_drag_on_an_empty_part_draws_an_interval_and_a_click_seeks(
    qtbot: QtBot, ready: MainWindow
) -> None:
    drag_frames(ready, 20, 60, lane=1)
    assert spans(ready, "talking") == [(20, 60)]
    selected = ready.annotations.annotating.selected
    assert selected is not None
    assert selected.lane == "talking"
    QTest.mouseClick(ready.playback_bar.timeline, LEFT, pos=place(ready, 90, 1))
    qtbot.waitUntil(lambda: ready.session.display.frame == 90)
    assert ready.annotations.annotating.selected is None
    assert len(project_of(ready).annotations) == 1


@pytest.mark.parametrize(
    ("start", "end", "after"),
    [(20, 30, (30, 60)), (60, 80, (20, 80)), (40, 50, (30, 70))],
)
def test_a_drag_of_an_end_or_of_the_middle_is_undone_in_one_step(
    ready: MainWindow, start: int, end: int, after: tuple[int, int]
) -> None:
    ready.annotations.annotating.add("exclude", 0.8, 2.4)
    drag_frames(ready, start, end)
    assert spans(ready) == [after]
    drag_frames(ready, sum(after) / 2, sum(after) / 2 + 10)
    key(ready, "undo")
    assert spans(ready) == [after]
    key(ready, "undo")
    assert spans(ready) == [(20, 60)]


def test_escape_gives_up_a_drag(ready: MainWindow) -> None:
    ready.annotations.annotating.add("exclude", 0.8, 2.4)
    drag_frames(ready, 40, 70, release=False)
    assert spans(ready) == [(50, 90)]
    key(ready, "dismiss")
    assert spans(ready) == [(20, 60)]
    drag_frames(ready, 80, 110, release=False)
    key(ready, "dismiss")
    assert spans(ready) == [(20, 60)]


def test_a_click_selects_delete_removes_and_a_double_click_edits(ready: MainWindow) -> None:
    annotating, line = ready.annotations.annotating, ready.playback_bar.timeline
    annotating.add("exclude", 0.8, 2.4)
    annotating.add("talking", 0.8, 2.4)
    before = ready.session.display.frame
    QTest.mouseClick(line, LEFT, pos=place(ready, 40, 0))
    assert annotating.selected is not None
    assert annotating.selected.lane == "exclude"
    assert ready.session.display.frame == before
    key(ready, "delete_annotation")
    assert [one.lane for one in project_of(ready).annotations] == ["talking"]
    QTest.mouseDClick(line, LEFT, pos=place(ready, 40, 1))
    (dialog,) = ready.findChildren(AnnotationDialog)
    assert dialog.lane.currentText() == "talking"
    dialog.reject()
    name = QPoint(12, place(ready, 0, 1).y())
    QTest.mouseDClick(line, LEFT, pos=name)
    (lane,) = ready.findChildren(LaneDialog)
    assert lane.name.text() == "talking"
    lane.reject()


def test_the_tooltip_tells_label_times_person_and_note_as_plain_text(ready: MainWindow) -> None:
    review, line = ready.session.review, ready.playback_bar.timeline
    ready.annotations.annotating.add("talking", 1.0, 2.0)
    key(ready, "edit_annotation")
    (dialog,) = ready.findChildren(AnnotationDialog)
    dialog.label.setText("a <b>word</b>")
    dialog.note.setPlainText("not loud")
    dialog.person.setCurrentIndex(dialog.person.count() - 1)
    dialog.accept()
    assert review.project is not None
    at = QPointF(place(ready, 40, 1))
    text = line.lanes.tooltip(line._layout(), line.shown, at)
    assert text is not None
    assert "talking: a &lt;b&gt;word&lt;/b&gt;" in text
    assert "0:01.000 to 0:02.000 (0:01.000)" in text
    assert "not loud" in text
    assert "Face 0" in text
    empty = line.lanes.tooltip(line._layout(), line.shown, QPointF(place(ready, 100, 1)))
    assert empty == "<qt>talking: drag to mark an interval</qt>"
    assert line.lanes.tooltip(line._layout(), line.shown, QPointF(300, 20)) is None


def test_the_context_menu_of_a_lane_annotates_at_its_place(ready: MainWindow) -> None:
    menu = ready.annotations.context_menu(place(ready, 30, 1))
    assert menu is not None
    choose(menu, "Start an interval here")
    menu = ready.annotations.context_menu(place(ready, 50, 1))
    assert menu is not None
    choose(menu, "End the interval here")
    assert spans(ready, "talking") == [(30, 50)]
    menu = ready.annotations.context_menu(place(ready, 40, 1))
    assert menu is not None
    choose(menu, "Loop the annotation")
    assert ready.session.display.loop == (30, 50)
    choose(menu, "Delete annotation")
    assert spans(ready, "talking") == []
    choose(menu, "Remove the lane")
    assert [lane.name for lane in project_of(ready).lanes] == ["exclude"]
    menu = ready.annotations.context_menu(place(ready, 40, 0))
    assert menu is not None
    remove = next(a for a in menu.actions() if "Remove" in a.text())
    assert not remove.isEnabled()
    assert ready.annotations.context_menu(QPoint(300, 10)) is None


def test_many_lanes_take_little_room_and_less_in_a_low_window(ready: MainWindow) -> None:
    line = ready.playback_bar.timeline
    before = line.sizeHint().height()
    for number in range(20):
        ready.annotations.annotating.add_lane(Lane(f"lane {number}", BLUE))
    high = line.sizeHint().height()
    assert high < before + 100
    line.make_room(in_high_window=False)
    assert line.sizeHint().height() < high
    assert line.grab().toImage().height() > 0


def test_lanes_that_do_not_fit_scroll_with_the_wheel_and_follow_the_selection(
    ready: MainWindow,
) -> None:
    line, bar = ready.playback_bar.timeline, ready.playback_bar.timeline._lane_bar
    assert not bar.isVisible()
    for number in range(8):
        ready.annotations.annotating.add_lane(Lane(f"lane {number}", BLUE))
    assert bar.isVisible()

    def wheel(steps: int) -> None:
        at = QPointF(300, line._layout().all_lanes.center().y())
        none, shift = Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier
        turned, phase = QPoint(0, 120 * steps), Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(at, at, QPoint(), turned, none, shift, phase, False)
        QApplication.sendEvent(line, event)

    def first() -> str | None:
        return line.annotation_at(QPoint(300, round(line._layout().all_lanes.top()) + 3))[0]

    def last() -> str | None:
        return line.annotation_at(QPoint(300, round(line._layout().all_lanes.bottom()) - 4))[0]

    assert first() == "exclude"
    wheel(-2)
    assert first() == "lane 0"
    assert line.shown.is_whole
    wheel(-20)
    assert last() == "lane 7"
    ready.annotations.annotating.add("talking", 1.0, 2.0)
    assert first() == "talking"
    assert colour(ready, place(ready, 40, 1)) == BLUE
    wheel(20)
    assert first() == "exclude"


def test_three_lanes_fit_into_a_low_window(qtbot: QtBot, ready: MainWindow) -> None:
    ready.annotations.annotating.add_lane(Lane("looking", BLUE))

    def is_low() -> bool:
        ready.resize(900, 600)
        return ready.height() == 600

    qtbot.waitUntil(is_low)  # its layout follows a moment later
    assert ready.playback_bar.timeline._layout().lane_height > 15
