"""A new user is told what to try, once."""

from pytestqt.qtbot import QtBot

from steadymark.app.gui.first_hint import hint_once
from steadymark.app.gui.main_window import MainWindow
from support.window.window_driver import opened


def test_the_first_picture_brings_a_hint_with_the_keys_as_they_are(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    window.actions_by_name["show_raw"].setShortcut("Ctrl+9")
    hint_once(window.session, window.preferences, window.messages, lambda: window.actions_by_name)
    assert window.messages.texts == []
    opened(qtbot, window, clip)
    (words,) = window.messages.texts
    assert "Ctrl+9 shows raw landmarks, S stabilized ones, B both" in words
    assert "Ctrl+K lists all keys" in words
    window.messages.dismiss_all()
    window.session.recording.seek(3)
    qtbot.waitUntil(lambda: window.session.display.frame == 3)
    assert window.messages.texts == []


def test_it_is_never_told_again(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    window.preferences.set_values("hints", {"first": True})
    hint_once(window.session, window.preferences, window.messages, lambda: window.actions_by_name)
    opened(qtbot, window, clip)
    assert window.messages.texts == []
