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
from support.window.live_window_driver import (
    open_camera_dialog,
    start_live_view,
    use_camera,
    wait_for_frames,
)
from support.window.window_driver import key

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


def test_the_window_closes_quickly_while_a_stream_stalls(qtbot: QtBot, window: MainWindow) -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 20, True
        window.live_controller.open(LiveTarget(server.url))
        qtbot.waitUntil(lambda: window.view.shown is not None)
        start_s = time.monotonic()
        assert window.close()
        assert window.closed_in_time
        assert time.monotonic() - start_s < 2.5


def test_keys_control_the_live_view_and_the_live_bar_shows_its_figures(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    assert window.live_bar.isVisible()
    assert not window.playback_bar.isVisible()
    assert window.docks.plots.isVisible()
    qtbot.waitUntil(lambda: "–" not in window.live_bar.latency.text() + window.live_bar.rate.text())
    assert "ms" in window.live_bar.latency.text()
    assert "dropped" in window.live_bar.dropped.text()
    assert window.status.phase.text() == "Live"
    key(window, "show_both")
    key(window, "layout_wipe")
    assert window.session.display.layout is ComparisonLayout.WIPE
    key(window, "boxes")
    wait_for_frames(qtbot, window)
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
    assert window.pages.currentWidget() is window.start_page
    assert not window.live_bar.isVisible()


def test_plots_and_statistics_follow_the_live_view(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    curve = window.plots._curves["x_raw"]

    def points() -> int:
        x = curve.getData()[0]
        return 0 if x is None else len(x)

    qtbot.waitUntil(lambda: points() > 20, timeout=8000)
    count = points()
    qtbot.waitUntil(lambda: points() > count, timeout=8000)
    assert window.statistics.face.currentText() == "#0"
    assert "%" in window.statistics.processed.text()


@pytest.mark.parametrize("state", ["dialog", "opening", "live", "lost", "recording", "stopped"])
def test_closing_in_any_live_state_takes_two_seconds_and_leaves_no_thread(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, state: str
) -> None:
    if state == "opening":
        device = HangingDevice()
        use_camera(window, device)
        window.live_controller.open(LiveTarget("camera:0"))
        assert device.wait_for(opened=1)
    elif state == "dialog":
        dialog = open_camera_dialog(window)
        qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    else:
        start_live_view(qtbot, window)
    if state == "lost":
        device.unplug()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.RECONNECTING)
    elif state == "recording":
        key(window, "record")
        wait_for_frames(qtbot, window)
    elif state == "stopped":
        key(window, "stop")
    window.close_questions.asks = False
    start_s = time.monotonic()
    assert window.close()
    assert time.monotonic() - start_s < 2.5
    assert window.closed_in_time
    device.unplug()  # the test ends a read that hangs in the driver
    for thread in threading.enumerate():
        if thread.name == "feed":
            thread.join(5)


def test_opening_a_video_closes_the_camera(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    window.open_path(str(square_video(tmp_path / "a.mp4")))
    qtbot.waitUntil(lambda: window.session.display.has_recording and window.view.shown is not None)
    assert window.playback_bar.isVisible()
    assert window.actions_by_name["play"].text().replace("&", "") in ("Play", "Pause")
    assert device.wait_for(released=1)
