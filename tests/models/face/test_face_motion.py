"""The motion of a face is estimated from images, robust to lips, noise and light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.face.crop import Crop, Image, Matrix, Points, inverse, transform
from steadymark.models.face.face_motion import (
    FEWEST,
    REST,
    contradicting_motion,
    face_motion,
    flow_image,
    inner_landmarks,
    landmark_motion,
)
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

SIZE = 128
STILL = np.eye(2, 3)


def random_image(seed: int = 0) -> Image:
    """Return a smooth random image without repetitions."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    return cv2.resize(rough, (320, 320), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def crop_of(image: Image, crop: Crop) -> Image:
    """Return a grey crop, (SIZE, SIZE, 3) uint8 BGR."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grey = cv2.warpAffine(image, crop.matrix_to_image(SIZE), (SIZE, SIZE), flags=flags)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8)


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Add the same noise to all channels, so that grey has the same noise."""
    return (image + rng.normal(0, sigma, (SIZE, SIZE, 1))).clip(0, 255).astype(np.uint8)


def landmarks() -> Points:
    """Return landmarks of an upright face in the centre of the crop, without the contour."""
    schema = load_schema("ibug68")
    shape = schema.mean_shape[inner_landmarks(schema)]
    return (shape * SIZE / 1.4 + (SIZE - 1) / 2).astype(np.float32)


LAST = Crop(160, 150, 170, 3)
MOVES = [Crop(163.2, 148.1, 170, 3), Crop(160, 150, 175, 3), Crop(158, 152, 168, 8)]


def mean_error_px(moved: Matrix, true: Matrix) -> float:
    """Return the mean error of the moved landmarks, in crop pixels."""
    current_landmarks = transform(inverse(true), landmarks())
    return float(np.linalg.norm(transform(moved, current_landmarks) - landmarks(), axis=-1).mean())


@pytest.mark.parametrize("current_crop", MOVES)
@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_the_estimated_motion_equals_the_true_motion(current_crop: Crop, noise: float) -> None:
    rng = np.random.default_rng(1)
    last, current = (
        flow_image(noisy(crop_of(random_image(), crop), noise, rng))
        for crop in (LAST, current_crop)
    )
    moved = face_motion(last, current, landmarks(), STILL)
    assert mean_error_px(moved, current_crop.matrix_to_crop(LAST, SIZE)) < 0.1


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"steady"}))
def test_changing_light_does_not_change_the_motion(kind: str) -> None:
    light, errors = Lighting(kind, 25.0), []
    for index in range(12):
        last, current = (
            flow_image(light.relit(crop_of(random_image(), crop), index + i))
            for i, crop in enumerate((LAST, MOVES[0]))
        )
        moved = face_motion(last, current, landmarks(), STILL)
        errors.append(mean_error_px(moved, MOVES[0].matrix_to_crop(LAST, SIZE)))
    assert np.median(errors) < 0.1
    assert max(errors) < 0.8  # bands and white-out leave little to compare


def test_motion_of_the_lips_does_not_change_the_motion() -> None:
    last, current = (crop_of(random_image(), crop) for crop in (LAST, MOVES[0]))
    current[88:112] = crop_of(random_image(), Crop(163.2, 143.0, 170, 3))[
        88:112
    ]  # around the mouth
    moved = face_motion(flow_image(last), flow_image(current), landmarks(), STILL)
    assert mean_error_px(moved, MOVES[0].matrix_to_crop(LAST, SIZE)) < 0.1


def test_noise_on_a_face_at_rest_gives_almost_no_motion() -> None:
    rng = np.random.default_rng(2)
    last, current = (flow_image(noisy(crop_of(random_image(), LAST), 3.0, rng)) for _ in range(2))
    moved = face_motion(last, current, landmarks(), STILL)
    errors = np.linalg.norm(transform(moved, landmarks()) - landmarks(), axis=-1)
    assert float(errors.max()) < REST * SIZE / 2


def test_without_texture_the_motion_is_that_of_the_crop() -> None:
    blank = np.full((SIZE, SIZE), 128, np.uint8)
    crop_moved = MOVES[0].matrix_to_crop(LAST, SIZE)
    for points in (landmarks(), landmarks()[: FEWEST - 1], landmarks() + 500):
        moved = face_motion(blank, blank, points, crop_moved)
        np.testing.assert_allclose(moved, crop_moved, atol=0.05)


@pytest.mark.parametrize("current_crop", [Crop(160, 150, 118, 3), Crop(160, 150, 170, 31)])
def test_implausible_motion_between_two_frames_is_rejected(current_crop: Crop) -> None:
    last, current = (flow_image(crop_of(random_image(), crop)) for crop in (LAST, current_crop))
    points = landmarks()[10:20] * 0.2 + 0.8 * (SIZE - 1) / 2  # near the middle, flow finds them
    crop_moved = current_crop.matrix_to_crop(LAST, SIZE)
    current_points = transform(inverse(crop_moved), points)
    estimated = face_motion(last, current, points, crop_moved)
    assert np.abs(transform(estimated, current_points) - points).mean() < 0.5
    np.testing.assert_allclose(face_motion(last, current, points, STILL), STILL)


def test_a_uniform_crop_has_a_grey_flow_image() -> None:
    for level in (0, 90, 255):
        image = flow_image(np.full((SIZE, SIZE, 3), level, np.uint8))
        assert image.shape == (SIZE, SIZE)
        assert set(np.unique(image)) == {128}


def test_landmark_motion_finds_the_similarity_exactly() -> None:
    true = MOVES[2].matrix_to_crop(LAST, SIZE)
    current_landmarks = transform(inverse(true), landmarks())
    np.testing.assert_allclose(landmark_motion(landmarks(), current_landmarks), true, atol=1e-4)


def test_motion_that_contradicts_the_landmarks_is_replaced() -> None:
    rng = np.random.default_rng(3)
    true = MOVES[0].matrix_to_crop(LAST, SIZE)
    current_landmarks = transform(inverse(true), landmarks())
    before, current = (
        p + rng.normal(0, 0.3, p.shape).astype(np.float32) for p in (landmarks(), current_landmarks)
    )
    assert contradicting_motion(true, before, current, SIZE) is None
    slightly_wrong = true + np.array([[0, 0, 0.4], [0, 0, 0]])
    assert contradicting_motion(slightly_wrong, before, current, SIZE) is None
    for wrong in (true + np.array([[0, 0, 3.0], [0, 0, 0]]), 0.8 * true):
        replacement = contradicting_motion(wrong, before, current, SIZE)
        assert replacement is not None
        assert mean_error_px(replacement, true) < 0.3
