"""Recordings and live views obey one protocol, and the session shows the one opened last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.session.shown_source import ShownSource, TrackingProgress
from steadymark.app.session.state import Phase
from support.videos.square_video import square_video
from support.window.live_session_driver import start_live_view, wait_for_frames

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session


def shows_live_view(session: Session) -> bool:
    return session.source is session.live


def test_a_source_with_nothing_open_has_nothing_and_ignores_commands(session: Session) -> None:
    sources: tuple[ShownSource, ...] = (session.recording, session.live)
    for source in sources:
        source.toggle()
        source.stop()
        source.use_settings(session.settings)
        source.close()
        assert source.state.phase is Phase.EMPTY
        assert (source.frame, source.results, source.models) == (None, None, None)
        assert source.progress() == TrackingProgress()
        assert not source.settings_need_retracking
        assert not source.comparable
    assert not session.display.has_source


def test_the_session_shows_the_recording_or_live_view_that_was_opened_last(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    path = square_video(tmp_path / "a.mp4", 40)
    session.open(str(path))
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED and session.frame is not None)
    assert not shows_live_view(session)
    assert session.source.comparable
    assert session.source.progress().share == 1.0
    assert session.source.progress().frames == 40
    start_live_view(qtbot, session)
    assert shows_live_view(session)
    assert session.recording.results is None
    assert session.results is session.live.results
    assert not session.source.comparable
    session.open(str(path))
    assert shows_live_view(session)  # until the recording is open
    qtbot.waitUntil(lambda: not shows_live_view(session))
    assert session.live.results is None
    qtbot.waitUntil(lambda: session.frame is not None)


def test_the_progress_of_a_live_view_counts_the_pictures_that_came(
    qtbot: QtBot, session: Session
) -> None:
    start_live_view(qtbot, session)
    wait_for_frames(qtbot, session)
    progress = session.source.progress()
    assert progress.frames >= 3
    assert 0 < progress.share <= 1
    assert progress.time_s > 0


def test_files_are_named_after_the_recording_or_the_camera_and_the_shown_frame(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    path = square_video(tmp_path / "a.mp4", 40)
    session.open(str(path))
    qtbot.waitUntil(lambda: session.frame is not None)
    session.recording.pause()
    session.recording.seek(7)
    qtbot.waitUntil(lambda: session.display.frame == 7)
    assert session.source.export_base("elsewhere") == str(path)
    assert session.source.frame_name() == "7"
    start_live_view(qtbot, session)
    base = Path(session.source.export_base("elsewhere"))
    assert base == Path("elsewhere") / f"{session.display.name}.mp4"
    assert len(session.source.frame_name()) == len("20000101-120000")
