"""Messages lie over the picture; successes go away by themselves, and errors stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from steadymark.app.session.export import ExportKind
from steadymark.app.session.state import Phase
from support.videos.square_video import square_ground_truth, square_video, write_ground_truth
from support.window.live_window_driver import start_live_view
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice


def test_a_success_goes_away_and_an_error_stays(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.messages.passing_ms = 300
    open_video(qtbot, window, clip)
    window.messages.show_message("the disk is full")
    window.files.export(ExportKind.TABLE, tmp_path / "out.csv")
    qtbot.waitUntil(lambda: window.messages.texts == ["out.csv was written.", "the disk is full"])
    qtbot.waitUntil(lambda: window.messages.texts == ["the disk is full"])


def test_messages_lie_over_the_picture_and_do_not_shrink_it(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    before, top = window.view.size(), window.view.mapTo(window, QPoint(0, 0))
    for text in ("one", "two " * 200, "three"):
        window.messages.show_message(text)
    qtbot.wait(50)
    assert window.messages.isVisible()
    assert window.view.size() == before
    assert window.messages.mapTo(window, QPoint(0, 0)) == top
    window.resize(900, 600)
    qtbot.waitUntil(lambda: window.messages.width() == window.view.width())
    narrow = window.view.size()
    window.messages.dismiss_all()
    qtbot.wait(50)
    assert not window.messages.isVisible()
    assert window.view.size() == narrow


def test_a_file_that_cannot_be_opened_leaves_the_recording_open_and_playing(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    window.session.recording.play()
    results = window.session.results
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    window.open_path(str(bad))
    window._refresh_now()
    assert window.status.phase.text() == "Opening bad.mp4…"
    assert window.session.display.playing
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert "bad.mp4" in window.messages.texts[0]
    assert window.session.results is results
    assert window.session.display.path == clip
    assert window.session.display.playing
    window._refresh_now()
    assert window.status.phase.text().startswith("All frames processed, ")


def test_a_file_that_cannot_be_opened_leaves_the_live_view_running(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    window.open_path(str(tmp_path / "missing.mp4"))
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.session.display.phase is Phase.LIVE
    assert device.released == 0


def test_ground_truth_that_is_dropped_with_a_recording_is_not_loaded_for_the_open_one(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    other = str(square_video(tmp_path / "b.mp4", 40))
    truth = write_ground_truth(tmp_path / "points.csv", square_ground_truth(40))
    window.open_path(other)
    assert window.session.analysis.load_ground_truth(truth)
    qtbot.waitUntil(lambda: window.session.display.truth != "")
    assert window.session.display.path == other
    assert window.messages.texts == []
