"""Expression features of lids, brows and mouth."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.openseeface_features import features, openness, solid_points
from support.fakes.stream_receivers import posed_face

TURNS = [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, -0.4, 0.0), (0.1, 0.3, -0.5)]


@pytest.mark.parametrize("turn", TURNS)
def test_solid_points_match_the_mean_face_in_any_pose(
    turn: tuple[float, float, float],
) -> None:
    solid = solid_points(posed_face(turn))
    assert solid is not None
    assert np.abs(solid - mean_face()).max() < 0.5


def features_after_moving(landmarks: list[int], axis: int, by_mm: float) -> dict[str, float]:
    face = mean_face().copy()
    face[landmarks, axis] += by_mm
    solid = solid_points(posed_face((0.1, 0.2, 0.1), solid=face))
    assert solid is not None
    return features(solid)


REST = features_after_moving([], 1, 0)


@pytest.mark.parametrize(
    ("landmarks", "axis", "by_mm", "increased", "decreased"),
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
def test_each_feature_changes_only_with_its_part_of_the_face(
    landmarks: list[int], axis: int, by_mm: float, increased: list[str], decreased: list[str]
) -> None:
    """Sides are the person's: iBUG's 22–26, 42–47 and 54 lie on the person's left."""
    measured = features_after_moving(landmarks, axis, by_mm)
    changed = {name: measured[name] - REST[name] for name in measured}
    assert all(changed[name] > 0.1 for name in increased), changed
    assert all(changed[name] < -0.1 for name in decreased), changed
    others = {n: v for n, v in changed.items() if n not in (*increased, *decreased)}
    assert all(abs(v) < 0.09 for v in others.values()), others


def test_openness_is_0_for_closed_and_1_for_open_eyes_in_any_pose() -> None:
    face = mean_face().copy()
    for upper, lower in ((43, 47), (44, 46)):
        face[upper] = face[lower] - (0, 1, 0)
    for turn in TURNS:
        solid = solid_points(posed_face(turn, solid=face))
        assert solid is not None
        measured = features(solid)
        assert openness(measured["eye_l"]) == 0
        assert openness(measured["eye_r"]) > 0.95


def test_features_that_cannot_be_measured_are_0() -> None:
    assert np.isfinite(list(features(np.zeros((68, 3))).values())).all()
    assert set(features(np.full((68, 3), np.nan)).values()) == {0.0}


def test_a_face_without_a_pose_has_no_solid_points() -> None:
    from support.fakes.fake_results import lost_face

    assert solid_points(lost_face()) is None
