"""The session with its threads, driven as the window drives it, without widgets."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.background_opening import ModelCache, needs_retracking
from steadymark.app.session.recording.crash_recovery import find_sessions
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.review import edits
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText
from support.videos.square_video import square_models, square_video, square_x

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

FRAMES = 120


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    before = set(threading.enumerate())
    session = Session(
        TrackSettings(), state_root=tmp_path / "state", models=ModelCache(square_models)
    )
    yield session
    assert session.close()
    assert set(threading.enumerate()) <= before
    assert find_sessions(tmp_path / "state") == ()


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "a.mp4", FRAMES))


def open_clip(qtbot: QtBot, session: Session, clip: str, *, paused: bool = True) -> None:
    session.open(clip)
    assert session.display.phase is Phase.OPENING
    qtbot.waitUntil(lambda: session.frame is not None)
    if paused:
        session.recording.pause()


def shows(session: Session, index: int) -> bool:
    return session.frame is not None and session.frame.index == index


def finished(session: Session) -> bool:
    return session.display.phase is Phase.FINISHED


def test_a_session_starts_empty_and_imports_no_widgets(session: Session) -> None:
    assert session.display.phase is Phase.EMPTY
    code = (
        "import sys, steadymark.app.session.session; "
        "bad = {'PySide6.QtWidgets', 'PySide6.QtGui', 'torch'} & set(sys.modules); "
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_an_opened_video_plays_and_is_tracked_to_its_end(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    session.recording.set_speed(4.0)
    open_clip(qtbot, session, clip, paused=False)
    qtbot.waitUntil(lambda: finished(session) and not session.display.playing, timeout=20000)
    assert session.display.share == 1.0
    assert session.display.frame == FRAMES - 1


def test_playing_at_the_end_starts_from_the_beginning(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    session.recording.set_speed(4.0)
    open_clip(qtbot, session, clip, paused=False)
    qtbot.waitUntil(lambda: not session.display.playing, timeout=20000)
    session.recording.play()
    qtbot.waitUntil(lambda: session.display.frame < 60)
    assert session.display.playing


def test_landmarks_belong_to_the_frame_that_is_shown(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    mismatches = []

    def record_mismatches() -> None:
        if session.frame is None or session.results is None:
            return
        faces = session.results.faces(session.frame.index)
        for face in faces or ():
            if face.raw is not None:
                centre = face.raw.xy_px[:, 0].mean()
                expected = square_x(session.frame.index)
                if abs(centre - expected) > 3:
                    mismatches.append((session.frame.index, centre, expected))

    session.frame_changed.connect(record_mismatches)
    session.recording.set_speed(4.0)
    open_clip(qtbot, session, clip, paused=False)
    session.recording.seek(90)
    qtbot.waitUntil(lambda: finished(session) and not session.display.playing, timeout=20000)
    assert mismatches == []


@pytest.mark.parametrize("index", [0, 1, 57, FRAMES - 1])
def test_seeking_shows_exactly_that_frame(
    qtbot: QtBot, session: Session, clip: str, index: int
) -> None:
    open_clip(qtbot, session, clip)
    session.recording.seek(index)
    qtbot.waitUntil(lambda: shows(session, index))


def test_steps_and_jumps_add_up_before_their_frames_are_shown(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    open_clip(qtbot, session, clip)
    session.recording.seek(10)
    for _ in range(5):
        session.recording.step(1)
    session.recording.jump(1.0)
    session.recording.step(-2)
    qtbot.waitUntil(lambda: shows(session, 10 + 5 + 25 - 2))
    session.recording.jump(-60)
    qtbot.waitUntil(lambda: shows(session, 0))


def test_a_loop_region_is_set_by_two_marks_and_removed_by_a_third(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    open_clip(qtbot, session, clip)
    session.recording.seek(30)
    qtbot.waitUntil(lambda: shows(session, 30))
    session.recording.mark_loop()
    session.recording.seek(20)
    qtbot.waitUntil(lambda: shows(session, 20))
    assert session.display.loop_start == 30
    session.recording.mark_loop()
    assert session.display.loop == (20, 30)
    session.recording.mark_loop()
    assert session.display.loop is None


def test_a_file_that_is_not_a_video_is_reported_and_the_session_stays_empty(
    qtbot: QtBot, session: Session, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    with qtbot.waitSignal(session.message_posted) as message_signal:
        session.open(str(bad))
    assert "bad.mp4" in message_signal.args[0]
    assert session.display.phase is Phase.EMPTY


def test_opening_two_files_in_a_row_shows_only_the_second(
    qtbot: QtBot, session: Session, clip: str, tmp_path: Path
) -> None:
    session.open(clip)
    other = square_video(tmp_path / "b.mp4", 30)
    session.open(str(other))
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    assert session.display.name == "b.mp4"
    assert session.display.last == 29


def test_a_filter_applies_immediately_and_a_detector_setting_needs_new_tracking(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    session.use_settings(replace(session.settings, stabilizer="none"))
    open_clip(qtbot, session, clip)
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    results = session.results
    assert results is not None
    np.testing.assert_array_equal(results.rows().raw, results.rows().stabilized)
    session.use_settings(replace(session.settings, stabilizer="one-euro"))
    assert not session.source.settings_need_retracking
    qtbot.waitUntil(lambda: not np.array_equal(results.rows().raw, results.rows().stabilized))
    session.use_settings(replace(session.settings, detector_threshold=0.3))
    assert session.source.settings_need_retracking
    session.recording.retrack()
    qtbot.waitUntil(lambda: session.results is not results and finished(session), timeout=20000)
    assert not session.source.settings_need_retracking
    assert (session.results.frame_status() == 1).all()


def test_tracking_can_be_paused_and_continued(qtbot: QtBot, session: Session, clip: str) -> None:
    open_clip(qtbot, session, clip)
    session.recording.toggle_tracking()
    qtbot.waitUntil(lambda: session.display.phase in (Phase.PAUSED, Phase.FINISHED))
    if session.display.phase is Phase.PAUSED:
        session.recording.toggle_tracking()
    qtbot.waitUntil(lambda: finished(session), timeout=20000)


def test_measures_are_computed_for_the_chosen_landmark(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    open_clip(qtbot, session, clip)
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    with qtbot.waitSignal(session.measures_changed):
        session.select(landmark=8)
    assert session.measures is not None
    assert session.measures.landmark == 8


def test_a_crashed_session_continues_where_it_stopped(
    qtbot: QtBot, session: Session, clip: str, tmp_path: Path
) -> None:
    from steadymark.app.session.recording.crash_recovery import SessionStore

    root = tmp_path / "state"
    open_clip(qtbot, session, clip)
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    results = session.results
    assert results is not None
    store = SessionStore(tmp_path / "left", clip, {})
    sink = store.sink(1, load_schema("ibug68"), lambda _: None)
    assert session.recording.current is not None
    sink.open(session.recording.current.media.info)
    for index in range(60):
        result = results.result(index)
        assert result is not None
        sink.write(result)
    sink.close(complete=False)
    store._lock.unlock()
    (found,) = find_sessions(tmp_path / "left")
    session.open(clip, recover_from=found)
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    assert session.results is not None
    restarts = np.flatnonzero(session.results.restarted())
    assert 60 in restarts
    assert root.exists()


def test_excluded_frames_are_counted_by_the_measures_only_until_they_are_excluded(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    open_clip(qtbot, session, clip)
    qtbot.waitUntil(lambda: finished(session), timeout=20000)
    counts: list[int] = []

    def note() -> None:
        if session.measures is not None:
            counts.append(session.measures.figures.face_frames.processed)

    session.measures_changed.connect(note)
    session.request_measures()
    qtbot.waitUntil(lambda: len(counts) > 0)
    whole = counts[-1]
    session.review.edit(UserText("exclude"), lambda p: edits.exclude(p, 0.0, 0.2))
    qtbot.waitUntil(lambda: 0 < counts[-1] < whole)
    session.review.undo()
    qtbot.waitUntil(lambda: counts[-1] == whole)


def test_closing_while_everything_runs_leaves_no_thread(
    qtbot: QtBot, session: Session, clip: str
) -> None:
    open_clip(qtbot, session, clip, paused=False)
    session.recording.seek(100)
    session.use_settings(replace(session.settings, stabilizer="butterworth"))
    session.request_measures()
    session.open(clip)


@pytest.mark.parametrize(
    ("model", "stabilizer", "same"),
    [
        ("heatmap1d-lite", "flow", True),
        ("heatmap1d-lite", "convlstm", False),
        ("heatmap1d-lite", "none", False),
        ("heatmap1d-tracker", "refine", True),  # the model contains its stabilizer
        ("heatmap1d-tracker", "flow", False),
    ],
)
def test_only_the_automatic_choice_itself_needs_no_new_tracking(
    model: str, stabilizer: str, *, same: bool
) -> None:
    automatic = TrackSettings(model=model)
    chosen = replace(automatic, stabilizer=stabilizer)
    assert needs_retracking(automatic, chosen) is not same
