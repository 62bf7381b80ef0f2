"""The rigid motion of a face is told by the picture, in any light."""

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
    """(2, 3): a face that wanders, nods and comes nearer."""
    angle, scale = 0.02 * np.sin(t), 1 + 0.01 * np.sin(0.7 * t)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = FACE.mean(0)
    shift = middle - turn @ middle + (3 * np.sin(0.5 * t), 2 * np.cos(0.9 * t))
    return np.concatenate((turn, shift[:, None]), 1)


def shown(t: int) -> tuple[np.ndarray, np.ndarray]:
    """Picture with sensor noise, and true landmarks."""
    matrix = pose(t)
    moved = cv2.warpAffine(
        TEXTURE, matrix, (320, 240), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    noisy = moved + np.random.default_rng((1, t)).normal(0, 2, moved.shape)
    return noisy.clip(0, 255).astype(np.uint8), FACE @ matrix[:, :2].T + matrix[:, 2]


def errors_px(kind: str) -> np.ndarray:
    """How far the found motion takes the landmarks from where they truly go, frame by frame."""
    flow, light, truth = RigidFlow(), Lighting(kind, 25.0), []
    for t in range(12):
        image, points = shown(t)
        noisy = points + np.random.default_rng((2, t)).normal(0, 1.0, points.shape)
        flow.add(light.relit(image, t), noisy.astype(np.float32))
        truth.append(points)
    found = flow.motions()
    assert found.shape == (11, 2, 3)
    carried = [p @ m[:, :2].T + m[:, 2] for p, m in zip(truth, found, strict=False)]
    off = np.linalg.norm(np.array(carried) - np.array(truth[1:]), axis=-1)
    errors: np.ndarray = off.mean(-1)
    return errors


@pytest.mark.parametrize("kind", list(KINDS))
def test_motion_is_found_to_a_tenth_of_a_pixel_though_landmarks_are_noisy(kind: str) -> None:
    assert errors_px(kind).max() < 0.15


def test_nothing_is_known_without_a_face_or_over_a_cut() -> None:
    flow = RigidFlow()
    image, points = shown(0)
    flow.add(image, points.astype(np.float32))
    flow.add(image, None)
    flow.add(image, points.astype(np.float32))
    flow.add(image, points.astype(np.float32), goes_on=False)
    flow.add(image, points.astype(np.float32))
    found = flow.motions()
    assert np.isnan(found[:3]).all()
    np.testing.assert_allclose(found[3], np.eye(2, 3), atol=1e-3)


def test_flat_pictures_tell_no_motion() -> None:
    flow = RigidFlow()
    for _ in range(2):
        flow.add(np.full((240, 320, 3), 90, np.uint8), FACE.astype(np.float32))
    motion = flow.motions()[0]
    assert np.isnan(motion).all() or np.abs(motion - np.eye(2, 3)).max() < 1e-3


def test_similarity_is_the_weighted_least_squares_one() -> None:
    matrix = np.array([[0.9, -0.2, 5], [0.2, 0.9, -3]])
    target = FACE @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(similarity(FACE, target), matrix, atol=1e-9)
    target[0] += 50
    weights = np.ones(68)
    weights[0] = 0
    np.testing.assert_allclose(similarity(FACE, target, weights), matrix, atol=1e-9)
    assert np.abs(similarity(FACE, target) - matrix).max() > 0.1
