from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.types import Landmarks
from steadymark.engine.tracking.association import (
    FaceMotion,
    crowded,
    difference,
    duplicate_tracks,
    matches,
    motion_of,
    update_motion,
)
from steadymark.engine.tracking.geometry import crop_of_landmarks
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points


def motion_from_points(xy: Points, t_s: float, *, confidence: float = 0.9) -> FaceMotion:
    points = Landmarks(xy, np.full(len(xy), confidence, np.float32))
    return motion_of(
        crop_of_landmarks(xy, load_schema("ibug68"), margin=1.4), points, t_s, margin=1.4
    )


def motion_at(
    t_s: float, x: float, y: float = 100, size: float = 60, *, confidence: float = 0.9
) -> FaceMotion:
    return motion_from_points(face_points(x, y, size), t_s, confidence=confidence)


def moving_along_x(speed: float, *, until_s: float = 1.0, near: bool = False) -> FaceMotion:
    """Return the motion of a face that moves along x from 0, in pixels a second."""
    motion = motion_at(0, 0)
    for t_s in np.arange(0.04, until_s + 1e-6, 0.04):
        motion = update_motion(motion, motion_at(float(t_s), speed * float(t_s)), near=near)
    return motion


def test_size_and_shape_are_measured_at_any_roll() -> None:
    upright = motion_at(0, 100)
    assert upright.size == pytest.approx(60, rel=1e-4)
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = ((face_points(0, 0, 60) @ turn.T) * 1.5 + (300, 200)).astype(np.float32)
    rolled = motion_from_points(xy, 0)
    assert rolled.size == pytest.approx(90, rel=1e-3)
    np.testing.assert_allclose(rolled.shape, upright.shape, atol=1e-3)


def test_the_position_of_a_moving_face_is_extrapolated_for_a_limited_time() -> None:
    motion = moving_along_x(200)
    assert motion.speed[0] == pytest.approx(200, rel=0.05)
    assert motion.predict(1.2)[0] == pytest.approx(200 + 34, abs=4)
    assert motion.predict(100.0)[0] < 200 + 130


def test_a_visible_face_beside_another_updates_its_motion() -> None:
    beside, alone = moving_along_x(200, near=True), moving_along_x(200)
    np.testing.assert_array_equal(beside.speed, alone.speed)
    np.testing.assert_array_equal(beside.centre, alone.centre)


def test_a_hidden_face_keeps_its_motion_for_two_seconds() -> None:
    motion = moving_along_x(200)
    unchanged = update_motion(motion, motion_at(1.5, 180, confidence=0.8), near=True)
    assert unchanged is motion
    after_timeout = update_motion(motion, motion_at(3.5, 180, confidence=0.8), near=True)
    assert after_timeout.centre[0] == pytest.approx(180, abs=1)


def test_a_low_score_without_a_near_face_does_not_count_as_hidden() -> None:
    assert (
        update_motion(moving_along_x(200), motion_at(1.04, 208, confidence=0.5), near=False).t_s
        == 1.04
    )


def test_a_slowly_decreasing_score_counts_as_hidden() -> None:
    motion = motion_at(0, 100)
    for i in range(1, 30):
        motion = update_motion(
            motion, motion_at(i / 25, 100 + i, confidence=0.9 - 0.01 * i), near=True
        )
    assert motion.t_s == pytest.approx(4 / 25)
    assert motion.confidence == pytest.approx(0.9)


def test_equal_or_decreasing_times_do_not_change_the_speed() -> None:
    motion = moving_along_x(200)
    for t_s in (1.0, 0.5):
        assert update_motion(motion, motion_at(t_s, 500), near=False).speed[0] == motion.speed[0]


def test_matches_minimise_the_total_difference() -> None:
    lost = [motion_at(0, 100), motion_at(0, 130)]
    observations = [motion_at(0.1, 122), motion_at(0.1, 150)]  # both are nearest to the second
    assert matches(lost, observations, [False, False], alone=False) == {0: 0, 1: 1}


@pytest.mark.parametrize(
    ("observation", "same"),
    [
        (motion_at(0.5, 110), True),
        (motion_at(0.5, 260), False),
        (motion_at(0.5, 100, size=120), False),
        (motion_at(2.0, 150), True),
    ],
)
def test_position_and_size_distinguish_faces(observation: FaceMotion, *, same: bool) -> None:
    lost = [motion_at(0, 100)]
    for near in (False, True):
        assert (difference(lost[0], observation, near=near) <= 1) == same
        assert bool(matches(lost, [observation], [near], alone=False)) == same
    assert matches(lost, [observation], [False], alone=True) == {0: 0}


def test_the_size_of_an_occluded_face_is_ignored() -> None:
    lost = [motion_at(0, 100)]
    occluded = motion_at(0.5, 110, size=35, confidence=0.7)
    assert matches(lost, [occluded], [True], alone=False) == {0: 0}
    assert matches(lost, [occluded], [False], alone=False) == {}
    unoccluded = motion_at(0.5, 110, size=35)
    assert matches(lost, [unoccluded], [True], alone=False) == {}
    elsewhere = motion_at(0.5, 260, size=35, confidence=0.7)
    assert matches(lost, [elsewhere], [True], alone=False) == {}


def test_empty_lists_have_no_matches() -> None:
    assert matches([], [motion_at(0, 1)], [False], alone=False) == {}
    assert matches([motion_at(0, 1)], [], [], alone=True) == {}


def test_overlapping_tracks_are_duplicates_and_near_ones_are_crowded() -> None:
    faces = {
        3: motion_at(0, 100),
        5: motion_at(0, 108),
        9: motion_at(0, 150),
        11: motion_at(0, 400),
    }
    assert duplicate_tracks(faces) == [(3, 5)]
    assert crowded(list(faces.values())) == [True, True, True, False]
