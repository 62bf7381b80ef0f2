"""Faces in single images, their drawing and their head pose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import steadymark as sm
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

GROUND_TRUTH = assets_root() / "clips" / "demo_truth.csv"


def test_the_landmarks_of_a_detected_face_are_close_to_the_ground_truth(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    (face,) = landmarker.detect(image)
    ground_truth = sm.read_truth(GROUND_TRUTH)[0]
    assert face.landmarks.shape == (68, 2)
    assert face.landmarks.dtype == np.float32
    assert face.scores.shape == (68,)
    assert float(sm.metrics.nme(face.landmarks, ground_truth)) < 6
    assert face.state is sm.FaceState.DETECTED
    assert face.schema == landmarker.schema == "ibug68"
    assert face.box is not None
    assert face.box.left < face.landmarks[:, 0].mean() < face.box.left + face.box.width


def test_an_image_without_a_face_gives_an_empty_list(landmarker: sm.FaceLandmarker) -> None:
    assert landmarker.detect(np.zeros((120, 160, 3), np.uint8)) == []


def test_the_result_of_an_image_does_not_depend_on_earlier_images(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    moved = np.roll(image, 25, axis=1)
    alone = landmarker.detect(moved)[0].landmarks
    batch = landmarker.detect_batch([image, moved[:300]])
    assert [len(faces) for faces in batch] == [1, 1]
    landmarker.detect(image)
    np.testing.assert_array_equal(landmarker.detect(moved)[0].landmarks, alone)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("photo.jpg", "of type str: pass a NumPy array"),
        (np.zeros((9, 9), np.uint8), r"is \(9, 9\) uint8"),
        (np.zeros((9, 9, 4), np.uint8), r"is \(9, 9, 4\) uint8"),
        (np.zeros((9, 9, 3), np.float32), "float32: pass an array"),
        (np.zeros((0, 9, 3), np.uint8), r"is \(0, 9, 3\)"),
    ],
)
def test_an_invalid_image_is_refused_with_a_reason(
    landmarker: sm.FaceLandmarker, wrong: object, words: str
) -> None:
    with pytest.raises(sm.UsageError, match=words):
        landmarker.detect(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"max_faces": 0}, sm.UsageError, "max_faces must be 1 to 64"),
        ({"stabilizer": "kalman"}, sm.UsageError, "unknown stabilizer 'kalman'"),
        ({"model": "no-such"}, sm.WeightsError, "unknown model 'no-such'"),
        ({"device": "tpu"}, sm.DeviceError, "unknown device 'tpu'"),
        ({"focal_px": 0.0}, sm.UsageError, "focal length must be 1 pixel or more"),
    ],
)
def test_an_invalid_option_is_refused_with_a_reason(
    options: dict[str, object], error: type[sm.SteadymarkError], words: str
) -> None:
    with pytest.raises(error, match=words):
        sm.FaceLandmarker(**options)  # type: ignore[arg-type]


def test_drawing_changes_only_a_copy_and_only_near_the_face(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    before = image.copy()
    (face,) = landmarker.detect(image)
    drawn = sm.draw(image, [face], axes=True, box=True)
    np.testing.assert_array_equal(image, before)
    changed = np.argwhere((drawn != image).any(2))
    x, y = face.landmarks[30]
    assert len(changed) > 300
    assert np.abs(changed.mean(0) - (y, x)).max() < 40
    empty = sm.draw(image, [])
    np.testing.assert_array_equal(empty, image)
    assert empty is not image


def test_head_pose_of_the_landmarks_equals_the_pose_of_the_face(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    (face,) = landmarker.detect(image)
    height, width = image.shape[:2]
    assert sm.head_pose(face.landmarks, (width, height), scores=face.scores) == face.head_pose
    assert sm.head_pose(np.full((68, 2), np.nan), (width, height)) is None


@pytest.mark.parametrize(
    ("points", "size", "words"),
    [
        (np.zeros((98, 2)), (640, 480), "need the 68 landmarks"),
        (np.zeros((68, 3)), (640, 480), r"must be \(K, 2\)"),
        (np.zeros((68, 2)), (640,), r"must be \(width, height\)"),
        (np.zeros((68, 2)), (0, 480), r"must be \(width, height\)"),
        (np.full((68, 2), "a"), (640, 480), "an array of numbers"),
    ],
)
def test_head_pose_refuses_unsuitable_points(points: object, size: object, words: str) -> None:
    with pytest.raises(sm.UsageError, match=words):
        sm.head_pose(points, size)  # type: ignore[arg-type]


def test_an_image_file_is_read_as_bgr(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "grüße.png"
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())  # cv2 cannot write such names
    np.testing.assert_array_equal(sm.read_image(path), image)
    with pytest.raises(sm.SourceError, match="does not exist"):
        sm.read_image(tmp_path / "missing.png")


def test_the_pupils_of_a_face_are_between_its_eye_corners(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    (face,) = landmarker.detect(image)
    assert isinstance(face.pupils, sm.Pupils)
    for eye, (first, last) in enumerate(((36, 39), (42, 45))):
        assert face.landmarks[first, 0] < face.pupils.xy_px[eye, 0] < face.landmarks[last, 0]


def test_without_pupils_a_face_has_the_same_landmarks_and_no_pupils(
    landmarker: sm.FaceLandmarker, image: Image
) -> None:
    (without,) = sm.FaceLandmarker(pupils=False).detect(image)
    assert without.pupils is None
    np.testing.assert_array_equal(without.landmarks, landmarker.detect(image)[0].landmarks)


@pytest.mark.parametrize(
    ("calibration", "pupils", "words"),
    [
        ("none.json", True, r"none\.json cannot be read \(No such file"),
        (sm.GazeCalibration("Anna", gain=(0.0, 1.0)), True, r"Anna.* is no gaze calibration"),
        (sm.GazeCalibration("Anna"), False, "needs pupils"),
    ],
    ids=["missing file", "implausible", "without pupils"],
)
def test_a_gaze_calibration_that_cannot_be_used_is_refused(
    calibration: sm.GazeCalibration | str, pupils: bool, words: str
) -> None:
    with pytest.raises(sm.UsageError, match=words):
        sm.FaceLandmarker(gaze_calibration=calibration, pupils=pupils)
