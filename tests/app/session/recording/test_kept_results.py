"""Finished tracking is kept, and shown again when the same recording is opened."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.recording import kept_results
from steadymark.app.session.recording.crash_recovery import (
    SessionStore,
    find_sessions,
    sessions_in,
)
from steadymark.app.session.recording.kept_results import (
    delete_kept,
    kept_bytes,
    results_fingerprint,
)
from steadymark.app.session.recording.media import Media
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings
from support.fakes.fake_results import moving_results, source_info
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

FRAMES = 60
DEFAULTS = TrackSettings()


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "a.mp4", FRAMES))


class TrackedFrames:
    """Opens sessions one after the other and counts the frames that their networks track."""

    def __init__(self, qtbot: QtBot, root: Path) -> None:
        self._qtbot, self.root = qtbot, root
        self.sessions: list[Session] = []

    def open(self, clip: str, settings: TrackSettings = DEFAULTS) -> Session:
        """Close the session before, as at the end of the program, and open the recording."""
        self.close()
        session = Session(settings, state_root=self.root, models=ModelCache(square_models))
        self.sessions.append(session)
        session.open(clip)
        self._qtbot.waitUntil(lambda: session.display.phase is not Phase.OPENING)
        return session

    def finish(self, session: Session) -> None:
        self._qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED, timeout=20000)

    def close(self) -> None:
        if self.sessions:
            assert self.sessions.pop().close()


@pytest.fixture
def runs(qtbot: QtBot, tmp_path: Path) -> Iterator[TrackedFrames]:
    runs = TrackedFrames(qtbot, tmp_path / "state")
    yield runs
    runs.close()


def was_tracked(session: Session) -> bool:
    """Whether this program tracked a frame: kept results hold no tracking times."""
    assert session.results is not None
    return bool(np.isfinite(session.results.stage_ms()).any())


def points(session: Session) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    assert session.results is not None
    rows = session.results.rows()
    return rows.stabilized[np.argsort(rows.frame, kind="stable")]


def test_a_finished_recording_is_not_tracked_again_when_it_is_reopened(
    runs: TrackedFrames, clip: str
) -> None:
    first = runs.open(clip)
    runs.finish(first)
    assert was_tracked(first)
    assert first.display.kept_since_s == 0
    before = points(first)
    second = runs.open(clip)
    runs.finish(second)
    assert not was_tracked(second)
    assert second.results is not None
    assert second.display.share == 1.0
    assert time.time() - 60 < second.display.kept_since_s <= time.time()
    np.testing.assert_allclose(points(second), before, atol=0.006)
    faces = [face for i in range(FRAMES) for face in second.results.faces(i) or ()]
    assert all(face.crop is not None for face in faces if face.raw is not None)
    third = runs.open(clip)
    runs.finish(third)
    assert not was_tracked(third)  # they are kept again


def test_closing_and_reopening_in_the_same_window_shows_the_kept_results(
    qtbot: QtBot, runs: TrackedFrames, clip: str
) -> None:
    session = runs.open(clip)
    runs.finish(session)
    session.close_source()
    session.open(clip)
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED)
    assert not was_tracked(session)


def test_kept_results_are_not_offered_for_recovery(runs: TrackedFrames, clip: str) -> None:
    runs.finish(runs.open(clip))
    runs.close()
    assert find_sessions(runs.root) == ()
    assert len(sessions_in(runs.root)) == 1


def test_an_unfinished_tracking_is_not_kept(runs: TrackedFrames, clip: str) -> None:
    session = runs.open(clip)
    session.recording.toggle_tracking()
    runs.close()
    assert sessions_in(runs.root) == ()


@pytest.mark.parametrize("change", ["content", "time"])
def test_a_changed_file_is_tracked_again(runs: TrackedFrames, clip: str, change: str) -> None:
    runs.finish(runs.open(clip))
    runs.close()
    stat = Path(clip).stat()
    if change == "time":
        os.utime(clip, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    else:  # another size at the same time
        with Path(clip).open("ab") as file:
            file.write(b"\0" * 8)
        os.utime(clip, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    session = runs.open(clip)
    runs.finish(session)
    assert was_tracked(session)


def test_results_of_a_file_that_changed_while_it_was_open_are_not_kept(
    runs: TrackedFrames, clip: str
) -> None:
    runs.finish(runs.open(clip))
    stat = Path(clip).stat()
    os.utime(clip, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    runs.close()
    assert sessions_in(runs.root) == ()


@pytest.mark.parametrize(
    "changed",
    [
        TrackSettings(detector_threshold=0.7),
        TrackSettings(tracker=replace(TrackSettings().tracker, look_every=3)),
        TrackSettings(focal_px=500.0),
    ],
)
def test_other_settings_track_again(runs: TrackedFrames, clip: str, changed: TrackSettings) -> None:
    runs.finish(runs.open(clip))
    session = runs.open(clip, changed)
    runs.finish(session)
    assert was_tracked(session)


def test_another_filter_is_applied_to_the_kept_results(runs: TrackedFrames, clip: str) -> None:
    strong = TrackSettings(
        stabilizer="one-euro", filters=(choose("one-euro", min_cutoff_hz=0.05, beta=0.0),)
    )
    runs.finish(runs.open(clip, strong))
    expected = points(runs.sessions[0])
    runs.finish(runs.open(clip, TrackSettings(stabilizer="none")))
    raw = points(runs.sessions[0])
    session = runs.open(clip, strong)
    runs.finish(session)
    assert not was_tracked(session)
    np.testing.assert_allclose(points(session), expected, atol=0.01)
    assert np.nanmax(np.abs(expected - raw)) > 1


def test_tracking_again_replaces_kept_results(qtbot: QtBot, runs: TrackedFrames, clip: str) -> None:
    runs.finish(runs.open(clip))
    session = runs.open(clip)
    runs.finish(session)
    with qtbot.waitSignal(session.recording.results_cleared):
        session.recording.retrack()
    runs.finish(session)
    assert was_tracked(session)
    assert session.display.kept_since_s == 0


def test_damaged_kept_results_are_removed_and_the_recording_is_tracked(
    runs: TrackedFrames, clip: str
) -> None:
    runs.finish(runs.open(clip))
    runs.close()
    (kept,) = sessions_in(runs.root)
    (table,) = kept.folder.glob("piece-*")
    table.write_bytes(table.read_bytes()[: table.stat().st_size // 2])
    session = runs.open(clip)
    runs.finish(session)
    assert was_tracked(session)
    runs.close()
    assert [s.folder == kept.folder for s in sessions_in(runs.root)] == [False]


def test_the_oldest_kept_results_are_dropped_when_they_take_too_much_space(
    runs: TrackedFrames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = [str(square_video(tmp_path / f"{name}.mp4", 30)) for name in "abc"]
    runs.finish(runs.open(clips[0]))
    runs.close()
    monkeypatch.setattr(kept_results, "MOST_BYTES", round(2.5 * kept_bytes(runs.root)))
    for clip in clips[1:]:
        runs.finish(runs.open(clip))
        runs.close()
    assert sorted(s.source for s in sessions_in(runs.root)) == clips[1:]
    delete_kept(runs.root)
    assert sessions_in(runs.root) == ()
    assert kept_bytes(runs.root) == 0


def test_points_that_a_network_stabilized_are_shown_as_they_were_kept(
    runs: TrackedFrames, clip: str
) -> None:
    media, models = Media(clip), square_models()
    store = SessionStore(runs.root, clip, {}, results_fingerprint(media, models, DEFAULTS))
    sink = store.sink(1, models.schema, pytest.fail)
    sink.open(media.info)
    for result in moving_results(FRAMES):  # the stabilized points differ from the raw ones
        sink.write(result)
    sink.close(complete=True)
    media.close()
    assert store.keep(FRAMES)
    session = runs.open(clip)
    runs.finish(session)
    assert session.results is not None
    rows = session.results.rows()
    assert np.nanmin(np.abs(rows.stabilized[:, :, 0] - rows.raw[:, :, 0])) > 0.4


def test_results_are_not_kept_if_not_all_frames_were_written(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, "clip.mp4", {}, "a fingerprint")
    sink = store.sink(1, square_models().schema, pytest.fail)
    sink.open(source_info())
    for result in moving_results(5):
        sink.write(result)
    sink.close(complete=True)
    assert not store.keep(6)
    assert sessions_in(tmp_path) == ()  # it is still running
    assert store.keep(5)
    assert [session.kept for session in sessions_in(tmp_path)] == [True]
