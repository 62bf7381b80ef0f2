"""All schemas, and the conversion from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.face.crop import fit_crop
from steadymark.models.face.schema import LandmarkSchema, load_schema, nameless_schema, schema_names
from steadymark.models.face.schema_conversion import map_points, matching_landmarks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = schema_names()
SHAPED = tuple(name for name in NAMES if load_schema(name).known_shape is not None)
COUNTS = {
    "aflw19": 19,
    "cofw29": 29,
    "fgnet68": 68,
    "ibug68": 68,
    "ibug68_3d": 68,
    "insightface106": 106,
    "jd106": 106,
    "menpo84": 84,
    "wflw98": 98,
}


def misfit(shape: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the distances (n,) of points from the fitted shape, relative to the face size."""
    fit = fit_crop(points, shape, margin=1)
    roll = np.radians(fit.roll_deg)
    turn = fit.side * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    transformed = shape @ turn.T + (fit.x, fit.y)
    distance: NDArray[np.floating] = np.linalg.norm(transformed - points, axis=1) / fit.side
    return distance


def test_all_schemas_have_their_number_of_landmarks() -> None:
    assert {name: load_schema(name).count for name in NAMES} == COUNTS


@pytest.mark.parametrize("name", NAMES)
def test_regions_partition_the_landmarks_and_are_symmetric(name: str) -> None:
    schema = load_schema(name)
    assert sorted(i for part in schema.regions.values() for i in part) == [*range(schema.count)]
    assert set(schema.regions) == {"contour", "brows", "nose", "eyes", "mouth"}
    for part in schema.regions.values():
        assert {int(schema.mirror[i]) for i in part} == set(part)


@pytest.mark.parametrize("name", NAMES)
def test_contours_and_eyes_are_symmetric(name: str) -> None:
    schema = load_schema(name)
    drawn = {(frozenset(points), closed) for points, closed in schema.contours}
    mirrored = {(frozenset(schema.mirror[list(p)].tolist()), c) for p, c in schema.contours}
    assert drawn == mirrored
    right, left = schema.eyes
    assert schema.mirror[right] == left
    assert {right, left} <= set(schema.regions["eyes"])


@pytest.mark.parametrize("name", SHAPED)
def test_a_mean_shape_is_upright_symmetric_and_of_size_one(name: str) -> None:
    schema = load_schema(name)
    shape = schema.mean_shape
    assert shape.dtype == np.float32
    np.testing.assert_allclose((shape * (-1, 1))[schema.mirror], shape, atol=2e-5)
    assert np.ptp(shape, axis=0).max() == pytest.approx(1, abs=2e-5)
    np.testing.assert_allclose(shape.min(0) + shape.max(0), 0, atol=2e-5)
    right, left = schema.eyes
    assert shape[right, 0] < shape[left, 0]
    brows, mouth = (shape[list(schema.regions[part]), 1] for part in ("brows", "mouth"))
    assert brows.max() < mouth.min()


@pytest.mark.parametrize("name", [n for n in SHAPED if n != "ibug68"])
def test_a_mapped_mean_shape_matches_that_of_ibug(name: str) -> None:
    ibug_shape, other_shape = load_schema("ibug68").mean_shape, load_schema(name).mean_shape
    mapped = map_points(other_shape, name, "ibug68")
    both = np.isfinite(mapped).all(1)
    assert both.sum() >= 16
    assert misfit(ibug_shape[both], mapped[both] * 100).max() < 1e-4


@pytest.mark.parametrize("name", [n for n in NAMES if n != "ibug68"])
def test_a_map_is_one_to_one_and_keeps_left_and_right(name: str) -> None:
    schema, ibug = load_schema(name), load_schema("ibug68")
    index = matching_landmarks(name, "ibug68")
    paired = np.flatnonzero(index >= 0)
    assert len(set(index[paired].tolist())) == len(paired)
    np.testing.assert_array_equal(schema.mirror[index[paired]], index[ibug.mirror[paired]])
    assert [int(index[i]) for i in ibug.eyes] == list(schema.eyes)
    for part, indices in ibug.regions.items():
        assert {int(index[i]) for i in indices} - {-1} <= set(schema.regions[part])
    exact = matching_landmarks(name, "ibug68", exact=True)
    np.testing.assert_array_equal(exact[exact >= 0], index[exact >= 0])


def test_mapping_there_and_back_keeps_common_landmarks() -> None:
    points = np.random.default_rng(0).normal(size=(3, 68, 2)).astype(np.float32)
    converted = map_points(points, "ibug68", "wflw98")
    assert converted.shape == (3, 98, 2)
    assert np.isnan(converted).all(-1).sum() == 3 * 30
    np.testing.assert_array_equal(map_points(converted, "wflw98", "ibug68"), points)
    np.testing.assert_array_equal(map_points(points, "ibug68", "ibug68"), points)


def test_two_other_schemas_are_mapped_through_ibug() -> None:
    index = matching_landmarks("wflw98", "cofw29")
    assert index[[8, 9, 22, 23, 28]].tolist() == [60, 72, 76, 82, 16]
    assert index[16] == -1  # pupils, which iBUG lacks


def test_two_numberings_of_106_landmarks_correspond() -> None:
    """InsightFace: pupils 38 and 92, tip of the nose 86, corners of the mouth 52 and 61."""
    jd, insightface = (matching_landmarks(name, "ibug68") for name in ("jd106", "insightface106"))
    assert jd[[8, 30, 36, 45, 48, 54]].tolist() == [16, 54, 66, 79, 84, 90]
    assert insightface[[8, 30, 36, 45, 48, 54]].tolist() == [0, 86, 35, 93, 52, 61]
    same = matching_landmarks("insightface106", "jd106")
    assert same[[54, 84, 90]].tolist() == [86, 52, 61]
    shapes = [load_schema(name).mean_shape for name in ("jd106", "insightface106")]
    shared = np.flatnonzero(same >= 0)
    np.testing.assert_array_equal(shapes[0][shared], shapes[1][same[shared]])
    np.testing.assert_array_equal(shapes[0][[104, 105]], shapes[1][[38, 92]])  # pupils
    np.testing.assert_array_equal(shapes[0][[74, 83]], shapes[1][[34, 88]])  # middles of the eyes


def test_the_map_of_talking_face_matches_its_documentation() -> None:
    index = matching_landmarks("fgnet68", "ibug68")
    assert index[[36, 39, 42, 45, 8, 33, 30]].tolist() == [27, 29, 34, 32, 7, 41, 67]
    assert index[48:60].tolist() == [*range(48, 60)]
    assert matching_landmarks("fgnet68", "ibug68", exact=True)[30] == -1
    with pytest.raises(ValueError, match="no mean shape of fgnet68"):
        _ = load_schema("fgnet68").mean_shape


def test_points_of_another_schema_are_refused() -> None:
    with pytest.raises(ValueError, match=r"points of wflw98 are \(\.\.\., 98, 2\)"):
        map_points(np.zeros((68, 2)), "wflw98", "ibug68")
    with pytest.raises(ValueError, match="unknown landmark schema 'nonsense'"):
        map_points(np.zeros((68, 2)), "ibug68", "nonsense")


def test_an_inconsistent_schema_is_refused() -> None:
    def make_schema(
        mirror: list[int], mouth: tuple[int, ...] = (0,), rows: int = 2
    ) -> LandmarkSchema:
        return LandmarkSchema(
            "made",
            np.array(mirror),
            {"mouth": mouth},
            (),
            (0, 1),
            np.zeros((rows, 2), np.float32),
        )

    assert make_schema([1, 0]).count == 2
    with pytest.raises(ValueError, match="mean_shape"):
        make_schema([1, 0, 2])
    with pytest.raises(ValueError, match="lead back"):
        make_schema([1, 1])
    with pytest.raises(ValueError, match="names 7"):
        make_schema([1, 0], (0, 7))


@pytest.mark.data
def test_talking_face_mapped_to_ibug_matches_the_mean_shape(data: Path) -> None:
    rows = np.loadtxt(data / "talking_face" / "points_fgnet68.csv", delimiter=",")
    points = rows.reshape(-1, 68, 2)
    shape = load_schema("ibug68").mean_shape
    mapped = map_points(points, "fgnet68", "ibug68")
    both = np.isfinite(mapped).all((0, 2))
    assert both.sum() == 23
    for xy in mapped[::100, both]:
        distance = misfit(shape[both], xy)
        assert distance.max() < 0.12
        assert distance.mean() < 0.05


@pytest.mark.data
def test_talking_face_is_nearly_symmetric(data: Path) -> None:
    rows = np.loadtxt(data / "talking_face" / "points_fgnet68.csv", delimiter=",")
    schema, mean = load_schema("fgnet68"), rows.reshape(-1, 68, 2).mean(0)
    distance = misfit(mean / 200, (mean * (-1, 1))[schema.mirror])
    inner = [i for part in ("eyes", "brows", "nose", "mouth") for i in schema.regions[part]]
    eyes = np.linalg.norm(mean[schema.eyes[0]] - mean[schema.eyes[1]]) / 200
    assert (distance[inner] / eyes).max() < 0.2


@pytest.mark.parametrize(
    ("name", "landmark", "part"),
    [
        ("ibug68", 37, range(36, 42)),  # one eye
        ("ibug68", 45, range(42, 48)),
        ("ibug68", 17, range(17, 22)),  # one brow
        ("ibug68", 30, range(27, 36)),
        ("ibug68", 62, range(48, 68)),
        ("ibug68", 8, range(17)),
        ("wflw98", 96, (*range(60, 68), 96)),  # with its pupil
    ],
)
def test_a_landmark_belongs_to_a_part_of_the_face(
    name: str, landmark: int, part: Sequence[int]
) -> None:
    assert sorted(load_schema(name).part_of(landmark)) == list(part)


def test_a_landmark_without_a_region_is_alone() -> None:
    assert nameless_schema(5).part_of(3) == (3,)
