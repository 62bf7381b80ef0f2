"""Held-back hard faces, and the harder training images of face_net."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.datasets.hard_faces import (
    _hardest,
    exact_faces,
    hard_photos,
    shape_distance,
    turned_faces,
)
from steadymark.models.datasets.photo_splits import photo_of, photos
from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.face_occlusion import cover_box
from steadymark.models.synthesis.faces.head_rotation import turn_head
from steadymark.models.training.detector.detector_hard_faces import draw_turn
from steadymark.models.training.detector.face_net_card import scores_of

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Points


def upright_face(side: float = 120.0) -> Points:
    shape = load_schema("ibug68").mean_shape
    points: Points = ((shape - shape.min(0)) * side + 100).astype(np.float32)
    return points


def test_the_shape_distance_is_invariant_to_rotation_scale_and_shift() -> None:
    points = upright_face()
    cos, sin = math.cos(0.7), math.sin(0.7)
    rotated = 3 * points @ np.array([[cos, sin], [-sin, cos]]) + (40, -7)
    assert shape_distance(rotated) == pytest.approx(0, abs=1e-5)
    narrow = points * (0.5, 1.0)
    assert shape_distance(narrow) > 0.05


def test_the_hardest_photos_are_selected_with_all_their_faces() -> None:
    hardness = {"a": [0.1, 0.9], "b": [0.5], "c": [0.2] * 17}
    assert _hardest(hardness, 0.1) == {"a"}
    assert _hardest(hardness, 0.11) == {"a", "b"}
    assert _hardest({}, 0.1) == set()


def test_the_splits_of_turned_faces_are_fixed_and_disjoint(tmp_path: Path) -> None:
    folder = tmp_path / "aflw2000"
    folder.mkdir()
    rows = [f"{i:04}.jpg,{i}.5,{'exact' if i % 10 == 0 else 'good'}" for i in range(80)]
    (folder / "index.csv").write_text("\n".join(["file,yaw_deg,alignment", *rows]) + "\n")
    held_back, trained, exact = (
        turned_faces(tmp_path, held_back=True),
        turned_faces(tmp_path, held_back=False),
        exact_faces(tmp_path),
    )
    assert not (held_back.keys() & trained.keys())
    assert not (exact.keys() & (held_back.keys() | trained.keys()))
    assert len(held_back) + len(trained) == 72
    assert min(len(held_back), len(trained)) > 20
    assert exact["0010"] == 10.5
    (folder / "index.csv").write_text("file,alignment\n0000.jpg,good\n")
    with pytest.raises(DataError, match="yaw_deg"):
        exact_faces(tmp_path)


def test_turning_a_head_moves_its_nose_in_that_direction() -> None:
    image = np.random.default_rng(0).integers(0, 255, (320, 320, 3), np.uint8)
    points = upright_face()
    rotated, right = turn_head(image, points, 40.0, 0.0)
    _, left = turn_head(image, points, -40.0, 0.0)
    _, down = turn_head(image, points, 0.0, 25.0)
    assert rotated.shape == image.shape
    middle = points[:, 0].mean()
    assert right[30, 0] > middle + 15
    assert left[30, 0] < middle - 15
    assert down[30, 1] > points[30, 1] + 5
    assert np.isfinite(right).all()
    same, unmoved = turn_head(image, points, 0.0, 0.0)
    assert np.abs(unmoved - points).max() < 0.02 * 120
    assert np.abs(same.astype(int) - image).mean() < 5


def test_a_turned_head_is_turned_further_to_the_same_side() -> None:
    image = np.zeros((320, 320, 3), np.uint8)
    _, right = turn_head(image, upright_face(), 35.0, 0.0)
    assert all(draw_turn(right, np.random.default_rng(i))[0] > 0 for i in range(8))
    drawn_yaws = [draw_turn(upright_face(), np.random.default_rng(i))[0] for i in range(20)]
    assert min(drawn_yaws) < 0 < max(drawn_yaws)


@pytest.mark.parametrize("roll_deg", [0.0, 130.0, math.nan])
def test_an_occluder_covers_a_part_of_the_box(roll_deg: float) -> None:
    changed = []
    for seed in range(40):
        image = np.random.default_rng(1).integers(90, 160, (200, 200, 3), np.uint8)
        before = image.copy()
        cover_box(image, np.array([80.0, 80, 120, 124]), roll_deg, np.random.default_rng(seed))
        changed.append((image != before).any(2)[80:124, 80:120].mean())
    assert np.mean([share > 0.02 for share in changed]) > 0.8
    assert min(changed) < 0.9


def test_a_box_at_the_edge_of_the_image_can_be_covered() -> None:
    for seed in range(60):
        image = np.full((64, 64, 3), 120, np.uint8)
        cover_box(image, np.array([-30.0, 50, 20, 90]), 10.0, np.random.default_rng(seed))


@pytest.mark.data
def test_the_hard_photos_are_a_tenth_of_afw_and_in_no_other_split(
    data: Path,
) -> None:
    stems = [path.stem for path in (data / "300w" / "train").glob("afw_*.pts")]
    hard = hard_photos(data)
    faces = [stem for stem in stems if photo_of(stem) in hard]
    assert 0.1 * len(stems) <= len(faces) < 0.13 * len(stems)
    other = photos(data, "train", held_back=True)
    assert not {photo_of(file.rsplit(".", 1)[0]) for file in other} & hard


def test_a_card_contains_the_figures_of_the_benchmark() -> None:
    figures = {
        "false_per_100": 0.606,
        "crowds": {"faces": 400, "hits": 380, "iou": 0.8},
        "train": {"faces": 100, "hits": 100, "iou": 0.91},
        "hard": {"40 px": {"faces": 157, "missed": ["a", "b"]}},
        "hard_set": {"faces": 157, "missed": 2, "percent": 1.27},
        "rolls": {"faces": 1000, "found": 980, "within_10": 970, "median_deg": 2.34},
    }
    scores = scores_of({"face_net": figures})
    assert scores["recall_crowds_held_back_percent"] == 95
    assert scores["false_boxes_per_100_photos"] == 0.61
    assert scores["missed_40_px_of_157"] == 2
    assert scores["roll_within_10_deg_percent"] == 97
