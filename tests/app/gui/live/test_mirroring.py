"""A live view can be mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint

from steadymark.app.gui.live import live_preferences
from steadymark.app.gui.video.viewport import Viewport
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_mirroring_changes_only_the_view(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    key(window, "mirror")
    wait_for_frames(qtbot, window)
    shown, port = window.view.shown, window.view.viewport()
    assert shown is not None
    assert shown.faces
    assert shown.faces[0].raw is not None
    assert port.flip == 320
    key(window, "stop")
    shown = window.view.shown
    assert shown is not None
    left, right = (int(f(np.flatnonzero(shown.frame.image[100, :, 0]))) for f in (np.min, np.max))
    columns = [left - 6, left + 6, right - 6, right + 6]
    view_points = port.to_view(np.array([[float(x), 100.0] for x in columns]))
    window.session.set_shown_landmarks(type(window.session.display.shown_landmarks).OFF)
    screenshot = window.view.grab().toImage()

    ratio = window.view.devicePixelRatioF()
    colours = [
        screenshot.pixelColor(QPoint(round(x * ratio), round(y * ratio))) for x, y in view_points
    ]
    assert [colour.lightness() > 100 for colour in colours] == [False, True, True, False]
    assert live_preferences.read(window.preferences).mirrored


def test_a_mirrored_viewport_maps_points_and_inverts_the_mapping() -> None:
    port = Viewport(2.0, 10.0, 20.0, flip=320)
    plain = Viewport(2.0, 10.0, 20.0)
    xy = np.array([[0.0, 5.0], [319.0, 5.0]])
    assert np.allclose(port.to_view(xy)[::-1], plain.to_view(xy))
    assert np.allclose([port.to_frame(*p) for p in port.to_view(xy)], xy)
    assert port.zoomed(2, 30, 40).flip == 320
    assert port.moved(1, 1).flip == 320
