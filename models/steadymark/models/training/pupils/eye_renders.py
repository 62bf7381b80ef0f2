"""Drawn eyes with known pupils, for gazes and lights that the photos lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.training.pupils.eye_pictures import EYE_SCALE, PICTURE, EyePicture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

    Floats = NDArray[np.float32]

_FINER = 2  # eyes are drawn at twice the resolution
_SIDE = PICTURE * _FINER
_WIDTH = EYE_SCALE * _FINER  # distance of the corners in the drawing, pixels
_SHIFT = 4  # fractional bits of OpenCV's coordinates


def render_eye(rng: np.random.Generator) -> EyePicture:
    """Draw an open eye: skin, eyeball, iris, pupil, lids, lashes and a reflection of light.

    Args:
        rng: Makes all random choices.

    Returns:
        The eye, with lids and pupil.
    """
    skin_grey = rng.uniform(35, 215)
    upper, lower = _lids(rng)
    opening = np.concatenate((upper, lower[::-1]))
    pupil = _gaze(upper, lower, rng)
    ball = _eyeball(pupil, skin_grey, rng)
    mask = _filled(opening)[..., None][..., 0]
    picture = _skin(skin_grey, upper, rng) * (1 - mask) + ball * mask
    _lashes(picture, upper, lower, skin_grey, rng)
    picture += cv2.resize(rng.normal(0, 6, (6, 6)).astype(np.float32), (_SIDE, _SIDE))
    small = cv2.resize(picture, (PICTURE, PICTURE), interpolation=cv2.INTER_AREA)
    image: Image = small.clip(0, 255).astype(np.uint8)
    third = len(upper) // 3
    ends = (upper[0], upper[third], upper[2 * third], upper[-1])
    lids = np.array((*ends, lower[2 * third], lower[third]))
    return EyePicture("drawn", 0, image, _to_picture(lids), _to_picture(pupil))


def _to_picture(xy: Floats) -> Floats:
    converted: Floats = ((xy + 0.5) / _FINER - 0.5).astype(np.float32)
    return converted


def _lids(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return (31, 2) points along the upper and the lower lid, from the outer corner on."""
    along = np.linspace(0, 1, 31)
    x = _SIDE / 2 + (along - 0.5) * _WIDTH
    tilt = (along - 0.5) * rng.normal(0, 0.05) * _WIDTH
    power, skew = rng.uniform(0.6, 1.3), rng.uniform(0.8, 1.25)
    arch = (4 * along**skew * (1 - along**skew)).clip(0) ** power
    up, down = rng.uniform(0.08, 0.34), rng.uniform(0.03, 0.14)
    upper = np.stack((x, _SIDE / 2 + tilt - up * _WIDTH * arch), 1)
    lower = np.stack((x, _SIDE / 2 + tilt + down * _WIDTH * arch), 1)
    return upper.astype(np.float32), lower.astype(np.float32)


def _gaze(upper: Floats, lower: Floats, rng: np.random.Generator) -> Floats:
    """Return a centre (2,) of the pupil between the lids."""
    column = int(np.clip(rng.normal(15, 4.5), 5, 25))
    share = float(np.clip(rng.normal(0.45, 0.2), 0.1, 0.9))
    centre: Floats = upper[column] * (1 - share) + lower[column] * share
    return centre


def _eyeball(pupil: Floats, skin_grey: float, rng: np.random.Generator) -> Floats:
    white = min(255.0, skin_grey + rng.uniform(5, 90))
    down = np.linspace(-1, 1, _SIDE, dtype=np.float32)[:, None]
    ball: Floats = np.full((_SIDE, _SIDE), white, np.float32)
    ball *= 1 + rng.uniform(0, 0.6) * np.minimum(0, down * 2)  # the upper lid's shadow
    radius = rng.uniform(0.165, 0.23) * _WIDTH
    narrow = 1 - abs(float(pupil[0]) - _SIDE / 2) / _WIDTH * 0.4
    iris_grey = white * rng.uniform(0.12, 0.7)
    rim = iris_grey * rng.uniform(0.5, 1.0)
    _disc(ball, pupil, radius, narrow, rim)
    _disc(ball, pupil, radius * 0.88, narrow, iris_grey)
    _disc(ball, pupil, radius * rng.uniform(0.25, 0.6), narrow, iris_grey * rng.uniform(0.1, 0.7))
    for _ in range(int(rng.integers(0, 3))):
        at = pupil + rng.normal(0, 0.5, 2) * radius
        bright = min(255.0, white * rng.uniform(1.0, 1.6))
        _disc(ball, at.astype(np.float32), radius * rng.uniform(0.05, 0.25), 1.0, bright)
    return cv2.GaussianBlur(ball, (0, 0), rng.uniform(0.6, 2.0)).astype(np.float32)


def _disc(picture: Floats, centre: Floats, radius: float, narrow: float, grey: float) -> None:
    x, y = (int(v) for v in (centre * 2**_SHIFT).round())
    axes = (int(radius * narrow * 2**_SHIFT), int(radius * 2**_SHIFT))
    cv2.ellipse(picture, (x, y), axes, 0, 0, 360, grey, -1, cv2.LINE_AA, _SHIFT)


def _filled(polygon: Floats) -> Floats:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(mask, [(polygon * 2**_SHIFT).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
    return (cv2.GaussianBlur(mask, (0, 0), 1.0) / 255).astype(np.float32)


def _skin(grey: float, upper: Floats, rng: np.random.Generator) -> Floats:
    skin: Floats = np.full((_SIDE, _SIDE), grey, np.float32)
    slope = rng.normal(0, 0.25, 2)
    ramp = np.linspace(-0.5, 0.5, _SIDE, dtype=np.float32)
    skin *= 1 + slope[0] * ramp[None] + slope[1] * ramp[:, None]
    crease = upper - np.array((0, rng.uniform(0.04, 0.14) * _WIDTH))
    _line(skin, crease, grey * rng.uniform(0.5, 0.95), int(rng.integers(1, 5)))
    brow = upper - np.array((0, rng.uniform(0.35, 0.6) * _WIDTH))
    _line(skin, brow, grey * rng.uniform(0.2, 0.8), int(rng.integers(4, 16)))
    return cv2.GaussianBlur(skin, (0, 0), rng.uniform(1, 3)).astype(np.float32)


def _lashes(
    picture: Floats, upper: Floats, lower: Floats, skin_grey: float, rng: np.random.Generator
) -> None:
    _line(picture, upper, skin_grey * rng.uniform(0.1, 0.7), int(rng.integers(1, 7)))
    if rng.random() < 0.5:
        _line(picture, lower, skin_grey * rng.uniform(0.4, 0.9), int(rng.integers(1, 4)))


def _line(picture: Floats, along: NDArray[np.floating], grey: float, thick: int) -> None:
    points = [(along * 2**_SHIFT).astype(np.int32)]
    cv2.polylines(picture, points, False, grey, thick, cv2.LINE_8, _SHIFT)
