"""The session's receiving side breaks: what is tracked is kept, and the reason is told."""

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
def film(tmp_path: Path) -> Iterator[Media]:
    film = Media(str(square_video(tmp_path / "a.mp4", FRAMES)))
    yield film
    film.close()


class Kept:
    """A tracking that is kept on disk, and what was told of it."""

    def __init__(self, film: Media, root: Path, results: Results, **named: Any) -> None:
        self.root, self.results, self.told = root, results, list[str]()
        self.keeping = SessionStore(root, "a.mp4", {})
        self.tracking = BackgroundTracking(
            film,
            square_models(),
            TrackSettings(),
            results,
            sinks=lambda number: [self.keeping.sink(number, results.schema, self.told.append)],
            **named,
        )

    def end(self) -> None:
        self.tracking.close()
        assert self.tracking.join(5)

    def recovered(self) -> list[int]:
        """Frames that the next start would find, were the program killed now."""
        self.keeping._lock.unlock()
        (found,) = find_sessions(self.root)
        results = Results(self.results.times_s, load_schema("ibug68"))
        assert recover(found, results) == found.frames
        return sorted(set(results.rows().frame.tolist()))


class FailingResults(Results):
    """Once, there is no memory for a frame."""

    failed = False

    def add(self, result: TrackResult) -> None:
        if result.frame.index == AT and not self.failed:
            self.failed = True
            raise MemoryError
        super().add(result)


def test_a_result_that_cannot_be_kept_is_told_and_tracking_goes_on_behind_it(
    film: Media, tmp_path: Path
) -> None:
    kept = Kept(film, tmp_path / "state", FailingResults(film.times_s, load_schema("ibug68")))
    kept.tracking.start()
    assert kept.tracking.wait(TrackingPhase.FAILED, 20)
    assert f"tracking stopped after {AT + 1} frames" in kept.tracking.report.fault
    np.testing.assert_array_equal(kept.results.rows().frame, np.arange(AT))
    kept.tracking.go_on()
    assert kept.tracking.wait(TrackingPhase.FINISHED, 20)
    kept.end()
    known = kept.results.known()
    assert np.flatnonzero(known != FrameStatus.TRACKED).tolist() == [AT]
    assert kept.recovered() == list(range(FRAMES))  # what did not fit in memory is on disk


def test_a_receiver_that_breaks_once_loses_no_result(film: Media, tmp_path: Path) -> None:
    broken: list[int] = []

    def tell() -> None:
        if kept.tracking.head == AT and not broken:
            broken.append(AT)
            raise RuntimeError("Internal C++ object already deleted")

    kept = Kept(
        film, tmp_path / "state", Results(film.times_s, load_schema("ibug68")), on_change=tell
    )
    kept.tracking.start()
    assert kept.tracking.wait(TrackingPhase.FAILED, 20)
    assert "already deleted" in kept.tracking.report.fault
    np.testing.assert_array_equal(kept.results.rows().frame, np.arange(AT + 1))
    kept.tracking.go_on()
    assert kept.tracking.wait(TrackingPhase.FINISHED, 20)
    kept.end()
    assert kept.recovered()[: AT + 1] == list(range(AT + 1))


def test_a_full_disk_does_not_stop_the_window_and_is_told_once(
    film: Media, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = RowFile.add
    written: list[int] = []

    def full(file: RowFile, text: str) -> None:
        if sum(written) > 50_000:
            from steadymark.engine.output.output_paths import cannot_write

            raise cannot_write(file.path, OSError(errno.ENOSPC, "No space left on device"))
        written.append(len(text))
        add(file, text)

    monkeypatch.setattr(RowFile, "add", full)
    kept = Kept(film, tmp_path / "state", Results(film.times_s, load_schema("ibug68")))
    kept.tracking.start()
    assert kept.tracking.wait(TrackingPhase.FINISHED, 20)
    kept.end()
    assert (kept.results.known() == FrameStatus.TRACKED).all()
    (told,) = kept.told
    assert "the disk is full" in told
    frames = kept.recovered()
    assert frames == list(range(len(frames)))
    assert 5 < len(frames) < FRAMES


def test_a_live_view_whose_results_break_stops_with_the_reason_and_starts_again(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(
        TrackSettings(stabilizer="none"),
        state_root=tmp_path / "state",
        models=ModelCache(square_models),
        opener=camera_opener(PacedDevice()),
    )
    told: list[str] = []
    session.live.told.connect(told.append)
    append = LiveResults.append

    def broken(results: LiveResults, result: TrackResult) -> None:
        if result.frame.index == 5:
            raise MemoryError("no room")
        append(results, result)

    monkeypatch.setattr(LiveResults, "append", broken)
    session.live.open(LiveTarget("camera:0"), TrackSettings(stabilizer="none"))
    qtbot.waitUntil(lambda: session.live.facts.phase is Phase.STOPPED)
    assert any("no room" in text for text in told)
    monkeypatch.setattr(LiveResults, "append", append)
    session.live.start_again()
    qtbot.waitUntil(
        lambda: session.live.facts.phase is Phase.LIVE and session.live.frame is not None
    )
    assert session.close()
