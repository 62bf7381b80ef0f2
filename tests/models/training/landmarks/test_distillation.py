"""Distillation, with the shipped model as the teacher and a frame of the demo clip as the face."""

from __future__ import annotations

import av
import numpy as np
import pytest

from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import assets_root, load_schema
from steadymark.models.runtime.zoo import DEFAULT_MODEL
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.landmarks.distillation import distilled_targets

SCHEMA = load_schema("ibug68")


@pytest.fixture(scope="module")
def face() -> FaceImages:
    clips = assets_root() / "clips"
    with av.open(str(clips / "demo.mp4")) as video:
        frame = next(video.decode(video=0))
    image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    ground_truth = np.genfromtxt(clips / "demo_truth.csv", delimiter=",", names=True)[0]
    points = np.array(
        [[ground_truth[f"x_{k}"], ground_truth[f"y_{k}"]] for k in range(68)], np.float32
    )
    return FaceImages(("demo",), ("demo",), (image,), points[None])


def nrmse(points: np.ndarray, ground_truth: np.ndarray) -> float:
    eyes = np.linalg.norm(ground_truth[36] - ground_truth[45])
    return float(np.linalg.norm(points - ground_truth, axis=-1).mean() / eyes * 100)


def test_landmarks_move_towards_the_teacher_by_the_trust(
    face: FaceImages,
) -> None:
    untouched = face.points.copy()
    without_trust, half_trust, full_trust = (
        distilled_targets(face, SCHEMA, [DEFAULT_MODEL], trust, seed=3).points[0]
        for trust in (0.0, 0.5, 1.0)
    )
    np.testing.assert_array_equal(face.points, untouched)
    np.testing.assert_allclose(without_trust, face.points[0], atol=1e-4)
    np.testing.assert_allclose(half_trust, (face.points[0] + full_trust) / 2, atol=1e-3)
    assert 0.5 < nrmse(full_trust, face.points[0]) < 4  # crops, mirror and numbering are undone


def test_the_targets_of_a_teacher_are_symmetric(face: FaceImages) -> None:
    width = face.images[0].shape[1]
    mirror = FaceImages(
        face.names,
        face.photos,
        (np.ascontiguousarray(face.images[0][:, ::-1]),),
        SCHEMA.mirrored(face.points[0], width).astype(np.float32)[None],
    )
    targets = distilled_targets(face, SCHEMA, [DEFAULT_MODEL], 1.0, seed=3).points[0]
    mirrored_targets = distilled_targets(mirror, SCHEMA, [DEFAULT_MODEL], 1.0, seed=3).points[0]
    assert (
        nrmse(SCHEMA.mirrored(mirrored_targets, width), targets) < 0.6
    )  # other crops, the same face


def test_a_missing_teacher_is_reported(face: FaceImages) -> None:
    with pytest.raises(WeightsError, match="unknown model 'nobody'"):
        distilled_targets(face, SCHEMA, ["nobody"], 0.5, seed=3)
