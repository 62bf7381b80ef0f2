"""A frame with two drawn eyes, and the landmarks of the face around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.eye_crop import EYES
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

WIDTH = 120.0  # distance of the corners of a drawn eye, pixels
SKIN = (120, 150, 190)


def face_points(size: tuple[int, int] = (900, 900)) -> Points:
    """Return the mean face in the middle of a frame, whose eyes are `WIDTH` wide."""
    shape = load_schema("ibug68").mean_shape
    widths = [np.hypot(*(shape[eye[3]] - shape[eye[0]])) for eye in EYES]
    points = shape * (WIDTH / float(np.mean(widths))) + np.array(size) / 2
    for eye in EYES:  # level corners, and lids of the same height
        outer, inner = points[eye[0]].copy(), points[eye[3]].copy()
        along = inner - outer
        up = np.array((0, -0.17 * WIDTH))
        for index, share, rise in zip(
            eye, (0, 0.33, 0.67, 1, 0.67, 0.33), (0, 1, 1, 0, -0.55, -0.55), strict=True
        ):
            points[index] = outer + share * along + rise * up
    return points.astype(np.float32)


def draw_eyes(
    points: Points,
    *,
    gaze: tuple[float, float] = (0.0, 0.0),
    closed: tuple[bool, bool] = (False, False),
    size: tuple[int, int] = (900, 900),
) -> tuple[Image, NDArray[np.float64]]:
    """Draw both eyes of a face.

    Args:
        points: (68, 2) landmarks, see `face_points`.
        gaze: How far both pupils are from the middle of their eyes, in eye widths.
        closed: Whether the right and the left eye are closed.
        size: Width and height of the frame.

    Returns:
        The (H, W, 3) uint8 frame, and the (2, 2) centres of the right and the left pupil.
    """
    image = np.full((size[1], size[0], 3), SKIN, np.uint8)
    pupils = np.zeros((2, 2))
    for number, eye in enumerate(EYES):
        outer, inner = points[eye[0]], points[eye[3]]
        pupils[number] = (outer + inner) / 2 + np.array((gaze[0], gaze[1] - 0.05)) * WIDTH
        if closed[number]:
            lash = np.array([outer, (outer + inner) / 2 + (0, 0.08 * WIDTH), inner])
            cv2.polylines(image, [lash.astype(np.int32)], False, (40, 45, 60), 3, cv2.LINE_AA)
        else:
            _draw_open(image, points[list(eye)], pupils[number])
    return cv2.GaussianBlur(image, (0, 0), 1.5).astype(np.uint8, copy=False), pupils


def _draw_open(image: Image, lids: Points, pupil: NDArray[np.float64]) -> None:
    ball = np.full_like(image, (225, 228, 232))
    for radius, colour in ((0.19, (60, 75, 95)), (0.085, (15, 15, 18))):
        _disc(ball, pupil, radius * WIDTH, colour)
    _disc(ball, pupil + np.array((-0.05, -0.05)) * WIDTH, 0.02 * WIDTH, (255, 255, 255))
    upper = _arch(lids[0], lids[3], lids[1:3].mean(0))
    lower = _arch(lids[0], lids[3], lids[4:6].mean(0))
    outline = np.concatenate((upper, lower[::-1])).round().astype(np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline], 255)
    image[mask > 0] = ball[mask > 0]
    cv2.polylines(image, [upper.round().astype(np.int32)], False, (40, 45, 60), 4, cv2.LINE_AA)


def _arch(start: Points, end: Points, middle: Points) -> NDArray[np.float64]:
    t = np.linspace(0, 1, 25)[:, None]
    height = middle - (start + end) / 2
    return np.asarray(start + (end - start) * t + height * (4 * t * (1 - t)), np.float64)


def _disc(
    image: Image, centre: NDArray[np.floating], radius: float, colour: tuple[int, int, int]
) -> None:
    x, y = (round(float(v) * 16) for v in centre)
    cv2.circle(image, (x, y), int(radius * 16), colour, -1, cv2.LINE_AA, 4)
