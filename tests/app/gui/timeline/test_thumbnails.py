"""The thumbnails of the timeline: what they show, and that they disturb nothing."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from steadymark.app.gui.timeline.picture_strip import thumbnail_frames
from steadymark.app.gui.timeline.visible_frames import VisibleFrames
from steadymark.engine.sources.picture_reader import PictureReader
from support.videos.square_video import square_video
from support.window.lane_driver import LEFT
from support.window.window_driver import key, open_video, shows

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.models.face.crop import Image

WAIT_MS = 20_000


def all_there(window: MainWindow) -> bool:
    thumbnails = window.session.thumbnails
    wanted = thumbnails._wanted
    return bool(wanted) and all(thumbnails.picture(one) is not None for one in wanted)


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the threads that decode thumbnails, one for each picture."""
    threads: list[str] = []
    read = PictureReader.picture

    def noted(reader: PictureReader, frames: range) -> Image:
        threads.append(threading.current_thread().name)
        return read(reader, frames)

    monkeypatch.setattr(PictureReader, "picture", noted)
    return threads


def test_thumbnails_are_decoded_in_a_thread_and_only_once(
    qtbot: QtBot, window: MainWindow, clip: str, decoding: list[str]
) -> None:
    open_video(qtbot, window, clip)
    line = window.playback_bar.timeline
    low = line.sizeHint().height()
    assert decoding == []
    key(window, "thumbnails")
    assert line.sizeHint().height() == low + 40
    qtbot.waitUntil(lambda: all_there(window), timeout=WAIT_MS)
    assert set(decoding) == {"thumbnails"}
    first = len(decoding)
    assert first == len(window.session.thumbnails._wanted) > 3

    whole = line.shown
    line.show_part(whole.zoomed(4, 0.5))
    qtbot.waitUntil(lambda: len(decoding) > first, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: all_there(window), timeout=WAIT_MS)
    second = len(decoding)
    line.show_part(whole)
    line.grab()
    assert all_there(window)
    assert len(decoding) == second
    key(window, "thumbnails")
    assert line.sizeHint().height() == low
    assert window.preferences.values("timeline") == {"thumbnails": False}


def test_nothing_is_decoded_while_the_video_plays(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, decoding: list[str]
) -> None:
    open_video(qtbot, window, str(square_video(tmp_path / "long.mp4", 600)), tracked=False)
    window.session.recording.play()
    key(window, "thumbnails")
    qtbot.waitUntil(lambda: bool(window.session.thumbnails._wanted), timeout=WAIT_MS)
    start = window.session.display.frame
    qtbot.waitUntil(lambda: window.session.display.frame > start + 10, timeout=WAIT_MS)
    assert window.session.display.playing
    assert decoding == []
    window.session.recording.pause()
    qtbot.waitUntil(lambda: all_there(window), timeout=WAIT_MS)


def test_a_low_window_has_no_thumbnails_and_a_press_on_one_seeks(
    qtbot: QtBot, window: MainWindow, clip: str, decoding: list[str]
) -> None:
    open_video(qtbot, window, clip)
    line = window.playback_bar.timeline
    key(window, "thumbnails")
    high = line.sizeHint().height()
    qtbot.waitUntil(lambda: line.height() == high)
    at = QPoint(round(line.x_of(60)), round(line._layout().pictures.center().y()))
    QTest.mouseClick(line, LEFT, pos=at)
    qtbot.waitUntil(lambda: shows(window, 60))
    line.make_room(in_high_window=False)
    assert line.sizeHint().height() < high - 30


def test_another_recording_has_thumbnails_of_its_own(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    key(window, "thumbnails")
    qtbot.waitUntil(lambda: all_there(window), timeout=WAIT_MS)
    other = str(square_video(tmp_path / "b.mp4", 30))
    open_video(qtbot, window, other)
    qtbot.waitUntil(lambda: all_there(window), timeout=WAIT_MS)
    assert window.session.thumbnails._wanted[-1].stop == 30
    window.session.close_source()
    assert window.session.thumbnails._worker is None


def test_the_ranges_cover_the_shown_part_and_stay_when_it_is_moved() -> None:
    shown = VisibleFrames.whole(1000)
    frames = thumbnail_frames(800, 16 / 9, shown)
    assert frames[0].start == 0
    assert frames[-1].stop == 1000
    assert all(a.stop == b.start for a, b in itertools.pairwise(frames))
    zoomed = shown.zoomed(3.0, 0.5)
    here, there = (thumbnail_frames(800, 16 / 9, part) for part in (zoomed, zoomed.panned(40)))
    assert len(set(here) & set(there)) >= len(here) - 3
    assert thumbnail_frames(800, 1.0, VisibleFrames.whole(0)) == []
