"""Helpers of tests that operate live views in the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import Phase
from steadymark.engine.sources import CameraInfo, CameraMode
from support.fakes.fake_live_sources import PacedDevice, camera_opener
from support.window.window_driver import key

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.live.camera_dialog import CameraDialog
    from steadymark.app.gui.main_window import MainWindow

CAMERA = CameraInfo(0, "HD Webcam", "/dev/video0")
OTHER = CameraInfo(2, "Capture card", "/dev/video2")
MODES = (CameraMode(320, 240, 60, "YUYV"), CameraMode(160, 120, 30, "MJPG"))


def use_camera(window: MainWindow, device: PacedDevice) -> list[LiveTarget]:
    opened: list[LiveTarget] = []
    window.session.live.opener = camera_opener(device, opened)
    window.live_controller.find_cameras = lambda: ((CAMERA, MODES), (OTHER, ()))
    return opened


def start_live_view(qtbot: QtBot, window: MainWindow) -> None:
    window.live_controller.open(LiveTarget("camera:0"))
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    qtbot.waitUntil(lambda: window.view.shown is not None)


def wait_for_frames(qtbot: QtBot, window: MainWindow, count: int = 3) -> None:
    shown = window.view.shown
    index = count + (shown.frame.index if shown else 0)
    qtbot.waitUntil(lambda: window.view.shown is not None and shown_index(window) >= index)


def shown_index(window: MainWindow) -> int:
    return -1 if window.view.shown is None else window.view.shown.frame.index


def open_camera_dialog(window: MainWindow) -> CameraDialog:
    key(window, "open_camera")
    assert window.live_controller.dialog is not None
    return window.live_controller.dialog
