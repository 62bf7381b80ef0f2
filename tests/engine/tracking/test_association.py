from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.types import Landmarks
from steadymark.engine.tracking.association import (
    FaceMotion,
    carried_on,
    crowded,
    difference,
    duplicate_tracks,
    matches,
    motion_of,
)
from steadymark.engine.tracking.geometry import crop_of_landmarks
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points


def measured(xy: Points, t_s: float, *, sure: float = 0.9) -> FaceMotion:
    points = Landmarks(xy, np.full(len(xy), sure, np.float32))
    return motion_of(
        crop_of_landmarks(xy, load_schema("ibug68"), margin=1.4), points, t_s, margin=1.4
    )


def seen(
    t_s: float, x: float, y: float = 100, size: float = 60, *, sure: float = 0.9
) -> FaceMotion:
    return measured(face_points(x, y, size), t_s, sure=sure)


def walked(speed: float, *, until_s: float = 1.0, near: bool = False) -> FaceMotion:
    """Along x from 0 on, pixels a second."""
    known = seen(0, 0)
    for t_s in np.arange(0.04, until_s + 1e-6, 0.04):
        known = carried_on(known, seen(float(t_s), speed * float(t_s)), near=near)
    return known


def test_a_face_is_measured_whatever_its_roll() -> None:
    upright = seen(0, 100)
    assert upright.size == pytest.approx(60, rel=1e-4)
    angle = np.radians(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = ((face_points(0, 0, 60) @ turn.T) * 1.5 + (300, 200)).astype(np.float32)
    rolled = measured(xy, 0)
    assert rolled.size == pytest.approx(90, rel=1e-3)
    np.testing.assert_allclose(rolled.shape, upright.shape, atol=1e-3)


def test_a_moving_face_is_expected_ahead_and_not_for_ever() -> None:
    known = walked(200)
    assert known.speed[0] == pytest.approx(200, rel=0.05)
    assert known.at(1.2)[0] == pytest.approx(200 + 34, abs=4)
    assert known.at(100.0)[0] < 200 + 130


def test_a_face_beside_another_is_known_to_move_as_long_as_it_is_seen() -> None:
    beside, alone = walked(200, near=True), walked(200)
    np.testing.assert_array_equal(beside.speed, alone.speed)
    np.testing.assert_array_equal(beside.centre, alone.centre)


def test_a_hidden_face_goes_on_as_before_for_two_seconds() -> None:
    known = walked(200)
    drawn = carried_on(known, seen(1.5, 180, sure=0.8), near=True)
    assert drawn is known
    late = carried_on(known, seen(3.5, 180, sure=0.8), near=True)
    assert late.centre[0] == pytest.approx(180, abs=1)


def test_a_face_that_is_less_sure_without_another_near_is_no_hidden_one() -> None:
    assert carried_on(walked(200), seen(1.04, 208, sure=0.5), near=False).t_s == 1.04


def test_a_face_that_is_hidden_bit_by_bit_is_hidden_in_the_end() -> None:
    known = seen(0, 100)
    for i in range(1, 30):
        known = carried_on(known, seen(i / 25, 100 + i, sure=0.9 - 0.01 * i), near=True)
    assert known.t_s == pytest.approx(4 / 25)
    assert known.sure == pytest.approx(0.9)


def test_time_that_stands_still_or_steps_back_changes_no_speed() -> None:
    known = walked(200)
    for t_s in (1.0, 0.5):
        assert carried_on(known, seen(t_s, 500), near=False).speed[0] == known.speed[0]


def test_the_least_difference_of_all_counts_not_that_of_each() -> None:
    lost = [seen(0, 100), seen(0, 130)]
    now = [seen(0.1, 122), seen(0.1, 150)]  # both are nearest to the second
    assert matches(lost, now, [False, False], alone=False) == {0: 0, 1: 1}


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (seen(0.5, 110), True),
        (seen(0.5, 260), False),
        (seen(0.5, 100, size=120), False),
        (seen(2.0, 150), True),
    ],
)
def test_place_and_size_tell_faces_apart(now: FaceMotion, *, same: bool) -> None:
    lost = [seen(0, 100)]
    for near in (False, True):
        assert (difference(lost[0], now, near=near) <= 1) == same
        assert bool(matches(lost, [now], [near], alone=False)) == same
    assert matches(lost, [now], [False], alone=True) == {0: 0}


def test_what_is_seen_of_a_face_behind_another_does_not_tell_its_size() -> None:
    lost = [seen(0, 100)]
    part = seen(0.5, 110, size=35, sure=0.7)
    assert matches(lost, [part], [True], alone=False) == {0: 0}
    assert matches(lost, [part], [False], alone=False) == {}
    whole = seen(0.5, 110, size=35)
    assert matches(lost, [whole], [True], alone=False) == {}
    elsewhere = seen(0.5, 260, size=35, sure=0.7)
    assert matches(lost, [elsewhere], [True], alone=False) == {}


def test_nothing_matches_nothing() -> None:
    assert matches([], [seen(0, 1)], [False], alone=False) == {}
    assert matches([seen(0, 1)], [], [], alone=True) == {}


def test_landmarks_on_each_other_are_one_face_and_near_ones_are_crowded() -> None:
    faces = {3: seen(0, 100), 5: seen(0, 108), 9: seen(0, 150), 11: seen(0, 400)}
    assert duplicate_tracks(faces) == [(3, 5)]
    assert crowded(list(faces.values())) == [True, True, True, False]
