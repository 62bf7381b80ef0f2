"""Callbacks of the session fail: results are kept, and the reason is reported."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.live.live_results import LiveResults
from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.crash_recovery import SessionStore, find_sessions, recover
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from support.fakes.fake_live_sources import PacedDevice, camera_opener
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.engine.core.types import TrackResult

FRAMES, AT = 80, 30


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Media]:
    media = Media(str(square_video(tmp_path / "a.mp4", FRAMES)))
    yield media
    media.close()


class StoredTracking:
    """A tracking that is stored on disk, and its messages."""

    def __init__(self, media: Media, root: Path, results: Results, **named: Any) -> None:
        self.root, self.results, self.told = root, results, list[str]()
        self.store = SessionStore(root, "a.mp4", {})
        self.tracking = BackgroundTracking(
            media,
            square_models(),
            TrackSettings(),
            results,
            sinks=lambda number: [self.store.sink(number, results.schema, self.told.append)],
            **named,
        )

    def end(self) -> None:
        self.tracking.close()
        assert self.tracking.join(5)

    def recovered(self) -> list[int]:
        """Return the frames that could be recovered if the program were killed now."""
        self.store._lock.unlock()
        (found,) = find_sessions(self.root)
        results = Results(self.results.times_s, load_schema("ibug68"))
        assert recover(found, results) == found.frames
        return sorted(set(results.rows().frame.tolist()))


class FailingResults(Results):
    """Fails once, for lack of memory."""

    failed = False

    def add(self, result: TrackResult) -> None:
        if result.frame.index == AT and not self.failed:
            self.failed = True
            raise MemoryError
        super().add(result)


def test_a_result_that_cannot_be_stored_is_reported_and_tracking_can_continue(
    media: Media, tmp_path: Path
) -> None:
    stored = StoredTracking(
        media, tmp_path / "state", FailingResults(media.times_s, load_schema("ibug68"))
    )
    stored.tracking.start()
    assert stored.tracking.wait(TrackingPhase.FAILED, 20)
    assert f"tracking stopped after {AT + 1} frames" in stored.tracking.report.fault
    np.testing.assert_array_equal(stored.results.rows().frame, np.arange(AT))
    stored.tracking.resume()
    assert stored.tracking.wait(TrackingPhase.FINISHED, 20)
    stored.end()
    known = stored.results.frame_status()
    assert np.flatnonzero(known != FrameStatus.TRACKED).tolist() == [AT]
    assert stored.recovered() == list(
        range(FRAMES)
    )  # the result that did not fit in memory is on disk


def test_a_callback_that_fails_once_loses_no_result(media: Media, tmp_path: Path) -> None:
    failures: list[int] = []

    def fail_once() -> None:
        if stored.tracking.last_tracked == AT and not failures:
            failures.append(AT)
            raise RuntimeError("Internal C++ object already deleted")

    stored = StoredTracking(
        media,
        tmp_path / "state",
        Results(media.times_s, load_schema("ibug68")),
        on_change=fail_once,
    )
    stored.tracking.start()
    assert stored.tracking.wait(TrackingPhase.FAILED, 20)
    assert "already deleted" in stored.tracking.report.fault
    np.testing.assert_array_equal(stored.results.rows().frame, np.arange(AT + 1))
    stored.tracking.resume()
    assert stored.tracking.wait(TrackingPhase.FINISHED, 20)
    stored.end()
    assert stored.recovered()[: AT + 1] == list(range(AT + 1))


def test_a_full_disk_does_not_stop_tracking_and_is_reported_once(
    media: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = RowFile.add
    written: list[int] = []

    def raise_disk_full(file: RowFile, text: str) -> None:
        if sum(written) > 50_000:
            from steadymark.engine.output.output_paths import cannot_write

            raise cannot_write(file.path, OSError(errno.ENOSPC, "No space left on device"))
        written.append(len(text))
        add(file, text)

    monkeypatch.setattr(RowFile, "add", raise_disk_full)
    stored = StoredTracking(
        media, tmp_path / "state", Results(media.times_s, load_schema("ibug68"))
    )
    stored.tracking.start()
    assert stored.tracking.wait(TrackingPhase.FINISHED, 20)
    stored.end()
    assert (stored.results.frame_status() == FrameStatus.TRACKED).all()
    (message,) = stored.told
    assert "the disk is full" in message
    frames = stored.recovered()
    assert frames == list(range(len(frames)))
    assert 5 < len(frames) < FRAMES


def test_a_failing_live_view_stops_with_the_reason_and_can_be_restarted(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(
        TrackSettings(stabilizer="none"),
        state_root=tmp_path / "state",
        models=ModelCache(square_models),
        opener=camera_opener(PacedDevice()),
    )
    messages: list[str] = []
    session.live.message_posted.connect(messages.append)
    append = LiveResults.append

    def failing_append(results: LiveResults, result: TrackResult) -> None:
        if result.frame.index == 5:
            raise MemoryError("no room")
        append(results, result)

    monkeypatch.setattr(LiveResults, "append", failing_append)
    session.live.open(LiveTarget("camera:0"), TrackSettings(stabilizer="none"))
    qtbot.waitUntil(lambda: session.live.state.phase is Phase.STOPPED)
    assert any("no room" in text for text in messages)
    monkeypatch.setattr(LiveResults, "append", append)
    session.live.start_again()
    qtbot.waitUntil(
        lambda: session.live.state.phase is Phase.LIVE and session.live.frame is not None
    )
    assert session.close()
