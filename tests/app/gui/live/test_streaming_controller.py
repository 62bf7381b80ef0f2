"""Streaming to other programs, chosen in the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.application import open_recording
from steadymark.app.gui.live.streaming_controller import StreamingController
from steadymark.app.session.state import Phase
from steadymark.engine.streaming.neutral_face import NeutralFace
from steadymark.engine.streaming.osf import parse_osf_packet
from steadymark.engine.streaming.targets import TARGETS, parse_target
from support.fakes.stream_receivers import address_of, free_address, receiver
from support.window.live_window_driver import start_live_view, wait_for_frames
from support.window.window_driver import key

if TYPE_CHECKING:
    import pytest
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.live.streaming_dialog import StreamingDialog
    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def activate(qtbot: QtBot, widget: QWidget) -> None:
    """Activate a window, so that it receives the keys."""
    widget.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is widget)


def dialog_of(qtbot: QtBot, window: MainWindow) -> StreamingDialog:
    key(window, "send")
    dialog = window.live_controller.streaming.dialog
    assert dialog is not None
    activate(qtbot, dialog)
    return dialog


def type_address(dialog: StreamingDialog, kind: str, address: str) -> None:
    dialog.addresses[kind].setFocus()
    dialog.addresses[kind].selectAll()
    QTest.keyClicks(dialog.addresses[kind], address)
    QTest.keyClick(dialog.addresses[kind], Qt.Key.Key_Return)


def test_a_target_switched_on_by_key_receives_packets_and_shows_its_state(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    assert window.live_bar.sending.text() == ""
    dialog = dialog_of(qtbot, window)
    assert {label.text() for label in dialog.states.values()} == {"off"}
    with receiver() as socket:
        type_address(dialog, "osf", address_of(socket))
        assert dialog.isVisible()
        dialog.check_boxes["osf"].setFocus()
        QTest.keyClick(dialog.check_boxes["osf"], Qt.Key.Key_Space)
        assert parse_osf_packet(socket.recv(65535))
        qtbot.waitUntil(lambda: "packets/s" in dialog.states["osf"].text())
        qtbot.waitUntil(lambda: "OpenSeeFace" in window.live_bar.sending.text())
        assert window.actions_by_name["send"].isChecked()
        assert "packets/s" in window.actions_by_name["send"].toolTip()
        dialog.reject()
        activate(qtbot, window)
        assert parse_osf_packet(socket.recv(65535))  # sending continues
        dialog = dialog_of(qtbot, window)
        dialog.check_boxes["osf"].click()
    assert window.live_bar.sending.text() == ""
    assert not window.actions_by_name["send"].isChecked()
    wait_for_frames(qtbot, window)


def test_the_neutral_face_of_expressions_is_chosen_while_they_are_sent(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[NeutralFace] = []
    monkeypatch.setattr(NeutralFace, "choose_next", lambda self: chosen.append(self))
    start_live_view(qtbot, window)
    dialog = dialog_of(qtbot, window)
    assert not dialog.neutral.isEnabled()
    with receiver() as socket:
        type_address(dialog, "osf", address_of(socket))
        dialog.check_boxes["osf"].click()
        qtbot.waitUntil(dialog.neutral.isEnabled)
        dialog.neutral.click()
        qtbot.waitUntil(lambda: len(chosen) == 1)
        dialog.check_boxes["osf"].click()
    wait_for_frames(qtbot, window)
    assert len(chosen) == 1


def test_a_target_without_a_listener_is_reported(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    start_live_view(qtbot, window)
    dialog = dialog_of(qtbot, window)
    type_address(dialog, "vmc", free_address())
    dialog.check_boxes["vmc"].click()
    qtbot.waitUntil(lambda: "no receiver" in dialog.states["vmc"].text())
    qtbot.waitUntil(lambda: "VMC: no receiver" in window.live_bar.sending.text())
    assert window.messages.texts == []
    wait_for_frames(qtbot, window)


def test_an_invalid_address_is_reported_in_the_dialog_and_switches_the_target_off(
    qtbot: QtBot, window: MainWindow
) -> None:
    dialog = dialog_of(qtbot, window)
    dialog.check_boxes["osf"].click()
    assert dialog.states["osf"].text() == "starts with the live view"
    type_address(dialog, "osf", "here:99999")
    assert "port from 1 to 65535" in dialog.fault.text()
    assert dialog.fault.isVisible()
    assert not dialog.check_boxes["osf"].isChecked()
    dialog.refresh()
    assert dialog.addresses["osf"].text() == "here:99999"  # the user can correct it
    type_address(dialog, "osf", "127.0.0.1:1234")
    assert not dialog.fault.isVisible()


def test_addresses_are_stored_but_nothing_is_sent_after_a_restart(
    qtbot: QtBot, window: MainWindow
) -> None:
    dialog = dialog_of(qtbot, window)
    type_address(dialog, "lsl", "Face of the day")
    dialog.check_boxes["lsl"].click()
    sending = window.session.live.sending
    sending.set_target("vmc", place="192.168.1.5:1", on=True)  # for this start only
    stored = window.preferences.values("sending")
    assert stored == {"lsl": {"place": "Face of the day"}}
    for kind in TARGETS.names():
        sending.set_target(kind, place="", on=False)
    invalid = {"osf": {"on": True, "place": "a:0"}, "vmc": 3, "udp": {"on": True}}
    window.preferences.set_values("sending", {**stored, **invalid})
    restored = StreamingController(window, session=window.session, preferences=window.preferences)
    facts = {f.kind: f for f in sending.target_states()}
    assert facts["lsl"].place == "Face of the day"
    assert facts["osf"].place != "a:0"
    assert [f.kind for f in sending.target_states() if f.on] == []
    restored.deleteLater()


def test_targets_of_the_command_line_are_not_stored(
    qtbot: QtBot, window: MainWindow, device: PacedDevice
) -> None:
    with receiver() as socket:
        target = parse_target(f"osf://{address_of(socket)}")
        open_recording(window, "camera:0", None, [target])
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.LIVE)
        assert parse_osf_packet(socket.recv(65535))
    assert window.preferences.values("sending") == {}
    wait_for_frames(qtbot, window)


def test_the_dialog_has_a_row_for_every_kind_of_target(qtbot: QtBot, window: MainWindow) -> None:
    dialog = dialog_of(qtbot, window)
    for kind in TARGETS.all():
        assert dialog.check_boxes[kind.name].text() == kind.label
        assert dialog.check_boxes[kind.name].toolTip() == kind.help
        assert dialog.addresses[kind.name].text() == kind.place


def test_options_of_a_target_are_chosen_in_boxes_and_in_the_address(
    qtbot: QtBot, window: MainWindow
) -> None:
    dialog, sending = dialog_of(qtbot, window), window.session.live.sending
    boxes = dialog.options["vmc"].boxes
    assert list(boxes) == ["shapes", "position"]
    assert not dialog.options["osf"].boxes

    def place() -> str:
        return next(f.place for f in sending.target_states() if f.kind == "vmc")

    boxes["shapes"].setCurrentIndex(boxes["shapes"].findData("vrm"))
    boxes["shapes"].activated.emit(boxes["shapes"].currentIndex())
    assert place() == "127.0.0.1:39540?shapes=vrm"
    type_address(dialog, "vmc", "10.0.0.5:39539")
    assert place() == "10.0.0.5:39539?shapes=vrm"
    type_address(dialog, "vmc", "10.0.0.5:39539?position=none")
    assert place() == "10.0.0.5:39539?position=none"
    assert boxes["shapes"].currentData() == "arkit"
    assert boxes["position"].currentData() == "none"
    dialog.setFocus()
    dialog.refresh()
    assert dialog.addresses["vmc"].text() == "10.0.0.5:39539"
    type_address(dialog, "vmc", "10.0.0.5:39539?colour=red")
    assert "'colour=red' is no option" in dialog.fault.text()
