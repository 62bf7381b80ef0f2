"""Detection of scene cuts from image structure; at a cut, the state of all faces is reset.

Flashes, fades, mains flicker, automatic exposure and bands of light are not cuts. The logarithm
removes gains. Subtracting a blurred image removes soft shadows. Subtracting the mean of each row
and column removes the bands of a rolling shutter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image

Pixels = NDArray[np.float32]
_WIDTH, _HEIGHT = 32, 18
_LEAST_CORRELATION = 0.5  # correlation of two thumbnails below which there is a cut between them
_ROWS, _COLUMNS = 2, 3  # largest shift between two frames, in pixels of the thumbnail
_INNER = (slice(_ROWS, -_ROWS), slice(_COLUMNS, -_COLUMNS))
_FLAT = 2.0  # standard deviation in grey levels below which a frame has no structure
_SLOW_PX = 4.0  # sigma of the blurred image that is subtracted, in pixels of the thumbnail
_DARKEST = 16.0  # grey levels added before the logarithm, so that noise in dark areas stays small
_WHITE = 248.0  # grey level from which a pixel counts as overexposed
_LEAST_EXPOSED = 0.25  # least share of pixels that are not overexposed
_GREY = np.full(3, 1 / 3, np.float32)
_ROW_MEAN = np.full((_WIDTH, _WIDTH), 1 / _WIDTH, np.float32)  # @ it replaces pixels by row means
_COLUMN_MEAN = np.full((_HEIGHT, _HEIGHT), 1 / _HEIGHT, np.float32)


class Thumbnail(NamedTuple):
    """The structure of a frame, independent of its lighting.

    Attributes:
        structure: (18, 32) logarithm of grey levels, minus its blurred version and its row and
            column means.
        exposed: (18, 32), 0 for overexposed pixels, otherwise 1.
        flat: Whether the frame has no structure.
    """

    structure: Pixels
    exposed: Pixels
    flat: bool


def thumbnail(image: Image) -> Thumbnail:
    """Compute the thumbnail of a frame.

    Large frames are subsampled first.

    Args:
        image: (H, W, 3) uint8.

    Returns:
        The thumbnail.
    """
    step = max(1, min(image.shape[0] // (4 * _HEIGHT), image.shape[1] // (4 * _WIDTH)))
    small = cv2.resize(_every(image, step), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = small.astype(np.float32) @ _GREY
    light = np.log(grey + _DARKEST)
    fine = light - cv2.GaussianBlur(light, (0, 0), _SLOW_PX)
    fine -= fine @ _ROW_MEAN
    structure = fine - _COLUMN_MEAN @ fine
    exposed = (grey < _WHITE).astype(np.float32)
    return Thumbnail(structure, exposed, cv2.meanStdDev(grey)[1].item() < _FLAT)


def _every(image: Image, step: int) -> Image:
    """Return what `image[::step, ::step]` holds; OpenCV copies it three times as fast as NumPy."""
    rows, columns = (-(-side // step) for side in image.shape[:2])
    matrix = np.array([[step, 0.0, 0.0], [0.0, step, 0.0]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (columns, rows), flags=flags).astype(np.uint8, copy=False)


def is_cut(before: Thumbnail, now: Thumbnail) -> bool:
    """Return whether two consecutive frames show different scenes, independent of their lighting.

    A frame without structure (black, fog, a covered lens) is a scene of its own. A frame that a
    flash overexposes as a whole is not.

    Args:
        before: Thumbnail of the previous frame.
        now: Thumbnail of this frame.

    Returns:
        True for a scene cut.
    """
    if before.flat or now.flat:
        return (
            before.flat != now.flat
            and min(before.exposed.mean(), now.exposed.mean()) > _LEAST_EXPOSED
        )
    if _correlation_in_place(before, now) >= _LEAST_CORRELATION:
        return False
    return structure_correlation(before, now) < _LEAST_CORRELATION


def _correlation_in_place(before: Thumbnail, now: Thumbnail) -> float:
    """Return the correlation of two frames without a shift, over the pixels of the shifted one.

    It is the middle one of the values whose maximum `structure_correlation` returns, and takes a
    tenth of its time. It is 0 where it is not defined.
    """
    exposed = (before.exposed * now.exposed)[_INNER].ravel()
    one, other = before.structure[_INNER].ravel(), now.structure[_INNER].ravel()
    count = max(1.0, float(exposed.sum()))
    one = (one - float(one @ exposed) / count) * exposed
    other = (other - float(other @ exposed) / count) * exposed
    scale = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / scale if scale > 0 else 0.0


def structure_correlation(before: Thumbnail, now: Thumbnail) -> float:
    """Return the correlation of two frames for the best small shift.

    Pixels that are overexposed in one of the frames are ignored.

    Args:
        before: Thumbnail of the previous frame.
        now: Thumbnail of this frame.

    Returns:
        The correlation in [-1, 1]; 1 if too few pixels are left.
    """
    exposed = (before.exposed * now.exposed)[_INNER]
    if exposed.mean() < _LEAST_EXPOSED:
        return 1.0
    scores = cv2.matchTemplate(
        before.structure, now.structure[_INNER], cv2.TM_CCOEFF_NORMED, mask=exposed
    )
    finite = scores[np.isfinite(scores)]
    return float(finite.max()) if len(finite) else 1.0
