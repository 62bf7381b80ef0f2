"""Random occlusions of a face: hands, objects, glasses, masks, hoods and patches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.conditions.occluders import OBJECTS, draw_object

if TYPE_CHECKING:
    from numpy.random import Generator

    from steadymark.models.face.crop import Image

Floats = NDArray[np.floating]


def with_cover(image: Image) -> Image:
    """Return a copy (H, W, 4) of a BGR image whose fourth channel is 0: nothing is hidden yet."""
    return np.dstack((image, np.zeros(image.shape[:2], np.uint8)))


def cover_box(image: Image, box: Floats, roll_deg: float, rng: Generator) -> None:
    """Hide a part of a face, in place.

    Args:
        image: (H, W, 3) uint8 BGR; it is changed. An image of `with_cover`, (H, W, 4), is changed
            in the same way, and its fourth channel becomes the opacity of what hides the face.
        box: (4,) left, top, right, bottom of the face's landmarks in pixels.
        roll_deg: Roll of the face in degrees; NaN if it is unknown.
        rng: Chooses the kind of occlusion and its position.
    """
    kind = rng.random()
    if kind < 0.3:
        cover_with_fingers(image, box, rng)
    elif kind < 0.55:
        cover_with_object(image, box, rng)
    elif kind < 0.8:
        cover_with_clothing(image, box, 0.0 if math.isnan(roll_deg) else roll_deg, rng)
    else:
        cover_with_patch(image, box, rng)


def _skin(image: Image, x: float, y: float) -> Floats:
    height, width = image.shape[:2]
    row, column = min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)
    colour: Floats = image[row, column, :3].astype(np.float64)
    return colour


def _colour(values: Floats) -> tuple[float, ...]:
    """Return a colour for OpenCV, which ignores its opacity, 255, where an image has none."""
    return (*(float(c) for c in values.clip(0, 255)), 255.0)


def cover_with_fingers(image: Image, box: Floats, rng: Generator) -> None:
    """Draw fingers, and sometimes a fist, in the colour of the skin or in a random colour.

    See `cover_box` for the arguments.
    """
    side = float((box[2:] - box[:2]).max())
    middle = (box[:2] + box[2:]) / 2
    skin = _skin(image, *middle) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
    colour = _colour(skin * rng.uniform(0.6, 1.3))
    direction = rng.uniform(0, 2 * math.pi)
    axis = np.array([math.cos(direction), math.sin(direction)])
    across = np.array([-axis[1], axis[0]])
    width = side * rng.uniform(0.12, 0.22)
    tip = middle + axis * side * rng.uniform(-0.05, 0.35)
    for i in range(int(rng.integers(1, 5))):
        start = tip + across * width * 1.1 * (i - 1.5) + axis * rng.uniform(0, 0.15) * side
        end = start + (axis + across * rng.uniform(-0.1, 0.1)) * side
        line = [tuple(int(v) for v in point) for point in (start, end)]
        cv2.line(image, line[0], line[1], colour, max(1, int(width)), cv2.LINE_AA)
    if rng.random() < 0.5:
        fist = tip + axis * side * 0.6
        centre = (int(fist[0]), int(fist[1]))
        cv2.circle(image, centre, max(1, int(side * 0.3)), colour, -1, cv2.LINE_AA)


def cover_with_object(
    image: Image, box: Floats, rng: Generator, kinds: tuple[str, ...] = OBJECTS
) -> None:
    """Draw a hand, mug or microphone that reaches into the face from a random direction.

    See `cover_box` for the arguments; `kinds` are some of `OBJECTS`.
    """
    middle = (box[:2] + box[2:]) / 2
    side = float((box[2:] - box[:2]).max())
    kind = kinds[int(rng.integers(len(kinds)))]
    colour, cover = draw_object(kind, _skin(image, *middle), rng)
    scale = side * rng.uniform(0.5, 1.0) / cover.shape[1]
    direction = rng.uniform(-math.pi, math.pi)
    cos, sin = scale * math.cos(direction), scale * math.sin(direction)
    linear = np.array([[cos, -sin], [sin, cos]])
    object_centre = np.full(2, (cover.shape[1] - 1) / 2)
    position = middle + side * rng.uniform(-0.3, 0.3, 2)
    pose = np.concatenate((linear, (position - linear @ object_centre)[:, None]), 1)
    size = image.shape[1::-1]
    mask = cv2.warpAffine(cover, pose, size, flags=cv2.INTER_LINEAR)[..., None]
    paint = cv2.warpAffine(colour, pose, size, borderMode=cv2.BORDER_REPLICATE)
    if image.shape[2] == 4:
        paint = np.dstack((paint, np.full(paint.shape[:2], 255, np.float32)))
    image[:] = (image + mask * (paint - image)).clip(0, 255).astype(np.uint8)


def cover_with_clothing(image: Image, box: Floats, roll_deg: float, rng: Generator) -> None:
    """Draw dark glasses, a mask or scarf, or a cap or hood, aligned to the box and the roll.

    See `cover_box` for the arguments; the roll is known.
    """
    middle = (box[:2] + box[2:]) / 2
    half = float((box[2:] - box[:2]).min()) / 2
    cos, sin = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
    linear = np.array([[cos, -sin], [sin, cos]]) * half

    def at(*xy: tuple[float, float]) -> NDArray[np.int32]:
        return np.rint(np.array(xy) @ linear.T + middle).astype(np.int32)

    colour = _colour(rng.uniform(0, 255, 3) * rng.choice((0.15, 0.5, 1.0)))
    kind = rng.random()
    if kind < 0.4:
        _glasses(image, at((-0.45, -0.5), (0.45, -0.5)), half, roll_deg, colour, rng)
    elif kind < 0.75:
        top, low = rng.uniform(-0.25, 0.2), rng.uniform(1.05, 1.3)
        mask = at((-1.0, top), (0, top - 0.2), (1.0, top), (0.75, 0.8), (0, low), (-0.75, 0.8))
        cv2.fillConvexPoly(image, cv2.convexHull(mask), colour, cv2.LINE_AA)
    else:
        low = rng.uniform(-0.85, -0.6)
        cap = at((-1.2, low), (1.2, low), (1.15, -1.3), (0.6, -1.9), (-0.6, -1.9), (-1.15, -1.3))
        cv2.fillConvexPoly(image, cv2.convexHull(cap), colour, cv2.LINE_AA)
        if rng.random() < 0.5:  # a hood, or long hair
            for side in (-1, 1):
                strip = at((side * 0.8, -1), (side * 1.6, -1), (side * 1.6, 1.4), (side * 0.9, 1.4))
                cv2.fillConvexPoly(image, strip, colour, cv2.LINE_AA)


def _glasses(
    image: Image,
    eyes: NDArray[np.int32],
    half: float,
    roll_deg: float,
    colour: tuple[float, ...],
    rng: Generator,
) -> None:
    filled = -1 if rng.random() < 0.75 else max(1, int(0.07 * half))
    axes = (max(1, int(half * rng.uniform(0.3, 0.42))), max(1, int(half * rng.uniform(0.2, 0.36))))
    for eye in eyes:
        centre = (int(eye[0]), int(eye[1]))
        cv2.ellipse(image, centre, axes, roll_deg, 0, 360, colour, filled, cv2.LINE_AA)
    ends = [(int(eye[0]), int(eye[1])) for eye in eyes]
    cv2.line(image, ends[0], ends[1], colour, max(1, int(0.08 * half)), cv2.LINE_AA)


def cover_with_patch(image: Image, box: Floats, rng: Generator) -> None:
    """Cover a part of the face with a plain patch or with a patch from elsewhere in the image.

    See `cover_box` for the arguments.
    """
    sides = box[2:] - box[:2]
    width, height = (max(2, int(v)) for v in sides * rng.uniform(0.35, 0.8, 2))
    left, top = (box[:2] + rng.uniform(-0.1, 0.65, 2) * sides).astype(int)
    rows, columns = image.shape[:2]
    x0, y0, x1, y1 = max(0, left), max(0, top), min(columns, left + width), min(rows, top + height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    patch = np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (y1 - y0, x1 - x0, 3))
    if rng.random() < 0.6:
        x, y = int(rng.integers(columns - (x1 - x0) + 1)), int(rng.integers(rows - (y1 - y0) + 1))
        patch = image[y : y + y1 - y0, x : x + x1 - x0, :3].copy()
    image[y0:y1, x0:x1, :3] = patch
    image[y0:y1, x0:x1, 3:] = 255
