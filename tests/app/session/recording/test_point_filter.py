"""The session's own run of a filter gives what the tracker gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.point_filter import PointFilter, filter_of
from steadymark.app.session.recording.results import Results
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings, make_tracker
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOSEN = choose("one-euro", min_cutoff_hz=0.5, beta=0.8)
ONE_EURO = TrackSettings(stabilizer="one-euro", filters=(CHOSEN,))


def tracked(film: Media, settings: TrackSettings) -> tuple[Results, BackgroundTracking]:
    results = Results(film.times_s)
    tracking = BackgroundTracking(film, square_models(), settings, results)
    tracking.start()
    finish(tracking)
    return results, tracking


def finish(tracking: BackgroundTracking) -> None:
    assert tracking.wait(TrackingPhase.FINISHED, 20)


@pytest.fixture
def film(tmp_path: Path) -> Media:
    return Media(str(square_video(tmp_path / "a.mp4", 60)))


def ends(tracking: BackgroundTracking) -> None:
    tracking.close()
    assert tracking.join(5)


def test_one_euro_gives_what_the_tracker_gives(film: Media) -> None:
    results, tracking = tracked(film, ONE_EURO)
    tracker = make_tracker(square_models(), ONE_EURO)
    for index in range(60):
        expected = tracker.track(film.frame_at(index))
        faces = results.faces(index)
        assert faces is not None
        assert [f.state for f in faces] == [f.state for f in expected.faces]
        for face, other in zip(faces, expected.faces, strict=True):
            if face.stabilized is not None and other.stabilized is not None:
                np.testing.assert_array_equal(face.stabilized.xy_px, other.stabilized.xy_px)
                assert face.pose is not None
                assert face.pose == other.pose
    ends(tracking)


@pytest.mark.parametrize("name", ["none", "one-euro", "butterworth"])
def test_a_filter_chosen_later_gives_the_same_as_one_chosen_before(film: Media, name: str) -> None:
    wanted = replace(ONE_EURO, stabilizer=name)
    before, first = tracked(film, wanted)
    after, second = tracked(film, replace(ONE_EURO, stabilizer="none"))
    second.want_filter(filter_of(ONE_EURO.with_filter(CHOSEN.changed(min_cutoff_hz=9.0, beta=9.0))))
    second.want_filter(filter_of(wanted))
    second.apply_filter()
    np.testing.assert_array_equal(before.rows().steady, after.rows().steady)
    np.testing.assert_array_equal(before.rows().pose, after.rows().pose)
    ends(first)
    ends(second)


def test_memory_of_a_filter_begins_anew_where_the_tracker_begins_anew(film: Media) -> None:
    results, tracking = tracked(film, ONE_EURO)
    begins = np.flatnonzero(results.restarted())
    assert begins[0] == 0
    again: Callable[[Results], object] = PointFilter(filter_of(ONE_EURO)).refilter
    np.testing.assert_array_equal(again(results), results.rows().steady)
    ends(tracking)
