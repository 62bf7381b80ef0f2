"""Pictures of eyes, their labels and their random changes."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.models.datasets.photo_splits import is_held_back
from steadymark.models.errors import DataError, WeightsError
from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH
from steadymark.models.training.pupils.eye_augment import (
    SEEN,
    UNSEEN,
    EyeAugment,
    augment_eye,
)
from steadymark.models.training.pupils.eye_pictures import (
    HELD_BACK,
    EyePicture,
    annotated_eyes,
    as_tensors,
    eye_pictures,
    from_tensors,
    read_pupils,
)
from steadymark.models.training.pupils.eye_renders import render_eye
from steadymark.models.training.pupils.pupil_labels import closed_eyes, label_pupils
from steadymark.models.training.pupils.pupil_scores import (
    area_under_curve,
    crop_of_eye,
    error_percent,
)
from steadymark.models.training.pupils.pupil_system import PupilSystem
from steadymark.models.training.pupils.reference_network import own_errors, reference_pupils
from steadymark.models.training.pupils.simple_methods import darkest_disc
from support.drawn_eyes import draw_eyes, face_points

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

PLAIN = EyeAugment(0, 0, 0, 0, 0, 1, 0, 0)
POINTS = face_points()


def pictures(gaze: tuple[float, float] = (0.0, 0.0)) -> tuple[EyePicture, EyePicture]:
    image, pupils = draw_eyes(POINTS, gaze=gaze)
    return eye_pictures("drawn", image, POINTS, pupils)


def test_the_left_eye_is_shown_as_a_right_eye() -> None:
    right, left = pictures()
    assert right.lids[0, 0] < right.lids[3, 0]
    assert left.lids[0, 0] < left.lids[3, 0]
    np.testing.assert_allclose(right.lids, left.lids, atol=0.1)
    assert abs(float(right.pupil[0] - left.pupil[0])) < 0.1
    right, left = pictures((0.1, 0.0))
    assert left.pupil[0] < 47 < right.pupil[0]


def test_the_pupil_is_dark_where_the_label_says() -> None:
    for eye in pictures((0.1, 0.03)):
        x, y = eye.pupil.round().astype(int)
        assert eye.image[y, x] < 40


def test_the_held_back_photos_are_always_the_same() -> None:
    names = [f"scut_{i:05d}.jpg" for i in range(1, 41)]
    held_back = [int(n[5:10]) for n in names if is_held_back(n, HELD_BACK)]
    assert held_back == [3, 13, 25, 29, 37, 39, 40]


def test_no_face_is_in_both_parts(tmp_path: Path) -> None:
    image, _ = draw_eyes(POINTS)
    small = cv2.resize(image, (300, 300))
    for number in range(12):
        file = tmp_path / "300w" / "train" / f"helen_{number}_1.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), small)
        rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in POINTS / 3 + 1)
        text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        file.with_suffix(".pts").write_text(text)
    parts = [
        {eye.name for eye in annotated_eyes(tmp_path, held_back=held_back)}
        for held_back in (False, True)
    ]
    assert not parts[0] & parts[1]
    assert len(parts[0] | parts[1]) == 12
    assert all(parts)


def test_pupils_are_read_with_the_right_eye_first(tmp_path: Path) -> None:
    table = tmp_path / "pupils.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["file", "left_x", "left_y", "right_x", "right_y"], ["a.jpg", 1, 2, 3, 4]]
        )
    np.testing.assert_array_equal(read_pupils(table)["a.jpg"], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "content", ["file,left_x\na.jpg,1\n", "file,left_x,left_y,right_x,right_y\na,b,c,d,e\n"]
)
def test_a_malformed_table_of_pupils_is_told_in_a_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text(content)
    with pytest.raises(DataError, match=r"pupils\.csv cannot be read .*give columns file, left_x"):
        read_pupils(tmp_path / "pupils.csv")


def test_eyes_survive_a_checkpoint() -> None:
    eyes = [*pictures(), replace(pictures()[0], pupil=np.full(2, np.nan, np.float32))]
    again = from_tensors(as_tensors(eyes))
    for one, other in zip(eyes, again, strict=True):
        assert (one.name, one.eye) == (other.name, other.eye)
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.pupil, other.pupil)
    assert from_tensors(as_tensors([])) == []


def test_the_label_follows_an_iris_that_is_moved() -> None:
    eye, found = pictures()[0], []
    for seed in range(30):
        sample = augment_eye(eye, replace(PLAIN, move=1.0), np.random.default_rng(seed))
        assert sample.seen == SEEN
        around = np.hypot(*np.mgrid[0:EYE_HEIGHT, 0:EYE_WIDTH][::-1] - sample.xy[:, None, None])
        inside = sample.image[around < 3].mean()
        found.append((float(sample.xy[0]), inside < sample.image[around > 8].mean() - 10))
    assert np.std([x for x, _ in found]) > 1.5
    assert np.mean([is_dark for _, is_dark in found]) > 0.85


def test_a_lowered_lid_hides_the_pupil() -> None:
    eye = pictures()[0]
    labels = [
        augment_eye(eye, replace(PLAIN, close=1.0), np.random.default_rng(seed)).seen
        for seed in range(60)
    ]
    assert {SEEN, UNSEEN} <= set(labels)
    closed = replace(eye, pupil=np.full(2, np.nan, np.float32))
    assert augment_eye(closed, PLAIN, np.random.default_rng(0)).seen == UNSEEN


def test_drawn_eyes_are_darker_at_the_pupil_than_around_it() -> None:
    darker = []
    for seed in range(40):
        eye = render_eye(np.random.default_rng(seed))
        x, y = eye.pupil.round().astype(int)
        iris = eye.image[y - 1 : y + 2, x - 1 : x + 2].mean()
        middle = eye.lids[[0, 3]].mean(0)
        assert abs(float(eye.pupil[0] - middle[0])) < 20
        darker.append(iris < np.median(eye.image))
    assert np.mean(darker) > 0.9


def test_errors_are_shares_of_the_eye_width() -> None:
    eyes = list(pictures((0.05, 0.0)))
    crops = [crop_of_eye(eye) for eye in eyes]
    found = np.array([darkest_disc(crop, eye) for crop, eye in zip(crops, eyes, strict=True)])
    exact = error_percent(eyes, found)
    assert (exact < 6).all()
    width_in_crop = EYE_WIDTH / 1.7
    moved = found + np.array((0.1 * width_in_crop, 0))
    assert np.abs(error_percent(eyes, moved) - 10).max() < 6.5


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order() -> None:
    assert area_under_curve(np.array([1.0, 3.0]), np.array([0.0, 2.0])) == 0.75
    assert area_under_curve(np.array([1.0]), np.array([1.0])) == 0.5


def test_labels_of_a_teacher_are_used_only_where_its_views_agree() -> None:
    eyes = list(pictures())
    nowhere = [replace(eye, pupil=np.full(2, np.nan, np.float32)) for eye in eyes]

    def sure(crops: Image) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        found = [darkest_disc(crop, eyes[0]) for crop in crops]
        return np.array(found), np.ones(len(crops))

    def guessing(crops: Image) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        rng = np.random.default_rng(0)
        return rng.uniform(0, 40, (len(crops), 2)), np.ones(len(crops))

    def blind(crops: Image) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        return sure(crops)[0], np.full(len(crops), 0.3)

    labelled = label_pupils(nowhere, sure, seed=0)
    assert len(labelled) == 2
    for eye, truth in zip(labelled, eyes, strict=True):
        assert np.hypot(*(eye.pupil - truth.pupil)) < 2.5
    assert label_pupils(nowhere, guessing, seed=0) == []
    assert label_pupils(nowhere, blind, seed=0) == []


def test_eyes_whose_lids_touch_are_closed() -> None:
    eye = pictures()[0]
    lids = eye.lids.copy()
    lids[4:6] = lids[2:0:-1]
    assert [each.lids is lids for each in closed_eyes([eye, replace(eye, lids=lids)])] == [True]


def test_a_missing_teacher_is_told_in_a_sentence(tmp_path: Path) -> None:
    system = PupilSystem(teacher="elsewhere")
    with pytest.raises(DataError, match=r"teacher=elsewhere: .* does not exist: train it first"):
        system.open(tmp_path, tmp_path / "run", seed=0)


def test_the_own_errors_of_three_measurements_are_told_apart() -> None:
    rng, truth = np.random.default_rng(0), np.zeros((5000, 2))
    noises = (0.4, 1.2, 0.8)  # pixels; 40 pixels are 100 %
    measured = [truth + rng.normal(0, noise, truth.shape) for noise in noises]
    measured[2] += (0.5, -0.3)  # a constant offset does not count
    expected = [noise * 2.5 * np.sqrt(2) for noise in noises]
    np.testing.assert_allclose(own_errors(*measured), expected, rtol=0.1)


def test_a_file_that_is_no_iris_network_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "iris.tflite").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"iris\.tflite is not MediaPipe's iris network"):
        reference_pupils(tmp_path / "iris.tflite", pictures())
