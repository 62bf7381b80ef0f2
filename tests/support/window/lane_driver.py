"""Helpers of tests that use the lanes of the timeline with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from support.window.window_driver import open_video, shows

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.engine.review.project import Annotation, Project

LEFT = Qt.MouseButton.LeftButton


def open_for_annotating(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    """Open a video, and wait until the timeline shows its frames."""
    open_video(qtbot, window, clip, tracked=False)
    line = window.playback_bar.timeline
    qtbot.waitUntil(lambda: line.shown.count > 0 and line.height() == line.sizeHint().height())


def project_of(window: MainWindow) -> Project:
    project = window.session.review.project
    assert project is not None
    return project


def spans(window: MainWindow, lane: str = "exclude") -> list[tuple[int, int]]:
    """Return the first and the last frame of each annotation of a lane, at 25 frames a second."""

    def frames(one: Annotation) -> tuple[int, int]:
        return round(25 * one.start_s), round(25 * one.end_s)

    return [frames(one) for one in project_of(window).annotations if one.lane == lane]


def place(window: MainWindow, frame: float, lane: int = 0) -> QPoint:
    """Return the position of a frame in a lane of the timeline."""
    line = window.playback_bar.timeline
    return QPoint(round(line.x_of(frame)), round(line._layout().lane(lane).center().y()))


def drag_frames(
    window: MainWindow, start: float, end: float, lane: int = 0, *, release: bool = True
) -> None:
    """Drag in a lane from one frame to another."""
    line = window.playback_bar.timeline
    begin, target = place(window, start, lane), place(window, end, lane)
    QTest.mousePress(line, LEFT, pos=begin)
    for share in (0.3, 0.7, 1.0):
        way = round(share * (target.x() - begin.x()))
        QTest.mouseMove(line, begin + QPoint(way, 0))
    if release:
        QTest.mouseRelease(line, LEFT, pos=target)


def go_to(qtbot: QtBot, window: MainWindow, frame: int) -> None:
    """Show a frame."""
    window.session.recording.seek(frame)
    qtbot.waitUntil(lambda: shows(window, frame))
