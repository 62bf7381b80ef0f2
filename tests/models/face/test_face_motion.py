"""The motion of a face is told by the pictures, and lips, noise and rest do not tell otherwise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.face.crop import Crop, Image, Matrix, Points, inverse, transform
from steadymark.models.face.face_motion import (
    FEWEST,
    REST,
    face_motion,
    flow_picture,
    is_on_the_head,
    landmark_motion,
    motion_contradicted,
)
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

SIZE = 128
STILL = np.eye(2, 3)


def painted(seed: int = 0) -> Image:
    """A soft random picture in which every place looks different."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    return cv2.resize(rough, (320, 320), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def crop_of(picture: Image, crop: Crop) -> Image:
    """(SIZE, SIZE, 3) uint8 BGR, grey."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grey = cv2.warpAffine(picture, crop.to_picture(SIZE), (SIZE, SIZE), flags=flags)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8)


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """The same noise in all colours, so that it stays as strong in grey."""
    return (image + rng.normal(0, sigma, (SIZE, SIZE, 1))).clip(0, 255).astype(np.uint8)


def landmarks() -> Points:
    """Those of an upright face in the middle of the crop, without the contour."""
    schema = load_schema("ibug68")
    shape = schema.mean_shape[is_on_the_head(schema)]
    return (shape * SIZE / 1.4 + (SIZE - 1) / 2).astype(np.float32)


LAST = Crop(160, 150, 170, 3)
MOVES = [Crop(163.2, 148.1, 170, 3), Crop(160, 150, 175, 3), Crop(158, 152, 168, 8)]


def off_px(moved: Matrix, true: Matrix) -> float:
    """How far the landmarks are put wrong on average, crop pixels."""
    here = transform(inverse(true), landmarks())
    return float(np.linalg.norm(transform(moved, here) - landmarks(), axis=-1).mean())


@pytest.mark.parametrize("this", MOVES)
@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_it_is_what_really_happened(this: Crop, noise: float) -> None:
    rng = np.random.default_rng(1)
    last, now = (flow_picture(noisy(crop_of(painted(), crop), noise, rng)) for crop in (LAST, this))
    moved = face_motion(last, now, landmarks(), STILL)
    assert off_px(moved, this.onto(LAST, SIZE)) < 0.1


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"steady"}))
def test_changing_light_does_not_change_it(kind: str) -> None:
    light, off = Lighting(kind, 25.0), []
    for index in range(12):
        last, now = (
            flow_picture(light.relit(crop_of(painted(), crop), index + i))
            for i, crop in enumerate((LAST, MOVES[0]))
        )
        moved = face_motion(last, now, landmarks(), STILL)
        off.append(off_px(moved, MOVES[0].onto(LAST, SIZE)))
    assert np.median(off) < 0.1
    assert max(off) < 0.8  # bands and white-out leave little to compare


def test_lips_that_move_by_themselves_do_not_count() -> None:
    last, now = (crop_of(painted(), crop) for crop in (LAST, MOVES[0]))
    now[88:112] = crop_of(painted(), Crop(163.2, 143.0, 170, 3))[88:112]  # about the mouth
    moved = face_motion(flow_picture(last), flow_picture(now), landmarks(), STILL)
    assert off_px(moved, MOVES[0].onto(LAST, SIZE)) < 0.1


def test_a_face_at_rest_has_the_motion_of_its_crop() -> None:
    rng = np.random.default_rng(2)
    last, now = (flow_picture(noisy(crop_of(painted(), LAST), 3.0, rng)) for _ in range(2))
    moved = face_motion(last, now, landmarks(), STILL)
    off = np.linalg.norm(transform(moved, landmarks()) - landmarks(), axis=-1)
    assert float(off.max()) < REST * SIZE / 2


def test_without_anything_to_follow_it_is_the_motion_of_the_crop() -> None:
    blank = np.full((SIZE, SIZE), 128, np.uint8)
    crop_moved = MOVES[0].onto(LAST, SIZE)
    for points in (landmarks(), landmarks()[: FEWEST - 1], landmarks() + 500):
        moved = face_motion(blank, blank, points, crop_moved)
        np.testing.assert_allclose(moved, crop_moved, atol=0.05)


@pytest.mark.parametrize("this", [Crop(160, 150, 118, 3), Crop(160, 150, 170, 31)])
def test_what_no_face_does_between_two_frames_is_not_believed(this: Crop) -> None:
    last, now = (flow_picture(crop_of(painted(), crop)) for crop in (LAST, this))
    points = landmarks()[10:20] * 0.2 + 0.8 * (SIZE - 1) / 2  # near the middle, flow finds them
    crop_moved = this.onto(LAST, SIZE)
    here = transform(inverse(crop_moved), points)
    believed = face_motion(last, now, points, crop_moved)
    assert np.abs(transform(believed, here) - points).mean() < 0.5
    np.testing.assert_allclose(face_motion(last, now, points, STILL), STILL)


def test_a_blank_crop_has_a_grey_flow_picture() -> None:
    for level in (0, 90, 255):
        picture = flow_picture(np.full((SIZE, SIZE, 3), level, np.uint8))
        assert picture.shape == (SIZE, SIZE)
        assert set(np.unique(picture)) == {128}


def test_landmarks_tell_their_common_motion_exactly() -> None:
    true = MOVES[2].onto(LAST, SIZE)
    here = transform(inverse(true), landmarks())
    np.testing.assert_allclose(landmark_motion(landmarks(), here), true, atol=1e-4)


def test_motion_that_the_landmarks_contradict_gives_way_to_theirs() -> None:
    rng = np.random.default_rng(3)
    true = MOVES[0].onto(LAST, SIZE)
    here = transform(inverse(true), landmarks())
    before, now = (p + rng.normal(0, 0.3, p.shape).astype(np.float32) for p in (landmarks(), here))
    assert motion_contradicted(true, before, now, SIZE) is None
    nearly = true + np.array([[0, 0, 0.4], [0, 0, 0]])
    assert motion_contradicted(nearly, before, now, SIZE) is None
    for wrong in (true + np.array([[0, 0, 3.0], [0, 0, 0]]), 0.8 * true):
        instead = motion_contradicted(wrong, before, now, SIZE)
        assert instead is not None
        assert off_px(instead, true) < 0.3
