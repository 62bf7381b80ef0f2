"""The timeline: rows of faces, zoom, panning and seeking."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.timeline.timeline import Timeline
from steadymark.app.session.recording.results import Results
from steadymark.app.session.state import Phase, SourceState, UserState, resolve_display
from steadymark.engine.output.video.draw_style import GREEN, PURPLE, VERMILLION
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import track_result, tracked_face

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.state import Display

FRAMES = 200
LEFT = Qt.MouseButton.LeftButton


def two_faces() -> Results:
    """Return results of two faces; face 0 is missing from frame 50 to 99."""
    results = Results(np.arange(FRAMES) / 25, load_schema("ibug68"))
    for index in range(FRAMES):
        faces = [tracked_face(n) for n in (0, 1) if n or not 50 <= index < 100]
        results.add(track_result(index, *faces, restarted=index in (0, 150)))
    return results


def display(results: Results, frame: int = 0, **wishes: object) -> Display:
    state = SourceState(phase=Phase.FINISHED, times_s=results.times_s, shown_frame=frame, share=1.0)
    return resolve_display(replace(UserState(frame=frame), **wishes), state)  # type: ignore[arg-type]


@pytest.fixture
def line(qtbot: QtBot) -> Timeline:
    line = Timeline()
    qtbot.addWidget(line)
    results = two_faces()
    line.set_results(results)
    line.set_display(display(results))
    line.resize(800, line.sizeHint().height())
    with qtbot.waitExposed(line):
        line.show()
    return line


def colour(line: Timeline, frame: int, row: int) -> str:
    place = line._layout().row(row)
    image = line.grab().toImage()
    return QColor(image.pixel(round(line.x_of(frame)), round(place.center().y()))).name()


def wheel(line: Timeline, x: float, steps: int) -> None:
    position = QPointF(x, line.height() / 2)
    event = QWheelEvent(
        position,
        QPointF(line.mapToGlobal(position.toPoint())),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(line, event)


def drag(line: Timeline, start: QPoint, way: int) -> None:
    QTest.mousePress(line, LEFT, pos=start)
    for part in (way // 2, way):
        QTest.mouseMove(line, start + QPoint(part, 0))
    QTest.mouseRelease(line, LEFT, pos=start + QPoint(way, 0))


def test_each_face_has_a_row_in_which_its_gap_is_visible(line: Timeline) -> None:
    assert [colour(line, frame, 0) for frame in (25, 75, 125)] == [GREEN, VERMILLION, GREEN]
    assert [colour(line, frame, 1) for frame in (25, 75, 125)] == [GREEN] * 3


def test_the_tooltip_names_the_face_of_the_row_and_a_cut(line: Timeline) -> None:
    rows = [line._layout().row(row).center().y() for row in (0, 1)]
    assert line._tooltip(75, rows[0]) == "0:03.000, frame 75: face 0: no face"
    assert line._tooltip(75, rows[1]) == "0:03.000, frame 75: face 1: with a face"
    assert "cut" in line._tooltip(150, rows[0])


def test_many_faces_are_compressed(qtbot: QtBot) -> None:
    heights = []
    for faces in (1, 2, 6, 40):
        line = Timeline()
        qtbot.addWidget(line)
        results = Results(np.arange(4) / 25, load_schema("ibug68"))
        results.add(track_result(0, *map(tracked_face, range(faces)), restarted=True))
        line.set_results(results)
        heights.append(line.sizeHint().height())
    assert heights == sorted(set(heights))
    assert heights[-1] < 150


def test_the_wheel_zooms_about_the_cursor_and_a_double_click_resets(line: Timeline) -> None:
    x = line.x_of(60)
    wheel(line, x, 5)
    assert not line.shown.is_whole
    assert line.frame_at(x) == 60
    middle = QPoint(round(x), line.height() - 6)
    QTest.mouseDClick(line, LEFT, pos=middle)
    assert line.shown.is_whole


def test_a_double_click_alone_does_not_seek_on_release(line: Timeline) -> None:
    wheel(line, line.x_of(60), 5)
    seek_requested: list[int] = []
    line.seek_requested.connect(lambda frame, _: seek_requested.append(frame))
    QTest.mouseDClick(line, LEFT, pos=QPoint(400, line.height() - 6))
    assert len(seek_requested) <= 1  # the first of its two clicks


def test_a_drag_pans_when_zoomed_and_seeks_otherwise(line: Timeline) -> None:
    seek_requested: list[int] = []
    line.seek_requested.connect(lambda frame, _: seek_requested.append(frame))
    rows = QPoint(400, line.height() - 6)
    drag(line, rows, 100)
    assert seek_requested[-1] == line.frame_at(500)
    wheel(line, 400, 6)
    seek_requested.clear()
    first, at_start = line.shown.first, line.frame_at(400)
    drag(line, rows, 100)
    assert seek_requested == []
    assert line.shown.first < first
    assert abs(line.frame_at(500) - at_start) <= 1


def test_a_click_and_a_drag_along_the_times_seek_when_zoomed(line: Timeline) -> None:
    wheel(line, 400, 6)
    seek_requested: list[int] = []
    line.seek_requested.connect(lambda frame, _: seek_requested.append(frame))
    QTest.mouseClick(line, LEFT, pos=QPoint(300, line.height() - 6))
    assert seek_requested == [line.frame_at(300)]
    drag(line, QPoint(300, 4), 100)
    assert seek_requested[-1] == line.frame_at(400)


def test_the_shown_part_follows_playback(line: Timeline) -> None:
    wheel(line, line.x_of(20), 8)
    results = line._results
    assert results is not None
    line.set_display(display(results, 180))
    assert line.shown.first <= 180 < line.shown.first + line.shown.span


def test_another_recording_is_shown_whole(line: Timeline) -> None:
    wheel(line, 400, 6)
    line.set_results(two_faces())
    assert line.shown.is_whole


def test_the_loop_stays_visible_when_zoomed(line: Timeline) -> None:
    results = line._results
    assert results is not None
    line.set_display(display(results, 55, loop=(40, 60)))
    wheel(line, line.x_of(50), 4)
    strip = line._layout().strip
    image = line.grab().toImage()
    inside = QColor(image.pixel(round(line.x_of(45)), round(strip.bottom()) - 1))
    outside = QColor(image.pixel(round(line.x_of(36)), round(strip.bottom()) - 1))
    assert inside != outside
    edge = image.pixel(round(line._layout().x_of(40, line.shown)), round(strip.center().y()))
    assert QColor(edge).name() == PURPLE
