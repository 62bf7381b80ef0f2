"""The crops of eyes."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.models.face.crop import transform
from steadymark.models.face.eye_crop import (
    EYE_HEIGHT,
    EYE_WIDTH,
    EYES,
    MARGIN,
    TOP,
    cut_eye,
    eye_crops,
    pupil_in_frame,
)
from support.drawn_eyes import WIDTH, draw_eyes, face_points

POINTS = face_points()


@pytest.mark.parametrize("roll_deg", [0.0, 25.0, -70.0, 180.0])
def test_the_corners_lie_level_with_the_outer_one_on_the_left(roll_deg: float) -> None:
    cos, sin = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    turned = (POINTS - 450) @ np.array([[cos, sin], [-sin, cos]]) + 450
    for eye, crop in zip(EYES, eye_crops(turned), strict=True):
        inverse = np.linalg.inv(crop.to_image[:, :2])
        outer, inner = (
            (turned[eye[corner]] - crop.to_image[:, 2]) @ inverse.T for corner in (0, 3)
        )
        middle, half = (EYE_WIDTH - 1) / 2, EYE_WIDTH / MARGIN / 2
        np.testing.assert_allclose(outer, (middle - half, middle), atol=0.05)
        np.testing.assert_allclose(inner, (middle + half, middle), atol=0.05)
        assert crop.width_px == pytest.approx(WIDTH, rel=1e-3)


def test_both_eyes_of_a_symmetric_face_look_the_same() -> None:
    image, _ = draw_eyes(POINTS)
    right, left = (cut_eye(image, crop) for crop in eye_crops(POINTS))
    assert right.shape == (EYE_HEIGHT, EYE_WIDTH)
    assert right.dtype == np.uint8
    assert np.median(np.abs(right.astype(float) - left)) <= 2


def test_a_place_in_a_crop_is_mapped_to_the_frame() -> None:
    for crop in eye_crops(POINTS):
        place = np.array((20.0, 11.0))
        expected = transform(crop.to_image, np.add(place, (0, TOP)))
        np.testing.assert_allclose(pupil_in_frame(place, crop), expected, atol=1e-3)


def test_the_far_eye_of_a_turned_head_is_as_narrow_as_it_looks() -> None:
    narrow = POINTS.copy()
    left = list(EYES[1])
    narrow[left, 0] = narrow[left, 0].mean() + (narrow[left, 0] - narrow[left, 0].mean()) * 0.5
    near, far = eye_crops(narrow)
    scale = [np.sqrt(abs(np.linalg.det(crop.to_image[:, :2]))) for crop in (near, far)]
    assert scale[0] == pytest.approx(scale[1])
    assert far.width_px == pytest.approx(near.width_px / 2, rel=0.02)
