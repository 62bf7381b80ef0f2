"""Landmark flow: the motion of the face, of single landmarks, and contradictions with raw ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.face.crop import Crop, Image, Matrix, transform
from steadymark.models.face.landmark_flow import landmark_flow
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting
from support.videos.textured_images import (
    FACE,
    face_in,
    flow_frame,
    grey_to_bgr,
    random_texture,
    similarity,
    warped_image,
)

SCHEMA = load_schema()
MOTIONS = {
    "a shift": similarity(4.3, -2.6),
    "growth": similarity(0, 0, 1.05),
    "a roll": similarity(0, 0, 1.0, 4.0),
    "all of them": similarity(-3.1, 1.7, 0.96, -3.0),
}
LIP = 57
INNER = [index for index in range(68) if index not in SCHEMA.regions["contour"]]


def mean_error_px(face: Matrix, motion: Matrix) -> float:
    """Return the mean error of the moved landmarks, in pixels."""
    difference = transform(face, face_in()) - transform(motion, face_in())
    return float(np.linalg.norm(difference, axis=-1).mean())


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("crop", [FACE, Crop(163, 148, 174, 5)], ids=["still", "following"])
def test_shift_growth_and_roll_of_the_face_are_estimated(name: str, crop: Crop) -> None:
    motion, before = MOTIONS[name], random_texture()
    current = warped_image(before, motion)
    raw = transform(motion, face_in())
    flow = landmark_flow(
        flow_frame(before, face_in()), flow_frame(current, raw, crop), face_in(), SCHEMA
    )
    assert flow.agreed
    assert mean_error_px(flow.face, motion) < 0.15
    assert (
        np.abs(flow.beside[INNER]).mean() < 0.25
    )  # the windows of single landmarks are not rotated
    assert np.median(flow.unsure[INNER]) < 0.25


def with_moved_lip(image: Image, by: tuple[float, float]) -> Image:
    """Return the image with the region around the lower lip shifted."""
    x, y = (round(float(value)) for value in face_in()[LIP])
    shifted = warped_image(image, np.array([[1, 0, by[0]], [0, 1, by[1]]]))
    disc = np.zeros_like(image)
    cv2.circle(disc, (x, y), 16, 255, -1)
    mask = cv2.GaussianBlur(disc, (0, 0), 1.5) / 255
    return (image * (1 - mask) + shifted * mask).astype(np.uint8)


@pytest.mark.parametrize("by", [(0.0, 3.0), (1.5, -2.0)])
def test_the_motion_of_a_single_landmark_is_separated_from_the_face(
    by: tuple[float, float],
) -> None:
    before = random_texture()
    current = with_moved_lip(before, by)
    raw = face_in()
    raw[LIP] += by
    starts = face_in()
    copy = starts.copy()
    flow = landmark_flow(flow_frame(before, face_in()), flow_frame(current, raw), starts, SCHEMA)
    assert flow.agreed
    assert mean_error_px(flow.face, similarity(0, 0)) < 0.1
    np.testing.assert_allclose(flow.beside[LIP], by, atol=0.4)
    assert np.abs(flow.beside[27:36]).max() < 0.2  # the nose
    np.testing.assert_array_equal(starts, copy)  # OpenCV writes into its initial points


def test_flow_starts_from_the_given_landmarks() -> None:
    before = random_texture()
    current = with_moved_lip(before, (0.0, 3.0))
    wrong_start = face_in()
    wrong_start[LIP] = wrong_start[30]  # the tip of the nose, which stays
    flow = landmark_flow(
        flow_frame(before, face_in()), flow_frame(current, face_in()), wrong_start, SCHEMA
    )
    assert np.abs(flow.beside[LIP]).max() < 0.2


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"steady"}))
def test_changing_light_does_not_change_the_flow(kind: str) -> None:
    light, motion = Lighting(kind, 25.0), MOTIONS["a shift"]
    raw, errors = transform(motion, face_in()), []
    for index in range(12):
        images = random_texture(), warped_image(random_texture(), motion)
        before, current = (light.relit(grey_to_bgr(p), index + i) for i, p in enumerate(images))
        flow = landmark_flow(
            flow_frame(before, face_in()), flow_frame(current, raw), face_in(), SCHEMA
        )
        errors.append(mean_error_px(flow.face, motion))
    assert np.median(errors) < 0.15
    assert max(errors) < 1.0


def test_when_raw_landmarks_contradict_the_images_their_motion_is_used() -> None:
    still = random_texture()
    motion = similarity(20, 5)
    raw = transform(motion, face_in())
    flow = landmark_flow(flow_frame(still, face_in()), flow_frame(still, raw), face_in(), SCHEMA)
    assert not flow.agreed
    assert mean_error_px(flow.face, motion) < 0.05


def test_unmatched_landmarks_have_a_large_but_bounded_uncertainty() -> None:
    flow = landmark_flow(
        flow_frame(random_texture(), face_in()),
        flow_frame(random_texture(9), face_in()),
        face_in(),
        SCHEMA,
    )
    scale = FACE.side / 128
    assert float(np.median(flow.unsure)) > 1.0
    assert flow.unsure.max() <= 8 * scale + 1e-3
