"""What lids, brows and mouth do, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.streaming.expressions import features, openness, solid_points
from steadymark.engine.tracking.head_pose import mean_face
from support.fakes.stream_receivers import posed_face

TURNS = [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, -0.4, 0.0), (0.1, 0.3, -0.5)]


@pytest.mark.parametrize("turn", TURNS)
def test_points_are_laid_onto_the_mean_face_whichever_way_it_looks(
    turn: tuple[float, float, float],
) -> None:
    solid = solid_points(posed_face(turn))
    assert solid is not None
    assert np.abs(solid - mean_face()).max() < 0.5


def moved(places: list[int], axis: int, by_mm: float) -> dict[str, float]:
    face = mean_face().copy()
    face[places, axis] += by_mm
    solid = solid_points(posed_face((0.1, 0.2, 0.1), solid=face))
    assert solid is not None
    return features(solid)


REST = moved([], 1, 0)


@pytest.mark.parametrize(
    ("places", "axis", "by_mm", "more", "less"),
    [
        ([43, 44], 1, 6, [], ["eye_l"]),
        ([40, 41], 1, 3, ["eye_r"], []),
        ([22, 23, 24, 25, 26], 1, 8, [], ["eyebrow_updown_l"]),
        ([17], 1, 8, ["eyebrow_steepness_r", "eyebrow_quirk_r"], ["eyebrow_updown_r"]),
        ([24], 1, -3, ["eyebrow_quirk_l"], []),
        ([64], 1, -4, [], ["mouth_corner_updown_l"]),
        ([60], 0, -6, ["mouth_corner_inout_r", "mouth_wide"], []),
        ([65, 66, 67, 56, 57, 58], 1, 15, ["mouth_open"], []),
    ],
)
def test_each_number_follows_its_part_of_the_face_and_no_other(
    places: list[int], axis: int, by_mm: float, more: list[str], less: list[str]
) -> None:
    """Sides are the person's: iBUG's 22–26, 42–47 and 54 lie on the person's left."""
    now = moved(places, axis, by_mm)
    changed = {name: now[name] - REST[name] for name in now}
    assert all(changed[name] > 0.1 for name in more), changed
    assert all(changed[name] < -0.1 for name in less), changed
    others = {n: v for n, v in changed.items() if n not in (*more, *less)}
    assert all(abs(v) < 0.09 for v in others.values()), others


def test_a_closed_eye_is_0_and_an_open_one_1_in_any_pose() -> None:
    face = mean_face().copy()
    for upper, lower in ((43, 47), (44, 46)):
        face[upper] = face[lower] - (0, 1, 0)
    for turn in TURNS:
        solid = solid_points(posed_face(turn, solid=face))
        assert solid is not None
        now = features(solid)
        assert openness(now["eye_l"]) == 0
        assert openness(now["eye_r"]) > 0.95


def test_what_cannot_be_measured_is_0() -> None:
    assert np.isfinite(list(features(np.zeros((68, 3))).values())).all()
    assert set(features(np.full((68, 3), np.nan)).values()) == {0.0}


def test_a_face_without_a_pose_has_none() -> None:
    from support.fakes.fake_results import lost_face

    assert solid_points(lost_face()) is None
