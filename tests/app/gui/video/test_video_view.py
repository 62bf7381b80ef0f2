"""The video with its landmarks: zooming, hovering, the wipe, and matching frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from steadymark.app.session.state import ComparisonLayout, ShownLandmarks
from steadymark.engine.output.video.draw_style import RAW_COLOUR
from support.videos.square_video import square_x
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def test_the_view_can_be_zoomed_panned_and_fitted(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    scale = window.view.viewport().scale * window.view.devicePixelRatioF()
    assert window.status.zoom.text() == f"zoom {100 * scale:.0f}\N{NO-BREAK SPACE}%"
    view = window.view
    fitted = view.viewport()
    position = QPointF(view.width() / 3, view.height() / 3)
    before = fitted.to_frame(position.x(), position.y())
    wheel = QWheelEvent(
        position,
        view.mapToGlobal(position),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, wheel)
    assert view.viewport().scale > fitted.scale
    assert view.viewport().to_frame(position.x(), position.y()) == pytest.approx(before)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(view, QPoint(120, 90))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(120, 90))
    moved = view.viewport().to_frame(position.x() + 20, position.y() - 10)
    assert moved == pytest.approx(before)
    key(window, "actual")
    assert view.viewport().scale * view.devicePixelRatioF() == pytest.approx(1)
    key(window, "fit")
    assert view.viewport() == fitted


def test_hovering_a_landmark_shows_its_name_and_a_click_chooses_it(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    view = window.view
    assert view.shown is not None
    assert view.shown.faces
    face = view.shown.faces[0]
    assert face.stabilized is not None
    x, y = view.viewport().to_view(face.stabilized.xy_px[8])
    near = view.landmark_at(QPointF(x, y))
    assert near is not None
    assert near.index == 8
    for word in ("8 chin", "score 1.00", "stabilized", "face 0"):
        assert word in near.text
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert window.session.display.landmark == 8
    assert view.landmark_at(QPointF(2, 2)) is None


def test_dragging_the_dividing_line_moves_the_wipe_position(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    window.session.set_shown_landmarks(ShownLandmarks.BOTH)
    window.session.set_layout(ComparisonLayout.WIPE)
    view = window.view
    line = QPoint(round(view._wipe_x()), 40)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=line)
    QTest.mouseMove(view, line + QPoint(30, 0))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=line + QPoint(30, 0))
    expected = 0.5 + 30 / (view.viewport().scale * 320)
    assert window.session.display.wipe == pytest.approx(expected, abs=0.01)


def test_image_and_landmarks_always_belong_to_the_same_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    mismatches = []

    def record_mismatches() -> None:
        shown = window.view.shown
        for face in (shown.faces or ()) if shown else ():
            if face.raw is not None and shown is not None:
                distance_px = abs(float(face.raw.xy_px[:, 0].mean()) - square_x(shown.frame.index))
                if distance_px > 3:
                    mismatches.append(shown.frame.index)

    window.session.frame_changed.connect(record_mismatches)
    window.session.results_changed.connect(record_mismatches)
    window.session.recording.set_speed(4.0)
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    for index in (100, 5, 60):
        window.session.recording.seek(index)
        qtbot.waitUntil(lambda: window.session.display.frame >= index)  # noqa: B023
    window.session.frame_changed.disconnect(record_mismatches)
    window.session.results_changed.disconnect(record_mismatches)
    assert mismatches == []


def test_the_raw_landmarks_of_a_single_face_have_their_colour_when_they_are_alone(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    overlay = window.session.display.overlay
    if overlay.shows("ids"):
        window.session.set_overlay(overlay.toggled("ids"))

    def share_of(colour: str) -> float:
        image = window.view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        wanted = QColor(colour)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
        rgb = pixels[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
        exact = (wanted.red(), wanted.green(), wanted.blue())
        return float((np.abs(rgb.astype(int) - exact).max(2) < 40).mean())

    window.session.set_shown_landmarks(ShownLandmarks.STABILIZED)
    stabilized = share_of(RAW_COLOUR)
    window.session.set_shown_landmarks(ShownLandmarks.RAW)
    assert share_of(RAW_COLOUR) > stabilized + 1e-4
