"""Made crossings: their truth is where the faces are drawn, and what hides them is known."""

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


def sitter(colour: tuple[int, int, int]) -> PortraitFace:
    """A disc of one colour, whose nose tip is white."""
    picture = np.full((320, 320, 3), 20, np.uint8)
    points = (load_schema("ibug68").mean_shape * 170 + 160).astype(np.float32)
    cv2.circle(picture, (160, 160), 120, colour, -1)
    cv2.circle(picture, tuple(int(v) for v in points[30].round()), 12, (255, 255, 255), -1)
    return PortraitFace(picture, points)


@cache
def made(kind: str) -> list[CrossingFrame]:
    return list(
        render_crossing(kind, (sitter((0, 0, 200)), sitter((200, 0, 0))), np.random.default_rng(3))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_lies_where_the_face_is_drawn(kind: str) -> None:
    shots = made(kind)
    assert len(shots) == FRAMES
    whole = 0
    for shot in shots[::9]:
        assert shot.points.shape == (2, 68, 2)
        for xy, visible in zip(shot.points, shot.visible, strict=True):
            if visible == 1:
                x, y = xy[30].round().astype(int)
                assert shot.image[y, x].min() > 200
                whole += 1
    assert whole >= 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_face_is_hidden_or_away_and_comes_back(kind: str) -> None:
    visible = np.array([shot.visible[0] for shot in made(kind)])
    assert visible.min() < 0.4
    if kind != "overtake":
        assert visible[:5].min() > 0.85
        assert visible[-5:].min() > 0.85


def test_a_video_is_the_same_every_time() -> None:
    for one, other in zip(made("meet"), made.__wrapped__("meet"), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
