"""A filter that the session applies gives the same points as the tracker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.background_tracking import BackgroundTracking, TrackingPhase
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.point_filter import NO_FILTER, PointFilter, filter_of
from steadymark.app.session.recording.results import Results
from steadymark.engine.attributes.attribute_registry import attributes_of, vector_of
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.core.types import FaceState
from steadymark.engine.face3d.face_at_rest import Moments
from steadymark.engine.output.csv.whole_recording import finished_results
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings, make_tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, track_result, tracked_face
from support.gazing_faces import gazing_face, pose_at
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHOSEN = choose("one-euro", min_cutoff_hz=0.5, beta=0.8)
ONE_EURO = TrackSettings(stabilizer="one-euro", filters=(CHOSEN,))


def track_to_end(media: Media, settings: TrackSettings) -> tuple[Results, BackgroundTracking]:
    results = Results(media.times_s, load_schema("ibug68"))
    tracking = BackgroundTracking(media, square_models(), settings, results)
    tracking.start()
    finish(tracking)
    return results, tracking


def finish(tracking: BackgroundTracking) -> None:
    assert tracking.wait(TrackingPhase.FINISHED, 20)


@pytest.fixture
def media(tmp_path: Path) -> Media:
    return Media(str(square_video(tmp_path / "a.mp4", 60)))


def close_tracking(tracking: BackgroundTracking) -> None:
    tracking.close()
    assert tracking.join(5)


def test_one_euro_gives_the_same_points_as_the_tracker(media: Media) -> None:
    results, tracking = track_to_end(media, ONE_EURO)
    tracker, moments = make_tracker(square_models(), ONE_EURO), Moments()
    tracked = [tracker.track(media.frame_at(index)) for index in range(60)]
    for frame in tracked:
        moments.add_faces(frame)
    finished = finished_results(tracked, identities=moments.identities())
    for index, expected in enumerate(finished):
        faces = results.faces(index)
        assert faces is not None
        assert [f.state for f in faces] == [f.state for f in expected.faces]
        for face, other in zip(faces, expected.faces, strict=True):
            if face.stabilized is not None and other.stabilized is not None:
                np.testing.assert_array_equal(face.stabilized.xy_px, other.stabilized.xy_px)
                assert face.pose is not None
                assert face.pose == other.pose
    close_tracking(tracking)


@pytest.mark.parametrize("name", ["none", "one-euro", "butterworth"])
def test_a_filter_chosen_after_tracking_gives_the_same_as_one_chosen_before(
    media: Media, name: str
) -> None:
    chosen = replace(ONE_EURO, stabilizer=name)
    before, first = track_to_end(media, chosen)
    after, second = track_to_end(media, replace(ONE_EURO, stabilizer="none"))
    second.set_filter(filter_of(ONE_EURO.with_filter(CHOSEN.changed(min_cutoff_hz=9.0, beta=9.0))))
    second.set_filter(filter_of(chosen))
    second.apply_filter()
    np.testing.assert_array_equal(before.rows().stabilized, after.rows().stabilized)
    np.testing.assert_array_equal(before.rows().attributes, after.rows().attributes)
    close_tracking(first)
    close_tracking(second)


def test_a_filter_restarts_where_the_tracker_restarts(media: Media) -> None:
    results, tracking = track_to_end(media, ONE_EURO)
    begins = np.flatnonzero(results.restarted())
    assert begins[0] == 0
    refilter: Callable[[Results], object] = PointFilter(filter_of(ONE_EURO)).refilter
    np.testing.assert_array_equal(refilter(results), results.rows().stabilized)
    close_tracking(tracking)


def test_a_filter_restarts_at_a_face_that_is_detected_again_without_being_lost() -> None:
    results, live = Results(np.arange(6) / 25, load_schema("ibug68")), PointFilter(CHOSEN)
    expected = []
    for index in range(6):
        state = FaceState.DETECTED if index in (0, 1, 4) else FaceState.TRACKED
        face = tracked_face(points=face_points(50 + 9 * index, 60, 50), state=state)
        result = track_result(index, face, restarted=index == 0)
        results.add(result)
        expected += [face.stabilized for face in live.filtered(result).faces]
    points = PointFilter(CHOSEN).refilter(results)
    for index, landmarks in enumerate(expected):
        assert landmarks is not None
        np.testing.assert_array_equal(points[index], landmarks.xy_px)
    np.testing.assert_array_equal(points[4], results.rows().raw[4])


def test_a_gaze_calibration_gives_the_attributes_that_a_tracker_with_it_computes() -> None:
    calibration = GazeCalibration("Ada", (1.0, 1.0), ((4.0, -3.0), (6.0, 2.0)))
    face = gazing_face(pose_at(yaw_deg=5), (0.0, 0.0, 0.0), np.zeros((2, 2)))
    result = PointFilter(NO_FILTER, calibration).filtered(track_result(0, face))
    assert face.attributes is not None
    assert face.stabilized is not None
    context = replace(face.attributes.context, gaze_calibration=calibration)
    wanted = vector_of(attributes_of(face.stabilized, context))
    assert vector_of(result.faces[0].attributes) == pytest.approx(wanted, nan_ok=True)
    assert wanted != pytest.approx(vector_of(face.attributes), nan_ok=True)
