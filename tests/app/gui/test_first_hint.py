"""A new user gets a hint on what to try, once."""

from pytestqt.qtbot import QtBot

from steadymark.app.gui.first_hint import show_first_hint
from steadymark.app.gui.main_window import MainWindow
from support.window.window_driver import open_video


def test_the_first_frame_shows_a_hint_with_the_current_shortcuts(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    window.actions_by_name["show_raw"].setShortcut("Ctrl+9")
    show_first_hint(
        window.session, window.preferences, window.messages, lambda: window.actions_by_name
    )
    assert window.messages.texts == []
    open_video(qtbot, window, clip)
    (hint,) = window.messages.texts
    assert "Ctrl+9 shows raw landmarks, S stabilized ones, B both" in hint
    assert "Ctrl+K lists all shortcuts" in hint
    window.messages.dismiss_all()
    window.session.recording.seek(3)
    qtbot.waitUntil(lambda: window.session.display.frame == 3)
    assert window.messages.texts == []


def test_the_hint_is_shown_only_once(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    window.preferences.set_values("hints", {"first": True})
    show_first_hint(
        window.session, window.preferences, window.messages, lambda: window.actions_by_name
    )
    open_video(qtbot, window, clip)
    assert window.messages.texts == []
