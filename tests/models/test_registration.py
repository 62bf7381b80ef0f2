"""The motion of a face is told by the pictures, and lips, noise and rest do not tell otherwise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.cropping import Crop, Image, Points, inverse, transform
from steadymark.models.registration import (
    FEWEST,
    REST,
    face_motion,
    grey_of,
    on_the_head,
)
from steadymark.models.schema import load_schema

SIZE = 128
STILL = np.eye(2, 3)


def painted(seed: int = 0) -> Image:
    """A soft random picture in which every place looks different."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    return cv2.resize(rough, (320, 320), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def seen(picture: Image, crop: Crop) -> Image:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, crop.to_picture(SIZE), (SIZE, SIZE), flags=flags).astype(
        np.uint8
    )


def landmarks() -> Points:
    """Those of an upright face in the middle of the crop, without the contour."""
    schema = load_schema()
    shape = schema.mean_shape[on_the_head(schema)]
    return (shape * SIZE / 1.4 + (SIZE - 1) / 2).astype(np.float32)


LAST = Crop(160, 150, 170, 3)
MOVES = [Crop(163.2, 148.1, 170, 3), Crop(160, 150, 175, 3), Crop(158, 152, 168, 8)]


@pytest.mark.parametrize("this", MOVES)
@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_it_is_what_really_happened(this: Crop, noise: float) -> None:
    rng = np.random.default_rng(1)
    last, now = (
        (seen(painted(), crop) + rng.normal(0, noise, (SIZE, SIZE))).clip(0, 255).astype(np.uint8)
        for crop in (LAST, this)
    )
    moved = face_motion(last, now, landmarks(), STILL)
    here = transform(inverse(this.onto(LAST, SIZE)), landmarks())
    off = np.linalg.norm(transform(moved, here) - landmarks(), axis=-1)
    assert float(off.mean()) < 0.1  # crop pixels


def test_lips_that_move_by_themselves_do_not_count() -> None:
    last = seen(painted(), LAST)
    now = seen(painted(), MOVES[0])
    now[88:112] = seen(painted(), Crop(163.2, 143.0, 170, 3))[88:112]  # about the mouth
    moved = face_motion(last, now, landmarks(), STILL)
    here = transform(inverse(MOVES[0].onto(LAST, SIZE)), landmarks())
    off = np.linalg.norm(transform(moved, here) - landmarks(), axis=-1)
    assert float(off.mean()) < 0.1


def test_a_face_at_rest_has_the_motion_of_its_crop() -> None:
    rng = np.random.default_rng(2)
    last, now = (
        (seen(painted(), LAST) + rng.normal(0, 3.0, (SIZE, SIZE))).clip(0, 255).astype(np.uint8)
        for _ in range(2)
    )
    moved = face_motion(last, now, landmarks(), STILL)
    off = np.linalg.norm(transform(moved, landmarks()) - landmarks(), axis=-1)
    assert float(off.max()) < REST * SIZE / 2


def test_without_anything_to_follow_it_is_the_motion_of_the_crop() -> None:
    blank = np.full((SIZE, SIZE), 90, np.uint8)
    crop_moved = MOVES[0].onto(LAST, SIZE)
    for points in (landmarks(), landmarks()[: FEWEST - 1], landmarks() + 500):
        moved = face_motion(blank, blank, points, crop_moved)
        np.testing.assert_allclose(moved, crop_moved, atol=0.05)


def test_grey_is_of_all_three_colours() -> None:
    crop = np.zeros((4, 4, 3), np.uint8)
    crop[0, 0], crop[1, 1], crop[2, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    assert [int(v) for v in np.diagonal(grey_of(crop))] == [29, 150, 76, 0]
