"""Cameras and addresses chosen in the real window, offscreen: a fake device and MJPEG."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest

from steadymark.app.gui.live import live_preferences
from steadymark.app.session.live.open_stream import LiveTarget, open_feed
from steadymark.app.session.state import Phase
from support.fakes.fake_camera import mjpeg_server
from support.videos.video_corpus import number_in
from support.window.live_window_driver import (
    CAMERA,
    MODES,
    open_camera_dialog,
    use_camera,
    wait_for_frames,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_a_camera_is_chosen_with_its_preview_and_opened(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened_targets = use_camera(window, device)
    dialog = open_camera_dialog(window)
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    texts = [dialog.cameras.item(i).text() for i in range(dialog.cameras.count())]
    assert texts == ["HD Webcam   /dev/video0", "Capture card   /dev/video2"]
    qtbot.waitUntil(lambda: "320 × 240" in dialog.status.text())
    assert [dialog.mode.itemText(i) for i in range(dialog.mode.count())] == [
        "default of the camera",
        "320 × 240, 60 fps, YUYV",
        "160 × 120, 30 fps, MJPG",
    ]
    dialog.mode.setCurrentIndex(2)
    dialog.mode.activated.emit(2)
    qtbot.waitUntil(lambda: "requested 160x120" in dialog.status.text())
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    assert window.live_controller.dialog is None
    assert opened_targets[-1] == LiveTarget("camera:/dev/video0", MODES[1])
    wait_for_frames(qtbot, window)
    assert device.opened == device.released + 1


def test_choosing_another_camera_shows_its_preview(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened_targets = use_camera(window, device)
    dialog = open_camera_dialog(window)
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    QTest.keyClick(dialog.cameras, Qt.Key.Key_Down)
    assert dialog.preview.frame is None
    assert dialog.mode.count() > 3  # its modes are unknown, so common ones are offered
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    assert opened_targets[-1].text == "camera:/dev/video2"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.live_controller.dialog is None
    assert window.live_controller.discovery.join(2)
    assert device.opened == device.released
    assert window.session.display.phase is Phase.EMPTY


def test_cameras_found_after_the_dialog_is_closed_start_no_preview(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened_targets, cameras_found = use_camera(window, device), Event()
    window.live_controller.find_cameras = lambda: (
        ((CAMERA, MODES),) if cameras_found.wait(10) else ()
    )
    dialog = open_camera_dialog(window)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    cameras_found.set()
    assert window.live_controller.discovery.join(2)
    QCoreApplication.sendPostedEvents(
        window.live_controller.discovery
    )  # while the dialog still exists
    assert window.live_controller.discovery.join(2)
    assert opened_targets == []
    assert device.opened == 0


def test_without_a_camera_the_dialog_says_what_to_do(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    window.live_controller.find_cameras = tuple
    dialog = open_camera_dialog(window)
    qtbot.waitUntil(dialog.no_camera_hint.isVisible)
    assert "Connect one" in dialog.no_camera_hint.text()
    assert not dialog.open_button.isEnabled()
    window.live_controller.discovery._find_cameras = lambda: ((CAMERA, MODES),)
    dialog.search_button.click()
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    assert dialog.open_button.isEnabled()


def test_the_address_field_has_the_focus(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    dialog = open_camera_dialog(window)
    dialog.tabs.setCurrentIndex(1)
    qtbot.waitUntil(dialog.address.hasFocus)


def test_the_dialog_reports_a_camera_that_cannot_be_opened(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    device.plugged = False
    dialog = open_camera_dialog(window)
    qtbot.waitUntil(lambda: "no other program uses it" in dialog.status.text())


def test_the_camera_of_the_live_view_is_not_opened_a_second_time(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    window.live_controller.open(LiveTarget("camera:/dev/video0"))
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    dialog = open_camera_dialog(window)
    qtbot.waitUntil(lambda: "open already" in dialog.status.text())
    assert device.opened == 1
    dialog.reject()
    wait_for_frames(qtbot, window)


def test_an_mjpeg_stream_is_shown_and_reconnects_after_it_is_lost(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    with mjpeg_server() as server:
        dialog = open_camera_dialog(window)
        dialog.tabs.setCurrentIndex(1)
        dialog.address.setEditText("no address")
        assert not dialog.open_button.isEnabled()
        assert "begin with" in dialog.status.text()
        dialog.address.setEditText(server.url.replace("//", "//me:secret@"))
        dialog.preview_button.click()
        qtbot.waitUntil(lambda: dialog.preview.frame is not None)
        dialog.open_button.click()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
        wait_for_frames(qtbot, window)
        assert window.view.shown is not None
        assert 0 <= number_in(window.view.shown.frame.image) < 64
        assert "secret" not in window.windowTitle() + window.session.display.path
        stored_addresses = live_preferences.read(window.preferences).addresses
        assert stored_addresses == (server.url.replace("//", "//me@"),)
        server.cut.set()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.RECONNECTING, timeout=8000)
        assert "reconnecting" in window.status.phase.text()
        server.cut.clear()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE, timeout=8000)
        wait_for_frames(qtbot, window)
        window.session.close_source()


def test_an_address_that_does_not_answer_is_reported(qtbot: QtBot, window: MainWindow) -> None:
    window.session.live.opener = open_feed
    window.live_controller.open(LiveTarget("http://127.0.0.1:9/video"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "connection was refused" in window.messages.texts[0]
    assert window.pages.currentWidget() is window.start_page
