"""Doubtful stretches of made-up tracks: each kind is found where it was put, and only there."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from engine.review.review_tracks import still_track
from steadymark.engine.core.errors import UsageError
from steadymark.engine.review.doubt_kinds import DOUBT_KINDS
from steadymark.engine.review.doubtful_stretches import DoubtLimits, find_doubtful
from steadymark.engine.review.person_track import PersonTrack

PART = slice(40, 50)


def lose(track: PersonTrack) -> None:
    for values in (track.xy, track.raw_xy, track.point_score, track.score):
        values[PART] = np.nan


def lower_scores(track: PersonTrack) -> None:
    track.point_score[PART] = 0.3


def hide_a_third(track: PersonTrack) -> None:
    track.point_score[PART, :23] = 0.3


def pull_apart(track: PersonTrack) -> None:
    track.raw_xy[PART] += (6.0, 0.0)


def turn(track: PersonTrack) -> None:
    track.rotation_deg[PART, 1] = -70


def jump(track: PersonTrack) -> None:
    track.xy[PART] += (30.0, 0.0)
    track.raw_xy[PART] += (30.0, 0.0)


@pytest.mark.parametrize(
    ("change", "kinds", "worst"),
    [
        (lose, {"missing"}, 11 / 25),
        (lower_scores, {"low_score", "hidden"}, None),
        (hide_a_third, {"hidden"}, 23 / 68 * 100),
        (pull_apart, {"apart"}, 6.0),
        (turn, {"turned"}, 70.0),
    ],
)
def test_a_doubt_is_found_in_exactly_its_frames(
    change: Callable[[PersonTrack], None], kinds: set[str], worst: float | None
) -> None:
    track = still_track()
    change(track)
    (found,) = find_doubtful([track])
    assert (found.face_id, found.first, found.last) == (0, PART.start, PART.stop - 1)
    assert {doubt.kind for doubt in found.doubts} == kinds
    if worst is not None:
        assert found.doubts[0].worst == pytest.approx(worst)


def test_a_face_at_rest_has_no_doubtful_stretch() -> None:
    assert find_doubtful([still_track()]) == []


def test_a_jump_is_found_and_fast_motion_is_not() -> None:
    track = still_track()
    jump(track)
    found = find_doubtful([track])
    assert [(s.first, s.last) for s in sorted(found, key=lambda s: s.first)] == [(40, 40), (50, 50)]
    assert found[0].doubts[0].worst == pytest.approx(30, abs=0.1)
    moving = still_track()
    moving.xy[:] += 100 * np.sin(2 * np.pi * moving.time_s)[:, None, None]  # up to 25 % a frame
    assert find_doubtful([moving], DoubtLimits(off=frozenset({"apart"}))) == []


def test_faces_that_overlap_may_exchange_their_numbers() -> None:
    left, right = still_track(), still_track(face_id=1, at=(700, 200))
    right.xy[PART, :, 0] -= 330
    found = find_doubtful([left, right], DoubtLimits(off=frozenset({"jump", "apart"})))
    assert {s.face_id for s in found} == {0, 1}
    assert all(s.doubts[0].kind == "identity" and s.first == PART.start for s in found)


def test_missing_frames_of_the_video_are_found() -> None:
    track = still_track()
    late = replace(track, time_s=track.time_s + np.where(track.frame >= 60, 0.8, 0))
    (found,) = find_doubtful([late])
    assert (found.first, found.last, found.doubts[0].kind) == (60, 60, "damaged")
    assert found.doubts[0].worst == pytest.approx(0.84)


def test_a_single_frame_that_is_missing_is_found() -> None:
    track = still_track()
    kept = np.arange(len(track)) != 60
    rows = {
        one.name: getattr(track, one.name)[kept]
        for one in fields(track)
        if isinstance(getattr(track, one.name), np.ndarray)
    }
    (found,) = find_doubtful([replace(track, **rows)])
    assert (found.first, found.doubts[0].kind) == (61, "damaged")
    assert found.doubts[0].worst == pytest.approx(2 / 25)


@pytest.mark.parametrize(("missing", "frame"), [("missing_before", 0), ("missing_after", 99)])
def test_frames_that_are_missing_at_an_end_of_the_video_are_found(missing: str, frame: int) -> None:
    changed: dict[str, Any] = {missing: 10}
    (found,) = find_doubtful([replace(still_track(), **changed)])
    assert (found.first, found.last, found.doubts[0].kind) == (frame, frame, "damaged")
    assert found.doubts[0].worst == pytest.approx(10 / 25)


def test_the_worst_stretch_comes_first() -> None:
    track = still_track()
    track.raw_xy[10:60] += (4.2, 0.0)  # long, and hardly doubtful
    track.raw_xy[80:85] += (60.0, 0.0)  # short, and wrong
    assert [s.first for s in find_doubtful([track])] == [80, 10]


def test_stretches_that_are_close_are_joined() -> None:
    track = still_track()
    track.point_score[[20, 24, 40]] = 0.1
    assert [(s.first, s.last) for s in find_doubtful([track])] == [(20, 24), (40, 40)]


def test_limits_and_kinds_can_be_chosen() -> None:
    track = still_track()
    pull_apart(track)
    assert find_doubtful([track], DoubtLimits({"apart": 7.0})) == []
    assert find_doubtful([track], DoubtLimits(off=frozenset({"apart"}))) == []
    with pytest.raises(UsageError, match=r"score must be from 0 to 1"):
        DoubtLimits({"score": 2})
    with pytest.raises(UsageError, match=r"no doubt called 'blur'"):
        DoubtLimits(off=frozenset({"blur"}))


def test_every_kind_has_a_parameter_of_its_own() -> None:
    options = [kind.limit.option for kind in DOUBT_KINDS]
    assert len(set(options)) == len(options)


def test_a_track_without_scores_is_judged_by_the_score_of_the_face() -> None:
    track = still_track()
    track.point_score[:] = np.nan
    track.score[PART] = 0.2
    (found,) = find_doubtful([track])
    assert [doubt.kind for doubt in found.doubts] == ["low_score"]
