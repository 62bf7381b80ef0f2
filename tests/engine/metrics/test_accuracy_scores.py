"""Scores of faces against plain loops, and which landmarks count."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy import auc, failure_rate
from steadymark.engine.metrics.accuracy_scores import (
    APART,
    FacePlace,
    HeadYaw,
    LandmarkComparison,
    accuracy_of,
    join_comparisons,
)
from steadymark.engine.metrics.landmark_correspondence import (
    Correspondence,
    correspondence_with_truth,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points

SCHEMA = load_schema("ibug68")
RNG = np.random.default_rng(11)
GROUND_TRUTH = np.stack(
    [face_points(80, 60, size).astype(np.float64) for size in (50, 60, 80, 100)]
)
PREDICTED = GROUND_TRUTH + RNG.normal(0, [[[1.0]], [[2.0]], [[4.0]], [[1.0]]], GROUND_TRUTH.shape)
PREDICTED[3] = np.nan
OFF = np.array((3.0, 4.0))  # an error of 5 pixels


def comparison(
    found: np.ndarray = PREDICTED,
    ground_truth: np.ndarray = GROUND_TRUTH,
    scored: tuple[int, ...] = (),
) -> LandmarkComparison:
    places = tuple(FacePlace(f"face{i}", f"face{i}.png") for i in range(len(found)))
    return LandmarkComparison(places, found, ground_truth, SCHEMA, scored or tuple(range(68)))


def plain_nrmse(face: int, landmarks: list[int], length: float) -> float:
    total = sum(math.dist(PREDICTED[face, k], GROUND_TRUTH[face, k]) for k in landmarks)
    return 100 * total / len(landmarks) / length


def eyes(face: int) -> float:
    return math.dist(GROUND_TRUTH[face, 36], GROUND_TRUTH[face, 45])


def test_every_figure_equals_that_of_plain_loops() -> None:
    result = accuracy_of(comparison())
    errors = [plain_nrmse(i, list(range(68)), eyes(i)) for i in range(3)]
    assert (result.faces, result.missed) == (4, 1)
    assert result.nrmse == pytest.approx(sum(errors) / 3)
    assert result.median == pytest.approx(sorted(errors)[1])
    all_errors = np.array([*errors, np.nan])
    assert result.fr8 == failure_rate(all_errors, 8.0)
    assert result.fr10 == failure_rate(all_errors, 10.0)
    assert 0.25 <= result.fr10 <= result.fr8 < 1
    assert result.auc8 == pytest.approx(auc(all_errors, 8.0))
    assert result.auc10 == pytest.approx(auc(all_errors, 10.0))
    assert result.auc8 != result.auc10


def test_other_normalisations_use_the_ground_truth_of_each_face() -> None:
    result = accuracy_of(comparison())
    all_landmarks = list(range(68))

    def mean(length: list[float]) -> float:
        return sum(plain_nrmse(i, all_landmarks, length[i]) for i in range(3)) / 3

    sizes = [np.ptp(GROUND_TRUTH[i], axis=0) for i in range(3)]
    pupils = [
        math.dist(GROUND_TRUTH[i, 36:42].mean(0), GROUND_TRUTH[i, 42:48].mean(0)) for i in range(3)
    ]
    assert result.nrmse_inter_pupil == pytest.approx(mean(pupils))
    assert result.nrmse_box_diagonal == pytest.approx(mean([math.hypot(*s) for s in sizes]))
    assert result.nrmse_box_size == pytest.approx(mean([math.sqrt(s[0] * s[1]) for s in sizes]))


def test_regions_are_means_over_their_landmarks_and_the_found_faces() -> None:
    result = accuracy_of(comparison())
    assert list(result.regions) == ["contour", "brows", "nose", "eyes", "mouth"]
    for name, part in SCHEMA.regions.items():
        each = [plain_nrmse(i, list(part), eyes(i)) for i in range(3)]
        assert result.regions[name] == pytest.approx(sum(each) / 3)
    weights = {name: len(part) for name, part in SCHEMA.regions.items()}
    whole = sum(result.regions[n] * w for n, w in weights.items()) / sum(weights.values())
    assert whole == pytest.approx(result.nrmse)


def test_only_the_chosen_landmarks_count() -> None:
    result = accuracy_of(comparison(scored=(36, 39, 48)))
    errors = [plain_nrmse(i, [36, 39, 48], eyes(i)) for i in range(3)]
    assert result.nrmse == pytest.approx(sum(errors) / 3)
    mouth = [plain_nrmse(i, [48], eyes(i)) for i in range(3)]
    assert result.regions["mouth"] == pytest.approx(sum(mouth) / 3)
    assert math.isnan(result.regions["nose"])


def test_every_face_fails_when_none_was_found() -> None:
    result = accuracy_of(comparison(np.full_like(PREDICTED, np.nan)))
    assert (result.missed, result.fr8, result.auc8) == (4, 1.0, 0.0)
    assert math.isnan(result.nrmse)
    assert math.isnan(result.median)


def test_differently_numbered_ground_truth_is_compared_at_corresponding_landmarks() -> None:
    chosen = Correspondence.parse("36=1,45=0,48=2")
    other = GROUND_TRUTH[:, [45, 36, 48]]
    ground_truth = in_our_numbers(other, SCHEMA, chosen, "other.pts")
    np.testing.assert_array_equal(ground_truth[:, [36, 45, 48]], GROUND_TRUTH[:, [36, 45, 48]])
    assert np.isfinite(ground_truth).all(-1).sum() == 3 * 4
    result = accuracy_of(
        comparison(ground_truth=ground_truth, scored=scored_landmarks(SCHEMA, chosen))
    )
    errors = [plain_nrmse(i, [36, 45, 48], eyes(i)) for i in range(3)]
    assert result.nrmse == pytest.approx(sum(errors) / 3)
    assert math.isnan(result.nrmse_box_diagonal)  # the box of the ground truth is unknown


@pytest.mark.parametrize("text", ["", "a", "1=2=3", "1,,2", "36,36", "-1", "1=-2", "36=1,36=2"])
def test_an_invalid_list_of_landmarks_is_reported(text: str) -> None:
    with pytest.raises(UsageError, match="not a list of landmarks"):
        Correspondence.parse(text)


@pytest.mark.parametrize(
    ("points", "text", "words"),
    [
        (66, None, "has 66 landmarks"),
        (68, "36,68", "landmark 68, but ibug68 has 0 to 67"),
        (10, "36=9,45=10", "landmark 10, but it has 0 to 9"),
        (10, "36=1,48=2", "outer eye corners 36 and 45"),
    ],
)
def test_landmarks_outside_the_schema_are_reported(
    points: int, text: str | None, words: str
) -> None:
    chosen = None if text is None else Correspondence.parse(text)
    with pytest.raises(UsageError, match=words):
        in_our_numbers(np.zeros((points, 2)), SCHEMA, chosen, "it")


def test_the_worst_faces_are_first_after_those_that_were_not_found() -> None:
    errors = comparison().errors()
    order = sorted(range(3), key=lambda i: -errors[i])
    assert comparison().worst(3) == [3, *order[:2]]
    assert comparison().worst(9) == [3, *order]


def test_the_worst_frames_of_a_video_have_a_minimum_distance() -> None:
    ground_truth = np.repeat(GROUND_TRUTH[:1], 60, axis=0)
    found = ground_truth + np.linspace(1, 3, 60)[:, None, None]  # the later the worse
    places = tuple(FacePlace("v", "v.mp4", t) for t in range(60))
    video = LandmarkComparison(places, found, ground_truth, SCHEMA, tuple(range(68)))
    assert video.worst(3) == [59, 59 - APART, 59 - 2 * APART]
    both = join_comparisons([video, comparison()])
    assert len(both.places) == 64
    assert both.worst(1) == [63]


def sized_comparison(yaw_deg: list[float]) -> LandmarkComparison:
    boxes = np.array([[100.0, 64.0], [50.0, 50.0], [30.0, 120.0], [1.0, 1.0]])
    yaw = HeadYaw(np.array(yaw_deg), "the data set")
    return replace(comparison(), box_px=boxes, yaw=yaw)


def test_errors_by_yaw_are_divided_by_the_size_of_the_whole_box() -> None:
    result = accuracy_of(sized_comparison([-30.0, 30.5, -75.0, 10.0]))
    errors = [
        plain_nrmse(i, list(range(68)), math.sqrt(w * h))
        for i, (w, h) in enumerate([(100, 64), (50, 50), (30, 120)])
    ]
    assert list(result.yaw) == ["0-30", "30-60", "60-90"]
    assert [(part.faces, part.missed) for part in result.yaw.values()] == [(2, 1), (1, 0), (1, 0)]
    assert [part.nrmse_box_size for part in result.yaw.values()] == pytest.approx(errors)
    assert result.yaw_mean == result.nrmse_box_size == pytest.approx(sum(errors) / 3)
    assert result.yaw_source == "the data set"
    diagonals = [math.hypot(100, 64), math.hypot(50, 50), math.hypot(30, 120)]
    by_diagonal = [plain_nrmse(i, list(range(68)), d) for i, d in enumerate(diagonals)]
    assert result.nrmse_box_diagonal == pytest.approx(sum(by_diagonal) / 3)


def test_each_range_of_yaw_counts_the_same_and_none_may_be_empty() -> None:
    uneven = accuracy_of(sized_comparison([0.0, 1.0, 45.0, 80.0]))
    assert math.isnan(uneven.yaw_mean)  # the face beyond 60 degrees was not found
    found = replace(sized_comparison([0.0, 1.0, 45.0, 80.0]), found=GROUND_TRUTH + OFF)
    result = accuracy_of(found)
    first, *others = (part.nrmse_box_size for part in result.yaw.values())
    assert first == pytest.approx((500 / 80 + 500 / 50) / 2)
    assert result.yaw_mean == pytest.approx((first + sum(others)) / 3)
    assert accuracy_of(comparison()).yaw == {}


def test_the_schema_of_the_ground_truth_follows_from_its_number_of_landmarks() -> None:
    menpo = correspondence_with_truth(SCHEMA, 84, "a.pts")
    assert menpo is not None
    assert len(menpo.ours) == 68
    assert menpo.theirs[:3] == (0, 2, 4)
    assert correspondence_with_truth(SCHEMA, 68, "a.pts") is None
    assert correspondence_with_truth(SCHEMA, 70, "a.pts") is None  # compared by number or refused
    deep = correspondence_with_truth(load_schema("ibug68_3d"), 68, "a.pts")
    assert deep is not None
    assert deep.ours == deep.theirs == tuple(range(17, 68))  # without the jaw
    assert correspondence_with_truth(SCHEMA, 68, "a.pts", named="ibug68_3d") == deep


def test_schemas_without_a_map_or_with_other_numbers_are_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=r"a\.pts has 68 landmarks, the schema wflw98 has 98: say"):
        correspondence_with_truth(SCHEMA, 68, "a.pts", named="wflw98")

    def no_map(ours: str, theirs: str) -> Correspondence:
        raise ValueError(f"no points of {theirs} are known to be points of {ours}")

    monkeypatch.setattr(Correspondence, "of_schemas", no_map)
    with pytest.raises(UsageError, match="no map between the two is known: say with --landmarks"):
        correspondence_with_truth(SCHEMA, 98, "a.pts")


def test_ranges_of_landmarks_are_parsed_and_printed() -> None:
    chosen = Correspondence.parse("36,45,0-3,5")
    assert chosen.ours == (36, 45, 0, 1, 2, 3, 5)
    assert str(chosen) == "0-3,5,36,45"
    assert str(Correspondence.parse("0-67")) == "0-67"
    assert str(Correspondence.parse("36=27,45=32")) == "36=27,45=32"
    for bad in ("3-1", "1-", "-2", "1-3=2"):
        with pytest.raises(UsageError, match="is not a list of landmarks"):
            Correspondence.parse(bad)
