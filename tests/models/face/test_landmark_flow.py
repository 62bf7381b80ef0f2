"""Flow of landmarks: the face's motion, what moves beside it, and what raw landmarks say to it."""

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
    coloured,
    face_in,
    moved_picture,
    painted,
    seen,
    similarity,
)

SCHEMA = load_schema("ibug68")
MOTIONS = {
    "a shift": similarity(4.3, -2.6),
    "growth": similarity(0, 0, 1.05),
    "a roll": similarity(0, 0, 1.0, 4.0),
    "all of them": similarity(-3.1, 1.7, 0.96, -3.0),
}
LIP = 57
INNER = [index for index in range(68) if index not in SCHEMA.regions["contour"]]


def off_px(face: Matrix, motion: Matrix) -> float:
    """How far the landmarks are carried wrong on average."""
    away = transform(face, face_in()) - transform(motion, face_in())
    return float(np.linalg.norm(away, axis=-1).mean())


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("crop", [FACE, Crop(163, 148, 174, 5)], ids=["still", "following"])
def test_shift_growth_and_roll_of_the_face_are_found(name: str, crop: Crop) -> None:
    motion, before = MOTIONS[name], painted()
    now = moved_picture(before, motion)
    raw = transform(motion, face_in())
    flow = landmark_flow(seen(before, face_in()), seen(now, raw, crop), face_in(), SCHEMA)
    assert flow.agreed
    assert off_px(flow.face, motion) < 0.15
    assert np.abs(flow.beside[INNER]).mean() < 0.25  # windows of single landmarks do not roll
    assert np.median(flow.unsure[INNER]) < 0.25


def with_moved_lip(picture: Image, by: tuple[float, float]) -> Image:
    """What lies about the lower lip went on by itself."""
    x, y = (round(float(value)) for value in face_in()[LIP])
    shifted = moved_picture(picture, np.array([[1, 0, by[0]], [0, 1, by[1]]]))
    disc = np.zeros_like(picture)
    cv2.circle(disc, (x, y), 16, 255, -1)
    mask = cv2.GaussianBlur(disc, (0, 0), 1.5) / 255
    return (picture * (1 - mask) + shifted * mask).astype(np.uint8)


@pytest.mark.parametrize("by", [(0.0, 3.0), (1.5, -2.0)])
def test_a_landmark_that_moves_by_itself_is_seen_beside_the_face(by: tuple[float, float]) -> None:
    before = painted()
    now = with_moved_lip(before, by)
    raw = face_in()
    raw[LIP] += by
    starts = face_in()
    kept = starts.copy()
    flow = landmark_flow(seen(before, face_in()), seen(now, raw), starts, SCHEMA)
    assert flow.agreed
    assert off_px(flow.face, similarity(0, 0)) < 0.1
    np.testing.assert_allclose(flow.beside[LIP], by, atol=0.4)
    assert np.abs(flow.beside[27:36]).max() < 0.2  # the nose
    np.testing.assert_array_equal(starts, kept)  # OpenCV writes into what it is given to begin at


def test_landmarks_are_followed_from_where_they_are_believed_to_be() -> None:
    before = painted()
    now = with_moved_lip(before, (0.0, 3.0))
    elsewhere = face_in()
    elsewhere[LIP] = elsewhere[30]  # the tip of the nose, which stays
    flow = landmark_flow(seen(before, face_in()), seen(now, face_in()), elsewhere, SCHEMA)
    assert np.abs(flow.beside[LIP]).max() < 0.2


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"steady"}))
def test_changing_light_does_not_matter(kind: str) -> None:
    light, motion = Lighting(kind, 25.0), MOTIONS["a shift"]
    raw, off = transform(motion, face_in()), []
    for index in range(12):
        pictures = painted(), moved_picture(painted(), motion)
        before, now = (light.relit(coloured(p), index + i) for i, p in enumerate(pictures))
        flow = landmark_flow(seen(before, face_in()), seen(now, raw), face_in(), SCHEMA)
        off.append(off_px(flow.face, motion))
    assert np.median(off) < 0.15
    assert max(off) < 1.0


def test_where_raw_landmarks_contradict_the_pictures_their_motion_wins() -> None:
    still = painted()
    motion = similarity(20, 5)
    raw = transform(motion, face_in())
    flow = landmark_flow(seen(still, face_in()), seen(still, raw), face_in(), SCHEMA)
    assert not flow.agreed
    assert off_px(flow.face, motion) < 0.05


def test_what_is_not_found_again_is_unsure_within_bounds() -> None:
    flow = landmark_flow(seen(painted(), face_in()), seen(painted(9), face_in()), face_in(), SCHEMA)
    scale = FACE.side / 128
    assert float(np.median(flow.unsure)) > 1.0
    assert flow.unsure.max() <= 8 * scale + 1e-3
