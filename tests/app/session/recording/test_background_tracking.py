from __future__ import annotations

from threading import Condition
from threading import enumerate as threads
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.tracking import scene_cuts
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from steadymark.models.face.schema import load_schema
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FRAMES = 200


class Following:
    """A tracking, and waiting for what becomes of it."""

    def __init__(self, film: Media, models: OpenModels | None = None) -> None:
        self.film, self.results = film, Results(film.times_s, load_schema("ibug68"))
        self.changed = Condition()
        self.order: list[int] = []
        self.tracking = BackgroundTracking(
            film, models or square_models(), TrackSettings(), self.results, on_change=self.note
        )

    def note(self) -> None:
        with self.changed:
            head = self.tracking.head
            if not self.order or self.order[-1] != head:
                self.order.append(head)
            self.changed.notify_all()

    def until(self, there: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(there, 20)


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Media]:
    film = Media(str(square_video(tmp_path / "a.mp4", FRAMES)))
    yield film
    film.close()
    assert not [t.name for t in threads() if t.name in ("pieces", "tracking", "source")]


@pytest.fixture
def following(film: Media) -> Iterator[Following]:
    following = Following(film)
    yield following
    following.tracking.close()
    assert following.tracking.join(2)


def test_every_frame_is_tracked_once_in_one_piece(following: Following) -> None:
    following.tracking.start()
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    assert (following.results.known() == FrameStatus.TRACKED).all()
    np.testing.assert_array_equal(following.results.rows().frame, np.arange(FRAMES))


def test_seeking_far_ahead_tracks_from_there_then_what_was_left_out(following: Following) -> None:
    following.tracking.start()
    following.until(lambda: following.tracking.head >= 3)
    following.tracking.seek(150)
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    rows = following.results.rows().frame
    begins = np.flatnonzero(np.diff(rows) != 1)
    assert len(begins) == 2
    assert rows[begins[0] + 1] == 150
    assert following.results.restarted()[150]
    assert (following.results.known() == FrameStatus.TRACKED).all()
    assert len(np.unique(rows)) == len(rows) == FRAMES


def test_a_frame_shortly_ahead_is_waited_for_without_dropping_memory(following: Following) -> None:
    following.tracking.start()
    following.until(lambda: following.tracking.head >= 1)
    following.tracking.seek(following.tracking.head + 20)
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(following.results.rows().frame, np.arange(FRAMES))


def test_seeking_what_is_tracked_changes_nothing(following: Following) -> None:
    following.tracking.start()
    following.until(lambda: following.tracking.head >= 10)
    following.tracking.seek(2)
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(following.results.rows().frame, np.arange(FRAMES))


def test_pausing_holds_and_going_on_keeps_memory(following: Following) -> None:
    following.tracking.start()
    following.until(lambda: following.tracking.head >= 5)
    following.tracking.pause()
    assert following.tracking.report.work is TrackingPhase.PAUSED
    following.tracking.go_on()
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    np.testing.assert_array_equal(following.results.rows().frame, np.arange(FRAMES))


def test_closing_while_paused_ends_all_threads(following: Following) -> None:
    following.tracking.start()
    following.until(lambda: following.tracking.head >= 5)
    following.tracking.pause()
    following.tracking.close()
    assert following.tracking.join(2)


def test_a_frame_that_cannot_be_tracked_stops_with_a_sentence_and_going_on_passes_it(
    film: Media,
) -> None:
    models = square_models()
    step = models.network.step
    count = 0

    def failing(*arguments: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == 8:
            raise ZeroDivisionError("planted")
        return step(*arguments, **named)  # type: ignore[arg-type]

    models.network.step = failing  # type: ignore[method-assign, assignment]
    following = Following(film, models)
    following.tracking.start()
    assert following.tracking.wait(TrackingPhase.FAILED, 20)
    assert "could not be tracked" in following.tracking.report.fault
    kept = len(following.results.rows())
    assert kept > 3
    following.tracking.go_on()
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    assert int((following.results.known() == FrameStatus.DAMAGED).sum()) == 1
    following.tracking.close()
    assert following.tracking.join(2)


def test_pictures_in_a_folder_are_tracked_and_unreadable_ones_are_damaged(tmp_path: Path) -> None:
    import cv2

    from support.fakes.fake_engine import picture

    for i in range(6):
        cv2.imwrite(str(tmp_path / f"p{i}.png"), picture((100, 100, 60)))
    (tmp_path / "p3.png").write_bytes(b"no picture")
    following = Following(Media(str(tmp_path)))
    following.tracking.start()
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    assert following.results.known().tolist() == [1, 1, 1, 2, 1, 1]
    following.tracking.close()
    assert following.tracking.join(2)


def test_pictures_are_looked_at_for_a_scene_cut_once_a_frame(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, thumbnail = [], scene_cuts.Thumbnail

    def counted(*parts: Any) -> scene_cuts.Thumbnail:
        made.append(parts)
        return thumbnail(*parts)

    monkeypatch.setattr(scene_cuts, "Thumbnail", counted)
    following.tracking.start()
    assert following.tracking.wait(TrackingPhase.FINISHED, 20)
    assert len(made) == FRAMES
    assert following.results.restarted()[0]
