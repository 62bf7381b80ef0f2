"""The crops of both eyes that the pupil network sees.

Both eyes are shown as the person's right eye: the outer corner is on the left, and the crop of the
left eye is mirrored. The line through the corners is horizontal, and the wider eye takes up 1/1.7
of the crop's width, so that the far eye of a turned head is as narrow as it looks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.face.crop import Crop, cut, mirror_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Matrix

EYE_WIDTH, EYE_HEIGHT = 48, 32  # size of the crops, pixels
MARGIN = 1.7  # width of the crop, as a multiple of the wider eye's width
RIGHT_EYE = (36, 37, 38, 39, 40, 41)  # outer corner, upper lid, inner corner, lower lid
LEFT_EYE = (45, 44, 43, 42, 47, 46)  # the same landmarks of the other eye
EYES = (RIGHT_EYE, LEFT_EYE)
_CORNERS = [eye[corner] for eye in EYES for corner in (0, 3)]
TOP = (EYE_WIDTH - EYE_HEIGHT) // 2  # rows of the square above the crop


class EyeCrop(NamedTuple):
    """Where the square around an eye lies in the frame.

    Attributes:
        to_image: (2, 3) matrix from pixels of the square to frame pixels.
        width_px: Distance of the eye's corners, frame pixels.
    """

    to_image: Matrix
    width_px: float


def eye_crops(
    points: NDArray[np.floating], *, margin: float = MARGIN, size: int = EYE_WIDTH
) -> tuple[EyeCrop, EyeCrop]:
    """Return the squares around a face's right and left eye.

    Args:
        points: (68, 2) landmarks in iBUG's order, frame pixels.
        margin: Side of the squares, as a multiple of the wider eye's width.
        size: Side of the sampled squares, pixels.

    Returns:
        The squares of the right and the left eye.
    """
    places = points[_CORNERS].tolist()  # numbers are faster than arrays for so few
    spans = [
        (inner[0] - outer[0], inner[1] - outer[1]) for outer, inner in (places[:2], places[2:])
    ]
    widths = [math.hypot(*span) for span in spans]
    side = max(1.0, margin * max(widths))
    crops = []
    for eye, ((dx, dy), width) in enumerate(zip(spans, widths, strict=True)):
        x, y = places[2 * eye][0] + dx / 2, places[2 * eye][1] + dy / 2
        roll = math.atan2(-dy, -dx) if eye else math.atan2(dy, dx)
        matrix = Crop(x, y, side, math.degrees(roll)).matrix_to_image(size)
        crops.append(EyeCrop(mirror_image(matrix, size) if eye else matrix, width))
    return crops[0], crops[1]


def cut_eye(image: Image, crop: EyeCrop) -> Image:
    """Cut an eye out of a frame.

    Args:
        image: (H, W, 3) uint8 BGR frame.
        crop: The square around the eye, of size `EYE_WIDTH`.

    Returns:
        (EYE_HEIGHT, EYE_WIDTH) uint8 grey crop, the middle of the square.
    """
    part = cut(image, crop.to_image, EYE_WIDTH)[TOP : TOP + EYE_HEIGHT]
    return cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def pupil_in_frame(xy: NDArray[np.floating], crop: EyeCrop) -> NDArray[np.float64]:
    """Map the centre of a pupil from the crop of `cut_eye` to the frame.

    Args:
        xy: (2,) centre in pixels of the crop.
        crop: The square around the eye.

    Returns:
        (2,) centre in frame pixels.
    """
    (x, y), ((a, b, left), (c, d, top)) = xy.tolist(), crop.to_image.tolist()
    y += TOP
    return np.array((a * x + b * y + left, c * x + d * y + top))
