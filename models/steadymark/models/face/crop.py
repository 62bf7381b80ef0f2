"""The square crop a landmark network sees: the one mapping between crop and picture pixels.

Pixels: x right, y down, the centre of the top-left pixel at (0, 0); so a picture covers
[-0.5, width - 0.5]. Training, tracking and evaluation all cut with `cut`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Crop:
    """A square in the picture: centre and side in picture pixels, roll in degrees.

    roll_deg is the angle of the crop's x axis in the picture, positive clockwise as seen.
    """

    x: float
    y: float
    side: float
    roll_deg: float = 0.0

    def to_picture(self, size: int) -> Matrix:
        """(2, 3) matrix from the pixels of a `size`×`size` crop to picture pixels."""
        scale = self.side / size
        cos = scale * math.cos(math.radians(self.roll_deg))
        sin = scale * math.sin(math.radians(self.roll_deg))
        middle = (size - 1) / 2
        return np.array(
            [
                [cos, -sin, self.x - middle * (cos - sin)],
                [sin, cos, self.y - middle * (sin + cos)],
            ]
        )

    def from_picture(self, size: int) -> Matrix:
        """(2, 3) matrix from picture pixels to the pixels of a `size`×`size` crop."""
        return inverse(self.to_picture(size))

    def onto(self, other: Crop, size: int) -> Matrix:
        """(2, 3) matrix from this crop's pixels to those of another, both `size`×`size`."""
        return compose(other.from_picture(size), self.to_picture(size))


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """(2, 3) matrix of `inner`, then `outer`."""
    turn, shift = outer[:, :2], outer[:, 2:]
    return np.concatenate((turn @ inner[:, :2], turn @ inner[:, 2:] + shift), 1)


def mirror_image(matrix: Matrix, size: int) -> Matrix:
    """The same map from pixels of a `size`×`size` crop that is seen in a mirror."""
    return compose(matrix, np.array([[-1.0, 0, size - 1], [0, 1, 0]]))


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of a (2, 3) affine matrix; raises LinAlgError where there is none."""
    (a, b, x), (c, d, y) = matrix.tolist()
    area = a * d - b * c
    if area == 0:
        raise np.linalg.LinAlgError("Singular matrix")
    a, b, c, d = d / area, -b / area, -c / area, a / area
    return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])


def transform(matrix: Matrix, xy: NDArray[np.floating]) -> Points:
    """Apply a (2, 3) affine matrix to points (..., 2)."""
    moved: Points = (xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return moved


def cut(picture: Image, to_picture: Matrix, size: int, *, border: int = 0) -> Image:
    """Sample a `size`×`size` crop, sub-pixel exact, without aliasing.

    picture: (H, W, 3) uint8. to_picture: (2, 3) from crop to picture pixels. Where a crop pixel is
    k ≥ 2 picture pixels wide, the picture is first averaged over k×k blocks that lie on a fixed
    grid of the picture, so that a crop which moves by a little does not flicker.
    """
    scale = math.sqrt(abs(float(np.linalg.det(to_picture[:, :2]))))
    k = int(scale)
    if k >= 2:
        picture, to_picture = _shrink(picture, to_picture, size, k)
    return cv2.warpAffine(
        picture,
        to_picture,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    ).astype(np.uint8, copy=False)


def _shrink(picture: Image, to_picture: Matrix, size: int, k: int) -> tuple[Image, Matrix]:
    """Average k×k blocks of the part of the picture that the crop covers."""
    corners = transform(
        to_picture, np.array([[-1, -1], [size, -1], [-1, size], [size, size]], np.float64)
    )
    height, width = picture.shape[:2]
    left, top = (np.floor(corners.min(0) / k).astype(int) * k - k).clip(0)
    right = min(int(corners[:, 0].max()) + 2 * k, width)
    bottom = min(int(corners[:, 1].max()) + 2 * k, height)
    columns, rows = (right - left) // k, (bottom - top) // k
    if columns < 1 or rows < 1:
        return np.zeros((1, 1, 3), np.uint8), np.array([[0, 0, -9.0], [0, 0, -9.0]])
    part = picture[top : top + rows * k, left : left + columns * k]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    moved = to_picture.copy()
    moved[:, 2] -= (left, top)
    moved[:, :] /= k
    moved[:, 2] += 0.5 / k - 0.5  # centre of a k×k block
    return small.astype(np.uint8, copy=False), moved


def fit_crop(xy: NDArray[np.floating], mean_shape: NDArray[np.floating], *, margin: float) -> Crop:
    """The crop of a face by the least-squares similarity that carries the mean shape onto it.

    xy: (K, 2) picture pixels. mean_shape: (K, 2), upright, longer side of its extent 1. The crop's
    centre is where the origin of the mean shape comes to lie, its side margin × the fitted size.
    All K points decide, so noise of one point moves the crop by 1/K of it, and a turned head does
    not make it collapse as a distance between two eye corners does.
    """
    source = mean_shape.mean(0)
    target = xy.mean(0)
    z = (mean_shape - source) @ np.array([1, 1j])
    w = (xy - target) @ np.array([1, 1j])
    turn = complex(np.vdot(z, w) / np.vdot(z, z))
    shift = complex(target @ np.array([1, 1j])) - turn * complex(source @ np.array([1, 1j]))
    roll = math.degrees(math.atan2(turn.imag, turn.real))
    return Crop(shift.real, shift.imag, max(1.0, margin * abs(turn)), roll)


def follow(crop: Crop, wanted: Crop, before: Crop | None, *, dead_band: float) -> Crop:
    """The next crop of a face that is `wanted` there now, and was `before` in the last look."""
    still = keep_crop_if_still(crop, wanted, dead_band=dead_band)
    return still if before is None else lead(still, before, wanted)


def keep_crop_if_still(kept: Crop, wanted: Crop, *, dead_band: float) -> Crop:
    """Let the crop follow the face no further than it must to have it within the dead band.

    dead_band: share of the crop's side, for place, size and roll (radians / 2) each. Within it the
    crop stands still, since one that follows every landmark's noise feeds that noise back into the
    network; beyond it the crop is drawn along by the rest, so that no small difference decides
    between standing and jumping.
    """
    dx, dy = (wanted.x - kept.x) / kept.side, (wanted.y - kept.y) / kept.side
    away = math.hypot(dx, dy)
    pull = max(0.0, 1 - dead_band / away) if away > 0 else 0.0
    growth = math.log(wanted.side / kept.side)
    turn = (wanted.roll_deg - kept.roll_deg + 180) % 360 - 180
    return Crop(
        kept.x + pull * dx * kept.side,
        kept.y + pull * dy * kept.side,
        kept.side * math.exp(_beyond(growth, dead_band)),
        kept.roll_deg + _beyond(turn, math.degrees(2 * dead_band)),
    )


def lead(crop: Crop, before: Crop, now: Crop) -> Crop:
    """The crop moved on by as much as a fast face has just moved, from `before` to `now`.

    One that only follows is a frame late, and the face of a head that is thrown about leaves it.
    Slow motion leaves the crop as it is, and so does a leap: that was another face.
    """
    dx, dy = now.x - before.x, now.y - before.y
    speed = math.hypot(dx, dy) / now.side
    if not _SLOW < speed < _LEAP:
        return crop
    share = 1 - _SLOW / speed
    return Crop(crop.x + share * dx, crop.y + share * dy, crop.side, crop.roll_deg)


_SLOW, _LEAP = 0.02, 0.5  # of the crop's side, a frame


def _beyond(value: float, band: float) -> float:
    """What of a value lies outside ±band."""
    return math.copysign(max(0.0, abs(value) - band), value)
