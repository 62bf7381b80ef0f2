from __future__ import annotations

from dataclasses import replace
from threading import Condition
from threading import enumerate as threads
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.face_rows import STATES
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking import scene_cuts
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from steadymark.models.face.schema import load_schema
from support.fakes.several_squares import CrowdDetector
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FRAMES = 200


class TrackingDriver:
    """Runs a background tracking and waits for its changes."""

    def __init__(self, media: Media, models: OpenModels | None = None) -> None:
        self.media, self.results = media, Results(media.times_s, load_schema("ibug68"))
        self.changed = Condition()
        self.order: list[int] = []
        self.tracking = BackgroundTracking(
            media, models or square_models(), TrackSettings(), self.results, on_change=self.note
        )

    def note(self) -> None:
        with self.changed:
            head = self.tracking.last_tracked
            if not self.order or self.order[-1] != head:
                self.order.append(head)
            self.changed.notify_all()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, 20)


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Media]:
    media = Media(str(square_video(tmp_path / "a.mp4", FRAMES)))
    yield media
    media.close()
    assert not [t.name for t in threads() if t.name in ("pieces", "tracking", "source")]


@pytest.fixture
def driver(media: Media) -> Iterator[TrackingDriver]:
    driver = TrackingDriver(media)
    yield driver
    driver.tracking.close()
    assert driver.tracking.join(2)


def test_every_frame_is_tracked_exactly_once(driver: TrackingDriver) -> None:
    driver.tracking.start()
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    assert (driver.results.frame_status() == FrameStatus.TRACKED).all()
    np.testing.assert_array_equal(driver.results.rows().frame, np.arange(FRAMES))


def test_the_report_says_how_many_faces_were_seen(media: Media) -> None:
    models = replace(square_models(), detector=CrowdDetector())
    driver = TrackingDriver(media, models)
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.report.faces_seen == 1)
    driver.tracking.close()
    assert driver.tracking.join(2)


def test_seeking_far_ahead_tracks_from_there_and_then_the_rest(driver: TrackingDriver) -> None:
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.last_tracked >= 3)
    driver.tracking.seek(150)
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    rows = driver.results.rows().frame
    gaps = np.flatnonzero(np.diff(rows) != 1)
    assert len(gaps) == 2
    assert rows[gaps[0] + 1] == 150
    assert driver.results.restarted()[150]
    assert (driver.results.frame_status() == FrameStatus.TRACKED).all()
    assert len(np.unique(rows)) == len(rows)
    # A part that begins in the frames without a face has no row in them.
    assert set(range(FRAMES)) - set(rows.tolist()) <= set(range(12, 16))


def test_seeking_a_little_ahead_does_not_restart_the_tracker(driver: TrackingDriver) -> None:
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.last_tracked >= 1)
    driver.tracking.seek(driver.tracking.last_tracked + 20)
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(driver.results.rows().frame, np.arange(FRAMES))


def test_seeking_to_a_tracked_frame_changes_nothing(driver: TrackingDriver) -> None:
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.last_tracked >= 10)
    driver.tracking.seek(2)
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(driver.results.rows().frame, np.arange(FRAMES))


def test_continuing_after_a_pause_does_not_restart_the_tracker(driver: TrackingDriver) -> None:
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.last_tracked >= 5)
    driver.tracking.pause()
    assert driver.tracking.report.phase is TrackingPhase.PAUSED
    driver.tracking.resume()
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(driver.results.rows().frame, np.arange(FRAMES))


def test_closing_while_paused_ends_all_threads(driver: TrackingDriver) -> None:
    driver.tracking.start()
    driver.wait_until(lambda: driver.tracking.last_tracked >= 5)
    driver.tracking.pause()
    driver.tracking.close()
    assert driver.tracking.join(2)


def test_tracking_stops_at_a_failing_frame_and_continues_behind_it(
    media: Media,
) -> None:
    models = square_models()
    step = models.network.step
    calls = 0

    def failing_step(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 8:
            raise ZeroDivisionError("planted")
        return step(*arguments, **named)  # type: ignore[arg-type]

    models.network.step = failing_step  # type: ignore[method-assign, assignment]
    driver = TrackingDriver(media, models)
    driver.tracking.start()
    assert driver.tracking.wait(TrackingPhase.FAILED, 20)
    assert "could not be tracked" in driver.tracking.report.fault
    kept = len(driver.results.rows())
    assert kept > 3
    driver.tracking.resume()
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    assert int((driver.results.frame_status() == FrameStatus.DAMAGED).sum()) == 1
    driver.tracking.close()
    assert driver.tracking.join(2)


def test_images_in_a_folder_are_tracked_and_unreadable_ones_are_damaged(tmp_path: Path) -> None:
    import cv2

    from support.fakes.fake_engine import square_image

    for i in range(6):
        cv2.imwrite(str(tmp_path / f"p{i}.png"), square_image((100, 100, 60)))
    (tmp_path / "p3.png").write_bytes(b"no picture")
    driver = TrackingDriver(Media(str(tmp_path)))
    driver.tracking.start()
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    assert driver.results.frame_status().tolist() == [1, 1, 1, 2, 1, 1]
    driver.tracking.close()
    assert driver.tracking.join(2)


def test_a_missing_number_and_independent_images_are_tracked_as_by_the_command_line(
    tmp_path: Path,
) -> None:
    import cv2

    from support.fakes.fake_engine import square_image

    for folder, names in (("numbered", ("p1", "p2", "p5")), ("named", ("anna", "bert", "cora"))):
        (tmp_path / folder).mkdir()
        for i, name in enumerate(names):
            file = tmp_path / folder / f"{name}.png"
            cv2.imwrite(str(file), square_image((100 + 9 * i, 100, 60)))
    expected = {
        "numbered": ([0, 1, 4], ["detected", "tracked", "tracked"]),
        "named": ([0, 1, 2], ["detected"] * 3),
    }
    for folder, (frames, states) in expected.items():
        driver = TrackingDriver(Media(str(tmp_path / folder)))
        driver.tracking.start()
        assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
        rows = driver.results.rows()
        assert rows.frame.tolist() == frames
        assert [str(STATES[state]) for state in rows.state] == states
        driver.tracking.set_filter(choose("one-euro"))
        driver.tracking.apply_filter()
        filtered = driver.results.rows()
        assert bool((filtered.stabilized == filtered.raw).all()) is (folder == "named")
        driver.tracking.close()
        assert driver.tracking.join(2)


def test_each_frame_is_checked_for_a_scene_cut_once(
    driver: TrackingDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    thumbnails, thumbnail = [], scene_cuts.Thumbnail

    def counting_thumbnail(*parts: Any) -> scene_cuts.Thumbnail:
        thumbnails.append(parts)
        return thumbnail(*parts)

    monkeypatch.setattr(scene_cuts, "Thumbnail", counting_thumbnail)
    driver.tracking.start()
    assert driver.tracking.wait(TrackingPhase.FINISHED, 20)
    assert len(thumbnails) == FRAMES
    assert driver.results.restarted()[0]
