"""The square crop that a landmark network sees, and its mapping to picture pixels.

Pixel convention: x points right, y points down, and the centre of the top-left pixel is at (0, 0),
so a picture covers [-0.5, width - 0.5]. Training, tracking and evaluation all use `cut`.
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
    """A rotated square in a picture.

    Attributes:
        x: Centre of the square, picture pixels.
        y: Centre of the square, picture pixels.
        side: Length of its sides, picture pixels.
        roll_deg: Angle of the crop's x axis in the picture, degrees. Positive angles are
            clockwise on the screen.
    """

    x: float
    y: float
    side: float
    roll_deg: float = 0.0

    def to_picture(self, size: int) -> Matrix:
        """Compute the matrix from crop pixels to picture pixels.

        Args:
            size: Side of the sampled crop, pixels.

        Returns:
            (2, 3) affine matrix.
        """
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
        """Compute the matrix from picture pixels to crop pixels.

        Args:
            size: Side of the sampled crop, pixels.

        Returns:
            (2, 3) affine matrix.
        """
        return inverse(self.to_picture(size))

    def onto(self, other: Crop, size: int) -> Matrix:
        """Compute the matrix from this crop's pixels to those of another crop.

        Args:
            other: The other crop.
            size: Side of both sampled crops, pixels.

        Returns:
            (2, 3) affine matrix.
        """
        return compose(other.from_picture(size), self.to_picture(size))


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """Compose two affine matrices.

    Args:
        outer: (2, 3) matrix that is applied second.
        inner: (2, 3) matrix that is applied first.

    Returns:
        (2, 3) matrix.
    """
    turn, shift = outer[:, :2], outer[:, 2:]
    return np.concatenate((turn @ inner[:, :2], turn @ inner[:, 2:] + shift), 1)


def mirror_image(matrix: Matrix, size: int) -> Matrix:
    """Change a matrix from crop pixels so that it starts from pixels of the mirrored crop.

    Args:
        matrix: (2, 3) matrix from crop pixels.
        size: Side of the crop, pixels.

    Returns:
        (2, 3) matrix from pixels of the mirrored crop.
    """
    return compose(matrix, np.array([[-1.0, 0, size - 1], [0, 1, 0]]))


def inverse(matrix: Matrix) -> Matrix:
    """Invert an affine matrix.

    Args:
        matrix: (2, 3).

    Returns:
        (2, 3) inverse.

    Raises:
        LinAlgError: The matrix has no inverse.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    area = a * d - b * c
    if area == 0:
        raise np.linalg.LinAlgError("Singular matrix")
    a, b, c, d = d / area, -b / area, -c / area, a / area
    return np.array([[a, b, -a * x - b * y], [c, d, -c * x - d * y]])


def transform(matrix: Matrix, xy: NDArray[np.floating]) -> Points:
    """Apply an affine matrix to points.

    Args:
        matrix: (2, 3).
        xy: (..., 2) points.

    Returns:
        (..., 2) float32.
    """
    moved: Points = (xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return moved


def cut(picture: Image, to_picture: Matrix, size: int, *, border: int = 0) -> Image:
    """Sample a `size`×`size` crop with sub-pixel accuracy and without aliasing.

    If a crop pixel is k ≥ 2 picture pixels wide, the picture is first averaged over k×k blocks.
    The blocks lie on a fixed grid of the picture, so a crop that moves a little does not flicker.

    Args:
        picture: (H, W, 3) uint8.
        to_picture: (2, 3) matrix from crop pixels to picture pixels.
        size: Side of the crop, pixels.
        border: Grey level outside the picture.

    Returns:
        The crop, (size, size, 3) uint8.
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
    """Average k×k blocks of the part of the picture that the crop covers.

    Returns the smaller picture and the matrix from crop pixels to its pixels.
    """
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
    """Fit the crop of a face to its landmarks.

    The least-squares similarity maps the mean shape onto the landmarks. The crop's centre is the
    image of the mean shape's origin, and its side is `margin` × the fitted size. All K points
    contribute equally, so the noise of one point moves the crop by 1/K of it. When the head turns,
    the crop does not shrink as the distance between two eye corners does.

    Args:
        xy: (K, 2) landmarks, picture pixels.
        mean_shape: (K, 2) upright mean shape, whose longer side is 1.
        margin: Side of the crop divided by the fitted size of the face.

    Returns:
        The crop.
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
    """Compute the next crop of a tracked face.

    Args:
        crop: The current crop.
        wanted: The crop that fits the newest landmarks.
        before: The crop that fitted the landmarks of the previous frame, or None.
        dead_band: See `keep_crop_if_still`.

    Returns:
        The crop for the next frame.
    """
    still = keep_crop_if_still(crop, wanted, dead_band=dead_band)
    return still if before is None else lead(still, before, wanted)


def keep_crop_if_still(kept: Crop, wanted: Crop, *, dead_band: float) -> Crop:
    """Move a crop only as far as needed to bring the face back into a dead band.

    Inside the dead band the crop does not move, because a crop that follows the noise of the
    landmarks feeds that noise back into the network. Outside it the crop moves by the excess only,
    so there is no jump at the limit of the band.

    Args:
        kept: The current crop.
        wanted: The crop that fits the newest landmarks.
        dead_band: Half width of the band. It is a share of the crop's side for the position, a
            difference of logarithms for the size, and half an angle in radians for the roll.

    Returns:
        The moved crop.
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
    """Move a crop ahead by the last motion of a fast face.

    A crop that only follows the face is one frame late, so a face that moves fast can leave it.
    Slow motion does not change the crop. A jump does not change it either, because after a jump
    the landmarks probably belong to another face.

    Args:
        crop: The crop to move.
        before: The crop that fitted the landmarks of the previous frame.
        now: The crop that fits the newest landmarks.

    Returns:
        The moved crop.
    """
    dx, dy = now.x - before.x, now.y - before.y
    speed = math.hypot(dx, dy) / now.side
    if not _SLOW < speed < _LEAP:
        return crop
    share = 1 - _SLOW / speed
    return Crop(crop.x + share * dx, crop.y + share * dy, crop.side, crop.roll_deg)


_SLOW, _LEAP = 0.02, 0.5  # share of the crop's side per frame


def _beyond(value: float, band: float) -> float:
    """Return the part of a value that lies outside ±band, or 0 inside."""
    return math.copysign(max(0.0, abs(value) - band), value)
