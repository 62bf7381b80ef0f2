"""The rigid motion of a face is estimated from the image, in any light."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.engine.bench.clips.rigid_flow import RigidFlow, similarity
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

FACE = (load_schema("ibug68").mean_shape * 150 + (160, 120)).astype(np.float64)
RNG = np.random.default_rng(3)
TEXTURE = cv2.resize(
    cv2.resize(RNG.uniform(30, 225, (30, 40, 3)).astype(np.float32), (160, 120)), (320, 240)
) + cv2.resize(RNG.normal(0, 12, (120, 160, 3)).astype(np.float32), (320, 240))


def pose(t: int) -> np.ndarray:
    """Return the (2, 3) matrix of a face that shifts, rolls and changes its size."""
    angle, scale = 0.02 * np.sin(t), 1 + 0.01 * np.sin(0.7 * t)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = FACE.mean(0)
    shift = centre - turn @ centre + (3 * np.sin(0.5 * t), 2 * np.cos(0.9 * t))
    return np.concatenate((turn, shift[:, None]), 1)


def render(t: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with sensor noise, and its true landmarks."""
    matrix = pose(t)
    moved = cv2.warpAffine(
        TEXTURE, matrix, (320, 240), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    noisy = moved + np.random.default_rng((1, t)).normal(0, 2, moved.shape)
    return noisy.clip(0, 255).astype(np.uint8), FACE @ matrix[:, :2].T + matrix[:, 2]


def errors_px(kind: str) -> np.ndarray:
    """Return the mean error of the landmarks that the estimated motion moves, for each frame."""
    flow, light, ground_truth = RigidFlow(), Lighting(kind, 25.0), []
    for t in range(12):
        image, points = render(t)
        noisy = points + np.random.default_rng((2, t)).normal(0, 1.0, points.shape)
        flow.add(light.relit(image, t), noisy.astype(np.float32))
        ground_truth.append(points)
    found = flow.motions()
    assert found.shape == (11, 2, 3)
    moved_points = [p @ m[:, :2].T + m[:, 2] for p, m in zip(ground_truth, found, strict=False)]
    distances = np.linalg.norm(np.array(moved_points) - np.array(ground_truth[1:]), axis=-1)
    errors: np.ndarray = distances.mean(-1)
    return errors


@pytest.mark.parametrize("kind", list(KINDS))
def test_motion_is_accurate_to_a_tenth_of_a_pixel_with_noisy_landmarks(kind: str) -> None:
    assert errors_px(kind).max() < 0.15


def test_the_motion_is_nan_without_a_face_and_at_a_cut() -> None:
    flow = RigidFlow()
    image, points = render(0)
    flow.add(image, points.astype(np.float32))
    flow.add(image, None)
    flow.add(image, points.astype(np.float32))
    flow.add(image, points.astype(np.float32), same_scene=False)
    flow.add(image, points.astype(np.float32))
    found = flow.motions()
    assert np.isnan(found[:3]).all()
    np.testing.assert_allclose(found[3], np.eye(2, 3), atol=1e-3)


def test_uniform_images_give_no_motion() -> None:
    flow = RigidFlow()
    for _ in range(2):
        flow.add(np.full((240, 320, 3), 90, np.uint8), FACE.astype(np.float32))
    motion = flow.motions()[0]
    assert np.isnan(motion).all() or np.abs(motion - np.eye(2, 3)).max() < 1e-3


def test_similarity_is_the_weighted_least_squares_solution() -> None:
    matrix = np.array([[0.9, -0.2, 5], [0.2, 0.9, -3]])
    target = FACE @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(similarity(FACE, target), matrix, atol=1e-9)
    target[0] += 50
    weights = np.ones(68)
    weights[0] = 0
    np.testing.assert_allclose(similarity(FACE, target, weights), matrix, atol=1e-9)
    assert np.abs(similarity(FACE, target) - matrix).max() > 0.1
