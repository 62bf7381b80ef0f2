"""Synthetic crossings of faces: their ground truth and visibility match the drawing."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from steadymark.engine.bench.scenes.face_crossings import (
    FRAMES,
    KINDS,
    CrossingFrame,
    PortraitFace,
    render_crossing,
)
from steadymark.models.face.schema import load_schema


def portrait(colour: tuple[int, int, int]) -> PortraitFace:
    """Return a portrait that is a disc of one colour with a white nose tip."""
    image = np.full((320, 320, 3), 20, np.uint8)
    points = (load_schema().mean_shape * 170 + 160).astype(np.float32)
    cv2.circle(image, (160, 160), 120, colour, -1)
    cv2.circle(image, tuple(int(v) for v in points[30].round()), 12, (255, 255, 255), -1)
    return PortraitFace(image, points)


@cache
def rendered(kind: str) -> list[CrossingFrame]:
    return list(
        render_crossing(
            kind, (portrait((0, 0, 200)), portrait((200, 0, 0))), np.random.default_rng(3)
        )
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_ground_truth_matches_the_drawn_face(kind: str) -> None:
    shots = rendered(kind)
    assert len(shots) == FRAMES
    fully_visible = 0
    for shot in shots[::9]:
        assert shot.points.shape == (2, 68, 2)
        for xy, visible in zip(shot.points, shot.visible, strict=True):
            if visible == 1:
                x, y = xy[30].round().astype(int)
                assert shot.image[y, x].min() > 200
                fully_visible += 1
    assert fully_visible >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_face_is_hidden_or_outside_and_comes_back(kind: str) -> None:
    visible = np.array([shot.visible[0] for shot in rendered(kind)])
    assert visible.min() < 0.4
    if kind != "overtake":
        assert visible[:5].min() > 0.85
        assert visible[-5:].min() > 0.85


def test_rendering_is_reproducible() -> None:
    for one, other in zip(rendered("meet"), rendered.__wrapped__("meet"), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
