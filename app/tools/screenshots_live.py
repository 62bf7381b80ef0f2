"""Screens of cameras and streams, for `tools.screenshots`."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.app.cli.bench.live_benchmark import PacedSource, read_images
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QDialog

    from steadymark.engine.sources import LiveStatus
    from tools.screenshots import ScreenshotStudio


def shoot_live(studio: ScreenshotStudio, scheme: str, folder: Path, home: Path) -> None:
    """Capture the camera dialog, then live views: recording, lost and mirrored."""
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.engine.sources import LiveStatus

    session = studio.window.session
    session.close_source()
    statuses: list[Callable[[LiveStatus], None]] = []

    def open_camera(_: object, on_status: Callable[[LiveStatus], None], __: object) -> PacedSource:
        statuses.append(on_status)
        clip = assets_root() / "clips" / "demo.mp4"
        source = PacedSource(read_images(str(clip), (640, 480)), 30.0)
        source.info = replace(source.info, name="HD Webcam C920")
        return source

    session.live.opener = open_camera
    _shoot_dialogs(studio, scheme, folder)
    studio.window.messages.dismiss_all()
    session.open_live(LiveTarget("camera:0"))
    session.set_overlay(replace(session.display.overlay, numbers=False, crop=False))

    def shown(frames: int) -> bool:
        return session.results is not None and len(session.results.times_s) > frames

    studio.until(lambda: shown(60))
    session.live.start_recording(home)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        host, port = receiver.getsockname()
        session.live.sending.set_target("osf", place=f"{host}:{port}", on=True)
        session.live.sending.set_target("vmc", place="127.0.0.1:9", on=True)
        studio.until(lambda: shown(150))
        _shoot_sending(studio, folder / f"{scheme}_sending.png")
        studio.shoot(f"{scheme}_live")
        shoot_gaze(studio, scheme)
    session.live.set_mirrored(True)
    session.live.recorded.connect(session.results_changed)
    session.live.stop_recording()
    studio.until(lambda: bool(studio.window.messages.texts))
    statuses[-1](LiveStatus.LOST)
    studio.shoot(f"{scheme}_live_lost")
    session.live.set_mirrored(False)
    session.close_source()


def shoot_gaze(studio: ScreenshotStudio, scheme: str) -> None:
    """Capture the gaze calibration of the shown source, and in a live view a point to look at."""
    from steadymark.app.gui.gaze.target_screen import TargetScreen
    from steadymark.app.session.gaze.screen_points import ScreenSetup
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit

    controller = studio.window.gaze
    controller.show_dialog()
    dialog = controller.dialog
    assert dialog is not None
    fit = CalibrationFit(GazeCalibration("Ada"), 5.6, 1.9)
    if dialog.is_live:
        dialog.screen_form.show_setup(ScreenSetup(531.0, 299.0))
        targets = TargetScreen(ScreenSetup(531.0, 299.0), clock=iter((0.0, *(0.4,) * 99)).__next__)
        targets.resize(960, 540)
        studio.shoot_widget(targets, f"{scheme}_gaze_target")
        targets.end(complete=False)
        dialog.show_fit(fit, missed=1, count=9)
    else:
        dialog.points_form.add.click()
        dialog.points_form.target.setCurrentIndex(1)
        dialog.points_form.place_mm[0].setValue(-250)
        dialog.points_form.add.click()
        dialog.show_fit(fit)
    kind = "live" if dialog.is_live else "recording"
    studio.shoot_widget(dialog, f"{scheme}_gaze_{kind}")
    dialog.resize(dialog.minimumSizeHint())
    studio.shoot_widget(dialog, f"{scheme}_gaze_{kind}_small")
    controller.close()


def _shoot_sending(studio: ScreenshotStudio, path: Path) -> None:
    """Capture the streaming dialog with a target that is received, one that is not, and one off."""
    controller = studio.window.live_controller.streaming
    controller.show_dialog()
    assert controller.dialog is not None
    address = controller.dialog.addresses["lsl"]
    address.setText("x" * 300)
    address.editingFinished.emit()
    address.setText("Steadymark")
    _shoot(controller.dialog, path)
    controller.close()


def _shoot_dialogs(studio: ScreenshotStudio, scheme: str, folder: Path) -> None:
    from steadymark.engine.sources import CameraInfo, CameraMode

    controller, session = studio.window.live_controller, studio.window.session
    camera = CameraInfo(0, "HD Webcam C920", "/dev/video0")
    modes = (CameraMode(1280, 720, 30, "MJPG"), CameraMode(640, 480, 30, "YUYV"))
    controller.find_cameras = lambda: ((camera, modes),)
    controller.show_dialog()
    discovery = controller.discovery
    discovery.frame_changed.connect(session.results_changed)
    studio.until(lambda: discovery.frame is not None)
    _shoot(controller.dialog, folder / f"{scheme}_camera.png")
    controller.close()
    controller.find_cameras = tuple
    controller.show_dialog()
    controller.discovery.cameras_found.connect(session.results_changed)
    dialog = controller.dialog
    assert dialog is not None
    studio.until(dialog.no_camera_hint.isVisible)
    _shoot(dialog, folder / f"{scheme}_no_camera.png")
    dialog.tabs.setCurrentIndex(1)
    dialog.address.setEditText("rtsp://me@192.168.0.10/stream")
    _shoot(dialog, folder / f"{scheme}_address.png")
    controller.close()


def _shoot(dialog: QDialog | None, path: Path) -> None:
    assert dialog is not None
    dialog.grab().save(str(path))
