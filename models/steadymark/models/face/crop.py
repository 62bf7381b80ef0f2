"""The square crop that a landmark network sees, and its mapping to image pixels.

Pixel convention: x points right, y points down, and the centre of the top-left pixel is at (0, 0),
so an image covers [-0.5, width - 0.5]. Training, tracking and evaluation all use `cut`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CHANNELS = 3
Image = NDArray[np.uint8]
Matrix = NDArray[np.float64]
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Crop:
    """A rotated square in an image.

    Attributes:
        x: Centre of the square, image pixels.
        y: Centre of the square, image pixels.
        side: Length of its sides, image pixels.
        roll_deg: Angle of the crop's x axis in the image, degrees. Positive angles are
            clockwise on the screen.
    """

    x: float
    y: float
    side: float
    roll_deg: float = 0.0

    def matrix_to_image(self, size: int) -> Matrix:
        """Compute the matrix from crop pixels to image pixels.

        Args:
            size: Side of the sampled crop, pixels.

        Returns:
            (2, 3) affine matrix.
        """
        scale = self.side / size
        cos = scale * math.cos(math.radians(self.roll_deg))
        sin = scale * math.sin(math.radians(self.roll_deg))
        centre = (size - 1) / 2
        return np.array(
            [
                [cos, -sin, self.x - centre * (cos - sin)],
                [sin, cos, self.y - centre * (sin + cos)],
            ]
        )

    def matrix_from_image(self, size: int) -> Matrix:
        """Compute the matrix from image pixels to crop pixels.

        Args:
            size: Side of the sampled crop, pixels.

        Returns:
            (2, 3) affine matrix.
        """
        return inverse(self.matrix_to_image(size))

    def matrix_to_crop(self, other: Crop, size: int) -> Matrix:
        """Compute the matrix from this crop's pixels to those of another crop.

        Args:
            other: The other crop.
            size: Side of both sampled crops, pixels.

        Returns:
            (2, 3) affine matrix.
        """
        return compose(other.matrix_from_image(size), self.matrix_to_image(size))


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """Compose two affine matrices.

    Args:
        outer: (2, 3) matrix that is applied second.
        inner: (2, 3) matrix that is applied first.

    Returns:
        (2, 3) matrix.
    """
    linear, shift = outer[:, :2], outer[:, 2:]
    return np.concatenate((linear @ inner[:, :2], linear @ inner[:, 2:] + shift), 1)


def mirror_image(matrix: Matrix, size: int) -> Matrix:
    """Change a matrix from crop pixels so that it starts from pixels of the mirrored crop.

    Args:
        matrix: (2, 3) matrix from crop pixels.
        size: Side of the crop, pixels.

    Returns:
        (2, 3) matrix from pixels of the mirrored crop.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    return np.array([[-a, b, a * (size - 1) + x], [-c, d, c * (size - 1) + y]])


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
    transformed: Points = (xy @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return transformed


def cut(image: Image, matrix_to_image: Matrix, size: int, *, border: int = 0) -> Image:
    """Sample a `size`×`size` crop with sub-pixel accuracy and without aliasing.

    If a crop pixel is k ≥ 2 image pixels wide, the image is first averaged over k×k blocks.
    The blocks lie on a fixed grid of the image, so a crop that moves a little does not flicker.

    Args:
        image: (H, W, 3) uint8.
        matrix_to_image: (2, 3) matrix from crop pixels to image pixels.
        size: Side of the crop, pixels.
        border: Grey level outside the image.

    Returns:
        The crop, (size, size, 3) uint8.
    """
    (a, b, _), (c, d, _) = matrix_to_image.tolist()
    factor = int(math.sqrt(abs(a * d - b * c)))
    if factor >= 2:
        image, matrix_to_image = _shrink(image, matrix_to_image, size, factor)
    return cv2.warpAffine(
        image,
        matrix_to_image,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(border, border, border),
    ).astype(np.uint8, copy=False)


def _shrink(image: Image, matrix_to_image: Matrix, size: int, factor: int) -> tuple[Image, Matrix]:
    """Average k×k blocks of the part of the image that the crop covers.

    Returns the smaller image and the matrix from crop pixels to its pixels.
    """
    corners = transform(
        matrix_to_image, np.array([[-1, -1], [size, -1], [-1, size], [size, size]], np.float64)
    )
    height, width = image.shape[:2]
    left, top = (np.floor(corners.min(0) / factor).astype(int) * factor - factor).clip(0)
    right = min(int(corners[:, 0].max()) + 2 * factor, width)
    bottom = min(int(corners[:, 1].max()) + 2 * factor, height)
    columns, rows = (right - left) // factor, (bottom - top) // factor
    if columns < 1 or rows < 1:
        return np.zeros((1, 1, 3), np.uint8), np.array([[0, 0, -9.0], [0, 0, -9.0]])
    covered = image[top : top + rows * factor, left : left + columns * factor]
    shrunk = cv2.resize(covered, (columns, rows), interpolation=cv2.INTER_AREA)
    matrix = matrix_to_image.copy()
    matrix[:, 2] -= (left, top)
    matrix[:, :] /= factor
    matrix[:, 2] += 0.5 / factor - 0.5  # centre of a k×k block
    return shrunk.astype(np.uint8, copy=False), matrix


def fit_crop(xy: NDArray[np.floating], mean_shape: NDArray[np.floating], *, margin: float) -> Crop:
    """Fit the crop of a face to its landmarks.

    The least-squares similarity maps the mean shape onto the landmarks. The crop's centre is the
    image of the mean shape's origin, and its side is `margin` × the fitted size. All K points
    contribute equally, so the noise of one point moves the crop by 1/K of it. When the head turns,
    the crop does not shrink as the distance between two eye corners does.

    Args:
        xy: (K, 2) landmarks, image pixels.
        mean_shape: (K, 2) upright mean shape, whose longer side is 1.
        margin: Side of the crop divided by the fitted size of the face.

    Returns:
        The crop.
    """
    shape_centre = mean_shape.mean(0)
    points_centre = xy.mean(0)
    shape_complex = (mean_shape - shape_centre) @ np.array([1, 1j])
    points_complex = (xy - points_centre) @ np.array([1, 1j])
    scaled_rotation = complex(
        np.vdot(shape_complex, points_complex) / np.vdot(shape_complex, shape_complex)
    )
    shift = complex(points_centre @ np.array([1, 1j])) - scaled_rotation * complex(
        shape_centre @ np.array([1, 1j])
    )
    roll = math.degrees(math.atan2(scaled_rotation.imag, scaled_rotation.real))
    return Crop(shift.real, shift.imag, max(1.0, margin * abs(scaled_rotation)), roll)


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
    next_crop = keep_crop_if_still(crop, wanted, dead_band=dead_band)
    return next_crop if before is None else lead(next_crop, before, wanted)


def keep_crop_if_still(crop: Crop, wanted: Crop, *, dead_band: float) -> Crop:
    """Move a crop only as far as needed to bring the face back into a dead band.

    Inside the dead band the crop does not move, because a crop that follows the noise of the
    landmarks feeds that noise back into the network. Outside it the crop moves by the excess only,
    so there is no jump at the limit of the band.

    Args:
        crop: The current crop.
        wanted: The crop that fits the newest landmarks.
        dead_band: Half width of the band. It is a share of the crop's side for the position, a
            difference of logarithms for the size, and half an angle in radians for the roll.

    Returns:
        The moved crop.
    """
    dx, dy = (wanted.x - crop.x) / crop.side, (wanted.y - crop.y) / crop.side
    distance = math.hypot(dx, dy)
    share = max(0.0, 1 - dead_band / distance) if distance > 0 else 0.0
    growth = math.log(wanted.side / crop.side)
    roll_change = (wanted.roll_deg - crop.roll_deg + 180) % 360 - 180
    return Crop(
        crop.x + share * dx * crop.side,
        crop.y + share * dy * crop.side,
        crop.side * math.exp(_excess(growth, dead_band)),
        crop.roll_deg + _excess(roll_change, math.degrees(2 * dead_band)),
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
    if not _SLOW_SPEED < speed < _JUMP_SPEED:
        return crop
    excess_share = 1 - _SLOW_SPEED / speed
    return Crop(crop.x + excess_share * dx, crop.y + excess_share * dy, crop.side, crop.roll_deg)


_SLOW_SPEED, _JUMP_SPEED = 0.02, 0.5  # share of the crop's side per frame


def _excess(value: float, band: float) -> float:
    """Return the part of a value that lies outside ±band, or 0 inside."""
    return math.copysign(max(0.0, abs(value) - band), value)


def planar(crops: Image) -> Image:
    """Move the channels of crops to the second axis.

    OpenCV does this ten times as fast as a node of the graph.

    Args:
        crops: (n, F, F, 3) uint8.

    Returns:
        (n, 3, F, F) uint8.
    """
    out = np.empty((len(crops), CHANNELS, *crops.shape[1:3]), np.uint8)
    for crop, planes in zip(crops, out, strict=True):
        cv2.split(crop, list(planes))
    return out
