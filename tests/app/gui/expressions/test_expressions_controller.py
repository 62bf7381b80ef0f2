"""The command for expressions in the real window."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from steadymark.app.gui.expressions.expressions_controller import ExpressionsController
from steadymark.engine.expressions.expression_settings import AS_MEASURED, ShapeSettings
from steadymark.engine.streaming.live_link import parse_live_link_packet
from support.fakes.stream_receivers import address_of, expressive_face, receiver
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.expressions.expressions_dialog import ExpressionsDialog
    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences
    from support.fakes.fake_live_sources import PacedDevice


def dialog_of(window: MainWindow) -> ExpressionsDialog:
    key(window, "expressions")
    dialog = window.expressions.dialog
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def test_changes_apply_to_what_is_sent_and_are_stored(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, preferences: Preferences
) -> None:
    start_live_view(qtbot, window)
    with receiver() as socket:
        sending = window.session.live.sending
        sending.set_target("livelink", place=address_of(socket), on=True)
        turned = parse_live_link_packet(socket.recv(65535)).values["HeadYaw"]
        dialog = dialog_of(window)
        dialog.mirrored.click()
        assert window.session.expressions.settings.mirrored

        def mirrored() -> bool:
            yaw = parse_live_link_packet(socket.recv(65535)).values["HeadYaw"]
            return abs(yaw + turned) < abs(yaw - turned)

        qtbot.waitUntil(mirrored)
        sending.set_target("livelink", on=False)
    dialog.reject()
    assert window.expressions.dialog is None
    again = ExpressionsController(window, session=window.session, preferences=preferences)
    assert window.session.expressions.settings.mirrored
    again.show_dialog()
    assert again.dialog is not None
    assert again.dialog.mirrored.isChecked()
    again.close()
    wait_for_frames(qtbot, window)


def test_the_bars_follow_the_shown_face(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    dialog = dialog_of(window)
    faces = {0: expressive_face({"jawOpen": 0.5}, face_id=3), 1: expressive_face({}, face_id=7)}
    monkeypatch.setattr(
        window.session.analysis, "faces", lambda index, *, both: tuple(reversed(faces.values()))
    )
    dialog.bars.choose("jawOpen")
    window.session.frame_changed.emit()
    assert dialog.controls.strengths.text() == "measured 0.50, sent 0.50"
    assert not dialog.neutral.isEnabled()
    dialog.reject()
    controller = window.expressions
    monkeypatch.setattr(controller, "_face", lambda: pytest.fail("a closed dialog costs nothing"))
    window.session.frame_changed.emit()


def test_the_neutral_face_reaches_the_tracker_and_what_is_sent(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_live_view(qtbot, window)
    chosen: list[bool] = []
    monkeypatch.setattr(window.session.live.sending, "choose_neutral", lambda: chosen.append(True))
    stream = window.session.live._open
    assert stream is not None
    tracker = stream._tracker
    monkeypatch.setattr(tracker, "choose_neutral", lambda: chosen.append(False))
    dialog = dialog_of(window)
    assert dialog.neutral.isEnabled()
    dialog.neutral.click()
    assert chosen == [False, True]
    wait_for_frames(qtbot, window)


@pytest.mark.parametrize("stored", ['{"steadymark_expressions": 1}', "[", '{"shapes": 3}'])
def test_stored_settings_that_are_not_valid_are_ignored(
    window: MainWindow, preferences: Preferences, stored: str
) -> None:
    preferences._settings.setValue("expressions", stored)
    ExpressionsController(window, session=window.session, preferences=preferences)
    assert window.session.expressions.settings == AS_MEASURED


def test_stored_settings_are_those_of_the_file_format(
    window: MainWindow, preferences: Preferences
) -> None:
    dialog = dialog_of(window)
    dialog.bars.choose("jawOpen")
    dialog.controls.boxes["gain"].setValue(1.25)
    stored = json.loads(str(preferences._settings.value("expressions")))
    assert stored["shapes"] == {"jawOpen": {"gain": 1.25, "dead_zone": 0.0, "curve": 1.0}}
    assert window.session.expressions.settings.of("jawOpen") == ShapeSettings(1.25)
