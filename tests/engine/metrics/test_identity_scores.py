"""MOTA and IDF1 on videos that can be counted by hand."""

from __future__ import annotations

import math

import pytest

from steadymark.engine.core.types import FaceBox
from steadymark.engine.metrics.identity_scores import IdentityFrame, IdentityScores, identity_scores

A, B = FaceBox(0, 0, 10, 10), FaceBox(100, 0, 10, 10)
NEAR_A = FaceBox(2, 0, 10, 10)  # IoU 2/3
FAR = FaceBox(300, 0, 10, 10)


def test_faces_that_keep_their_ids_score_perfectly() -> None:
    scores = identity_scores([IdentityFrame({0: A, 1: B}, {7: NEAR_A, 3: B}, {})] * 5)
    assert scores == IdentityScores(truths=10, founds=10, kept=10)
    assert (scores.mota, scores.idf1) == (1, 1)


def test_ids_that_swap_halfway_give_two_switches_and_half_the_idf1() -> None:
    before, after = (
        IdentityFrame({0: A, 1: B}, {0: A, 1: B}, {}),
        IdentityFrame({0: A, 1: B}, {1: A, 0: B}, {}),
    )
    scores = identity_scores([before] * 2 + [after] * 2)
    assert (scores.switches, scores.misses, scores.false) == (2, 0, 0)
    assert scores.mota == pytest.approx(1 - 2 / 8)
    assert scores.idf1 == pytest.approx(0.5)


def test_a_switch_after_a_gap_is_counted_once() -> None:
    scores = identity_scores(
        [IdentityFrame({0: A}, {0: A}, {})] * 3
        + [IdentityFrame({0: A}, {}, {})]
        + [IdentityFrame({0: A}, {5: A}, {})] * 4
    )
    assert (scores.switches, scores.misses) == (1, 1)
    assert scores.mota == pytest.approx(1 - 2 / 8)
    assert scores.idf1 == pytest.approx(2 * 4 / (8 + 7))


def test_misses_and_false_faces_lower_the_scores() -> None:
    scores = identity_scores([IdentityFrame({0: A}, {0: FAR}, {}), IdentityFrame({}, {0: FAR}, {})])
    assert (scores.misses, scores.false) == (1, 2)
    assert scores.mota == pytest.approx(-2)
    assert scores.idf1 == 0


def test_a_box_on_a_hidden_face_is_ignored() -> None:
    scores = identity_scores([IdentityFrame({0: A}, {0: A, 1: B}, {1: B})] * 3)
    assert scores == IdentityScores(truths=3, founds=3, kept=3)


def test_a_matched_pair_is_kept_although_another_box_fits_better() -> None:
    scores = identity_scores(
        [IdentityFrame({0: A}, {1: A}, {}), IdentityFrame({0: A}, {1: NEAR_A, 2: A}, {})]
    )
    assert (scores.switches, scores.false) == (0, 1)


def test_scores_of_videos_add_up_and_empty_scores_are_nan() -> None:
    one = identity_scores([IdentityFrame({0: A}, {0: A}, {})])
    other = identity_scores([IdentityFrame({0: A}, {9: A}, {})])
    assert (one + other) == IdentityScores(truths=2, founds=2, kept=2)
    assert math.isnan(IdentityScores().mota)
    assert math.isnan(IdentityScores().idf1)
