"""When more faces are seen than are tracked, a message offers to track more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QPushButton

from steadymark.app.session.face_notes import more_faces_note
from steadymark.app.session.state import SourceState
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

SEEN = SourceState(path="/v/talk.mp4", name="talk.mp4", faces_seen=2, max_faces=1)


def test_the_message_tracks_more_faces_when_its_button_is_pressed(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    assert window.messages.texts == []
    window.more_faces.update(SEEN)
    window.more_faces.update(replace(SEEN, faces_seen=3))
    assert window.messages.texts == ["2 faces were seen in talk.mp4, and 1 of them is tracked."]
    (button,) = window.messages.findChildren(QPushButton)
    assert button.text() == "Track up to 16 faces from now on"
    with qtbot.waitSignal(window.session.recording.results_cleared, timeout=10000):
        button.click()
    assert window.session.settings.tracker.max_faces == 16
    assert window.settings.max_faces.value() == 16
    assert window.messages.texts == []


def test_the_message_comes_once_for_each_recording_and_number_of_faces(
    window: MainWindow,
) -> None:
    for state in (SEEN, replace(SEEN, max_faces=2), SourceState()):
        window.more_faces.update(state)
        window.messages.dismiss_all()
        window.more_faces.update(state)
        assert window.messages.texts == []


def test_a_note_is_made_only_if_more_faces_are_seen_than_tracked() -> None:
    assert more_faces_note(SourceState()) is None
    assert more_faces_note(replace(SEEN, faces_seen=1)) is None
    note = more_faces_note(replace(SEEN, faces_seen=5, max_faces=2))
    assert note == "5 faces were seen in talk.mp4, and 2 of them are tracked."
