"""The frames after a corrected one are tracked again from the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from support.fakes.blocking_fakes import Gate
from support.videos.two_squares import LARGE, SMALL, two_squares_models, two_squares_video
from support.window.lane_driver import go_to
from support.window.window_driver import key, open_video, stabilized_points

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000
LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dragged(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> Gate:
    """Put the face of frame 20 onto another one; the gate holds the network after 60 frames."""
    models, gate, calls = two_squares_models(), Gate(), 0
    step = models.network.step

    def held(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 80:
            gate.pass_through()
        return step(*arguments, **named)  # type: ignore[arg-type]

    models.network.step = held  # type: ignore[method-assign, assignment]
    window.session.models.opener = lambda _: models
    open_video(qtbot, window, str(two_squares_video(tmp_path / "two.mp4")))
    go_to(qtbot, window, 20)
    window.view.setFocus()
    key(window, "correct_landmarks")
    view = window.view
    x, y = view.viewport().to_view(stabilized_points(window)[30])
    start, scale = QPoint(round(x), round(y)), view.viewport().scale
    by = QPoint(round((SMALL[0] - LARGE[0]) * scale), 0)
    QTest.mousePress(view, LEFT, CONTROL, start)
    QTest.mouseMove(view, start + by)
    QTest.mouseRelease(view, LEFT, CONTROL, start + by)
    window.messages.dismiss_all()  # two faces were seen, and one is tracked
    return gate


def place(qtbot: QtBot, window: MainWindow, frame: int) -> float:
    go_to(qtbot, window, frame)
    return float(stabilized_points(window)[:, 0].mean())


def test_the_window_shows_the_new_landmarks_when_the_part_is_tracked(
    qtbot: QtBot, window: MainWindow, dragged: Gate
) -> None:
    assert place(qtbot, window, 50) == pytest.approx(LARGE[0], abs=20)
    go_to(qtbot, window, 20)
    key(window, "track_from_here")
    qtbot.waitUntil(dragged.reached.is_set, timeout=WAIT_MS)
    told = "Frames 21 to 59 are tracked again. Until then, they are as they were."
    assert window.messages.texts == [told]
    qtbot.waitUntil(lambda: "Tracking again: " in window.correction_bar.note.text())
    assert not window.actions_by_name["track_from_here"].isEnabled()
    assert place(qtbot, window, 50) == pytest.approx(LARGE[0], abs=20)
    dragged.open()
    qtbot.waitUntil(lambda: window.messages.texts == [], timeout=WAIT_MS)
    qtbot.waitUntil(
        lambda: abs(float(stabilized_points(window)[:, 0].mean()) - SMALL[0]) < 20, timeout=WAIT_MS
    )
    assert place(qtbot, window, 5) == pytest.approx(LARGE[0], abs=20)
    for frame in range(20, 25):  # the correction must not move what was tracked from it
        assert place(qtbot, window, frame) == pytest.approx(SMALL[0], abs=20)
    qtbot.waitUntil(window.actions_by_name["track_from_here"].isEnabled, timeout=WAIT_MS)
    line = window.playback_bar.timeline
    qtbot.waitUntil(lambda: line._presence is not None and 21 in line._presence.restarts)


def test_the_user_can_stop_it(qtbot: QtBot, window: MainWindow, dragged: Gate) -> None:
    go_to(qtbot, window, 20)
    key(window, "track_from_here")
    qtbot.waitUntil(dragged.reached.is_set, timeout=WAIT_MS)
    (stop,) = (b for b in window.messages.findChildren(QPushButton) if b.text() == "Stop")
    stop.click()
    dragged.open()
    assert window.messages.texts == []
    assert place(qtbot, window, 50) == pytest.approx(LARGE[0], abs=20)
    assert window.actions_by_name["track_from_here"].isEnabled()
