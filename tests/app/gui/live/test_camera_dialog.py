"""Cameras and addresses chosen in the real window, offscreen: a hand-made device, MJPEG."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest

from steadymark.app.gui.live import live_preferences
from steadymark.app.session.live.live_view import open_feed
from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import Phase
from support.fakes.fake_camera import mjpeg_server
from support.videos.video_corpus import number_in
from support.window.live_window_driver import CAMERA, MODES, came_on, dialog_of, use

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_a_camera_is_chosen_with_its_preview_and_opened(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened = use(window, device)
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    texts = [dialog.cameras.item(i).text() for i in range(dialog.cameras.count())]
    assert texts == ["HD Webcam   /dev/video0", "Capture card   /dev/video2"]
    qtbot.waitUntil(lambda: "320 × 240" in dialog.words.text())
    assert [dialog.mode.itemText(i) for i in range(dialog.mode.count())] == [
        "as the camera likes",
        "320 × 240, 60 fps, YUYV",
        "160 × 120, 30 fps, MJPG",
    ]
    dialog.mode.setCurrentIndex(2)
    dialog.mode.activated.emit(2)
    qtbot.waitUntil(lambda: "asked for 160x120" in dialog.words.text())
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    assert window.desk.dialog is None
    assert opened[-1] == LiveTarget("camera:/dev/video0", MODES[1])
    came_on(qtbot, window)
    assert device.opened == device.released + 1


def test_another_camera_is_previewed_when_it_is_chosen(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened = use(window, device)
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    QTest.keyClick(dialog.cameras, Qt.Key.Key_Down)
    assert dialog.preview.frame is None
    assert dialog.mode.count() > 3  # what it can do is not known: what most can
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    assert opened[-1].text == "camera:/dev/video2"
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.desk.dialog is None
    assert window.desk.devices.join(2)
    assert device.opened == device.released
    assert window.session.display.phase is Phase.EMPTY


def test_cameras_found_after_the_dialog_is_closed_begin_no_preview(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    opened, found = use(window, device), Event()
    window.desk.lister = lambda: ((CAMERA, MODES),) if found.wait(10) else ()
    dialog = dialog_of(window)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    found.set()
    assert window.desk.devices.join(2)
    QCoreApplication.sendPostedEvents(window.desk.devices)  # while the dialog still is
    assert window.desk.devices.join(2)
    assert opened == []
    assert device.opened == 0


def test_without_a_camera_the_dialog_says_what_to_do(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    window.desk.lister = tuple
    dialog = dialog_of(window)
    qtbot.waitUntil(dialog.none.isVisible)
    assert "Plug one in" in dialog.none.text()
    assert not dialog.open_button.isEnabled()
    window.desk.devices._lister = lambda: ((CAMERA, MODES),)
    dialog.again.click()
    qtbot.waitUntil(lambda: dialog.preview.frame is not None)
    assert dialog.open_button.isEnabled()


def test_an_address_can_be_typed_at_once(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    dialog = dialog_of(window)
    dialog.tabs.setCurrentIndex(1)
    qtbot.waitUntil(dialog.address.hasFocus)


def test_a_camera_in_use_says_so_in_the_dialog(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    device.plugged = False
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: "no other program uses it" in dialog.words.text())


def test_the_camera_that_is_watched_has_no_second_preview(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    window.desk.open(LiveTarget("camera:/dev/video0"))
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: "watched now" in dialog.words.text())
    assert device.opened == 1
    dialog.reject()
    came_on(qtbot, window)


def test_an_mjpeg_stream_is_watched_lost_and_found_again(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    with mjpeg_server() as server:
        dialog = dialog_of(window)
        dialog.tabs.setCurrentIndex(1)
        dialog.address.setEditText("no address")
        assert not dialog.open_button.isEnabled()
        assert "begins with" in dialog.words.text()
        dialog.address.setEditText(server.url.replace("//", "//me:secret@"))
        dialog.try_it.click()
        qtbot.waitUntil(lambda: dialog.preview.frame is not None)
        dialog.open_button.click()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
        came_on(qtbot, window)
        assert window.view.shown is not None
        assert 0 <= number_in(window.view.shown.frame.image) < 64
        assert "secret" not in window.windowTitle() + window.session.display.path
        kept = live_preferences.read(window.preferences).addresses
        assert kept == (server.url.replace("//", "//me@"),)
        server.cut.set()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.RECONNECTING, timeout=8000)
        assert "reconnecting" in window.status.phase.text()
        server.cut.clear()
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE, timeout=8000)
        came_on(qtbot, window)
        window.session.close_shown()


def test_an_address_that_does_not_answer_is_told(qtbot: QtBot, window: MainWindow) -> None:
    window.session.live.opener = open_feed
    window.desk.open(LiveTarget("http://127.0.0.1:9/video"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "refuses the connection" in window.messages.texts[0]
    assert window.pages.currentWidget() is window.empty
