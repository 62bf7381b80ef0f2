"""Cameras and streams in the real window, offscreen: a hand-made device, and MJPEG on loopback."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from corpus import number_in
from fake_camera import mjpeg_server
from fake_live import HangingDevice, PacedDevice, camera_opener
from square_film import square_video
from steadymark.app.session.live import open_feed
from steadymark.app.session.open_live import LiveTarget
from steadymark.app.session.state import Layout, Phase
from steadymark.app.window import live_preferences
from steadymark.app.window.commands import COMMANDS
from steadymark.app.window.viewport import Viewport
from steadymark.engine.recording.reading import read_landmarks
from steadymark.engine.sources import CameraInfo, CameraMode

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.window.camera_dialog import CameraDialog
    from steadymark.app.window.main_window import MainWindow

CAMERA = CameraInfo(0, "HD Webcam", "/dev/video0")
OTHER = CameraInfo(2, "Capture card", "/dev/video2")
MODES = (CameraMode(320, 240, 60, "YUYV"), CameraMode(160, 120, 30, "MJPG"))


def key(window: MainWindow, name: str) -> None:
    """Press the first key of a command, as a user would."""
    command = next(c for c in COMMANDS if c.name == name)
    QTest.keySequence(window, QKeySequence(command.keys[0]))


@pytest.fixture
def device(window: MainWindow, tmp_path: Path) -> PacedDevice:
    """Behind every camera of the window."""
    device = PacedDevice()
    use(window, device)
    folder = tmp_path / "recordings"
    folder.mkdir()
    window.desk._keep(replace(window.desk.kept, folder=str(folder)))
    return device


def use(window: MainWindow, device: PacedDevice) -> list[LiveTarget]:
    opened: list[LiveTarget] = []
    window.session.live.opener = camera_opener(device, opened)
    window.desk.lister = lambda: ((CAMERA, MODES), (OTHER, ()))
    return opened


def watched(qtbot: QtBot, window: MainWindow) -> None:
    window.desk.open(LiveTarget("camera:0"))
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
    qtbot.waitUntil(lambda: window.view.shown is not None)


def came_on(qtbot: QtBot, window: MainWindow, pictures: int = 3) -> None:
    shown = window.view.shown
    index = pictures + (shown.frame.index if shown else 0)
    qtbot.waitUntil(lambda: window.view.shown is not None and number(window) >= index)


def number(window: MainWindow) -> int:
    return -1 if window.view.shown is None else window.view.shown.frame.index


def dialog_of(window: MainWindow) -> CameraDialog:
    key(window, "open_camera")
    assert window.desk.dialog is not None
    return window.desk.dialog


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
        window.session.close_film()


def test_a_stream_that_stands_still_is_quit_in_time(qtbot: QtBot, window: MainWindow) -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 20, True
        window.desk.open(LiveTarget(server.url))
        qtbot.waitUntil(lambda: window.view.shown is not None)
        begun_s = time.monotonic()
        assert window.close()
        assert window.closed_in_time
        assert time.monotonic() - begun_s < 2.5


def test_an_address_that_does_not_answer_is_told(qtbot: QtBot, window: MainWindow) -> None:
    window.session.live.opener = open_feed
    window.desk.open(LiveTarget("http://127.0.0.1:9/video"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "refuses the connection" in window.messages.texts[0]
    assert window.pages.currentWidget() is window.empty


def test_watching_is_driven_by_keys_and_told_in_the_bar(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    watched(qtbot, window)
    assert window.live_bar.isVisible()
    assert not window.transport.isVisible()
    assert window.plots_dock.isVisible()
    qtbot.waitUntil(lambda: "–" not in window.live_bar.late.text() + window.live_bar.rate.text())
    assert "ms" in window.live_bar.late.text()
    assert "dropped" in window.live_bar.dropped.text()
    assert window.status.phase.text() == "Live"
    key(window, "show_both")
    key(window, "layout_wipe")
    assert window.session.display.layout is Layout.WIPE
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


def test_what_is_recorded_by_key_is_told_with_its_names(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    key(window, "record")
    assert window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: "● 0:0" in window.live_bar.recording.text())
    came_on(qtbot, window, 10)
    key(window, "record")
    assert not window.actions_by_name["record"].isChecked()
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    video, table = sorted(tmp_path.glob("recordings/*.mp4")) + sorted(
        tmp_path.glob("recordings/*.csv")
    )
    assert f"{video.name} and {table.name} are written" in window.messages.texts[0]
    assert len(read_landmarks(table).frame) >= 5
    came_on(qtbot, window)
    buttons = window.messages._shown[0].findChildren(QPushButton)
    next(b for b in buttons if b.text() == "Open").click()
    qtbot.waitUntil(lambda: window.session.display.has_film)
    assert not window.live_bar.isVisible()


def test_a_folder_that_is_gone_is_told_and_the_view_goes_on(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    window.desk._keep(replace(window.desk.kept, folder=str(tmp_path / "nowhere")))
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "the folder does not exist" in window.messages.texts[0]
    assert not window.actions_by_name["record"].isChecked()
    came_on(qtbot, window)


def test_recordings_go_where_videos_are_kept_which_is_made_and_told(
    qtbot: QtBot,
    window: MainWindow,
    device: PacedDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    movies = tmp_path / "home" / "Videos"
    monkeypatch.setattr(live_preferences, "default_folder", lambda: str(movies))
    window.desk._keep(replace(window.desk.kept, folder=str(movies)))
    assert str(movies) in window.actions_by_name["record"].toolTip()
    watched(qtbot, window)
    key(window, "record")
    came_on(qtbot, window)
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert len(list(movies.iterdir())) == 2


def test_the_view_is_mirrored_and_nothing_else(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    watched(qtbot, window)
    key(window, "mirror")
    came_on(qtbot, window)
    shown, port = window.view.shown, window.view.viewport()
    assert shown is not None
    assert shown.faces
    assert shown.faces[0].raw is not None
    assert port.flip == 320
    key(window, "stop")
    shown = window.view.shown
    assert shown is not None
    left, right = (int(f(np.flatnonzero(shown.frame.image[100, :, 0]))) for f in (np.min, np.max))
    around = [left - 6, left + 6, right - 6, right + 6]
    at = port.to_view(np.array([[float(x), 100.0] for x in around]))
    window.session.set_show(type(window.session.display.show).OFF)
    picture = window.view.grab().toImage()

    ratio = window.view.devicePixelRatioF()
    seen = [picture.pixelColor(QPoint(round(x * ratio), round(y * ratio))) for x, y in at]
    assert [colour.lightness() > 100 for colour in seen] == [False, True, True, False]
    assert live_preferences.read(window.preferences).mirrored


def test_a_mirrored_viewport_and_its_way_back() -> None:
    port = Viewport(2.0, 10.0, 20.0, flip=320)
    plain = Viewport(2.0, 10.0, 20.0)
    xy = np.array([[0.0, 5.0], [319.0, 5.0]])
    assert np.allclose(port.to_view(xy)[::-1], plain.to_view(xy))
    assert np.allclose([port.to_frame(*p) for p in port.to_view(xy)], xy)
    assert port.zoomed(2, 30, 40).flip == 320
    assert port.moved(1, 1).flip == 320


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


def test_random_commands_while_live_end_in_no_error(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    left_out = {
        "quit", "open", "open_folder", "export_csv", "export_openface", "export_video",
        "export_frame", "export_plots", "log", "about", "full_screen", "record_folder",
    }  # fmt: skip
    names = [c.name for c in COMMANDS if c.name not in left_out] + ["record", "play"] * 4
    clip = str(square_video(tmp_path / "a.mp4"))
    chance = random.Random(3)
    told: list[str] = []
    window.session.told.connect(told.append)
    for turn in range(150):
        if turn % 25 == 0 or window.session.display.phase is Phase.EMPTY:
            if chance.random() < 0.2:
                window.open_path(clip)
                qtbot.waitUntil(lambda: window.view.shown is not None)
            else:
                device.plug_in()
                watched(qtbot, window)
        if turn % 10 == 7:
            chance.choice([device.unplug, device.plug_in, device.plug_in])()
        action = window.actions_by_name[chance.choice(names)]
        if action.isEnabled():
            action.trigger()
        QApplication.processEvents()
    assert not any("Error" in text or "unexpected" in text for text in told)
    device.plug_in()
    watched(qtbot, window)


def test_a_video_takes_the_place_of_a_camera(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    watched(qtbot, window)
    window.open_path(str(square_video(tmp_path / "a.mp4")))
    qtbot.waitUntil(lambda: window.session.display.has_film and window.view.shown is not None)
    assert window.transport.isVisible()
    assert window.actions_by_name["play"].text().replace("&", "") in ("Play", "Pause")
    assert device.wait_for(released=1)
