"""Cameras and streams watched in the real window, offscreen."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import ComparisonLayout, Phase
from support.fakes.fake_camera import mjpeg_server
from support.fakes.fake_live_sources import HangingDevice, PacedDevice
from support.videos.square_video import square_video
from support.window.live_window_driver import came_on, dialog_of, use, watched
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def test_a_stream_that_stands_still_is_quit_in_time(qtbot: QtBot, window: MainWindow) -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 20, True
        window.desk.open(LiveTarget(server.url))
        qtbot.waitUntil(lambda: window.view.shown is not None)
        begun_s = time.monotonic()
        assert window.close()
        assert window.closed_in_time
        assert time.monotonic() - begun_s < 2.5


def test_watching_is_driven_by_keys_and_told_in_the_bar(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    watched(qtbot, window)
    assert window.live_bar.isVisible()
    assert not window.transport.isVisible()
    assert window.docks.plots.isVisible()
    qtbot.waitUntil(lambda: "–" not in window.live_bar.late.text() + window.live_bar.rate.text())
    assert "ms" in window.live_bar.late.text()
    assert "dropped" in window.live_bar.dropped.text()
    assert window.status.phase.text() == "Live"
    key(window, "show_both")
    key(window, "layout_wipe")
    assert window.session.display.layout is ComparisonLayout.WIPE
    key(window, "boxes")
    came_on(qtbot, window)
    key(window, "play")
    assert window.session.display.phase is Phase.STOPPED
    assert device.wait_for(released=1)
    assert window.view.shown is not None
    assert not window.actions_by_name["record"].isEnabled()
    assert window.actions_by_name["play"].text().replace("&", "") == "Start again"
    key(window, "play")
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    key(window, "stop")
    assert window.session.display.phase is Phase.STOPPED
    key(window, "close")
    assert window.pages.currentWidget() is window.empty
    assert not window.live_bar.isVisible()


def test_plots_and_numbers_follow_the_last_minute(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    watched(qtbot, window)
    curve = window.plots._curves["x_raw"]

    def points() -> int:
        x = curve.getData()[0]
        return 0 if x is None else len(x)

    qtbot.waitUntil(lambda: points() > 20, timeout=8000)
    count = points()
    qtbot.waitUntil(lambda: points() > count, timeout=8000)
    assert window.numbers.face.currentText() == "#0"
    assert "%" in window.numbers.tracked.text()


@pytest.mark.parametrize("state", ["dialog", "opening", "live", "lost", "recording", "stopped"])
def test_quitting_in_any_state_ends_in_two_seconds_with_no_thread_left(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, state: str
) -> None:
    if state == "opening":
        device = HangingDevice()
        use(window, device)
        window.desk.open(LiveTarget("camera:0"))
        assert device.wait_for(opened=1)
    elif state == "dialog":
        dialog = dialog_of(window)
        qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    else:
        watched(qtbot, window)
    if state == "lost":
        device.unplug()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.RECONNECTING)
    elif state == "recording":
        key(window, "record")
        came_on(qtbot, window)
    elif state == "stopped":
        key(window, "stop")
    begun_s = time.monotonic()
    assert window.close()
    assert time.monotonic() - begun_s < 2.5
    assert window.closed_in_time
    device.unplug()  # a read that hangs in a driver cannot be ended by us
    for thread in threading.enumerate():
        if thread.name == "feed":
            thread.join(5)


def test_a_video_takes_the_place_of_a_camera(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    window.open_path(str(square_video(tmp_path / "a.mp4")))
    qtbot.waitUntil(lambda: window.session.display.has_film and window.view.shown is not None)
    assert window.transport.isVisible()
    assert window.actions_by_name["play"].text().replace("&", "") in ("Play", "Pause")
    assert device.wait_for(released=1)
