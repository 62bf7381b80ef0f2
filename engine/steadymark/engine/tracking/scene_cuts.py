"""Scene cuts, told from the structure of the picture: at a cut, memory of a face is worthless.

A flash, a fade, mains light, automatic exposure and bands of light are no cuts. Gains vanish in the
logarithm of a picture, soft shadows in what is left beside its slow course, and bands of a rolling
shutter, which lie along rows or columns, once each row's and column's mean is taken off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image

Pixels = NDArray[np.float32]
_WIDTH, _HEIGHT = 32, 18
_ALIKE = 0.5  # correlation of two thumbnails under which a cut lies between them
_ROWS, _COLUMNS = 2, 3  # by how many pixels of the thumbnail the picture may have moved
_FLAT = 2.0  # grey levels of deviation under which a picture shows nothing to compare
_SLOW_PX = 4.0  # sigma of the slow course that is taken off, pixels of the thumbnail
_DARKEST = 16.0  # grey levels added before the logarithm, so that noise of the dark stays small
_WHITE = 248.0  # grey levels from which a pixel is overexposed and tells nothing
_LEAST_SEEN = 0.25  # share of pixels that must not be overexposed


class Thumbnail(NamedTuple):
    """What a frame shows, whatever its light.

    structure: (18, 32) logarithm of grey levels beside its slow course. seen: (18, 32), 1 where
    the picture is not overexposed, else 0. flat: whether it shows nothing at all.
    """

    structure: Pixels
    seen: Pixels
    flat: bool


def thumbnail(image: Image) -> Thumbnail:
    """The thumbnail of a frame (H, W, 3) uint8: few pixels of a large picture are looked at."""
    step = max(1, min(image.shape[0] // (4 * _HEIGHT), image.shape[1] // (4 * _WIDTH)))
    part = np.ascontiguousarray(image[::step, ::step])
    small = cv2.resize(part, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = small.astype(np.float32).mean(-1)
    light = np.log(grey + _DARKEST)
    fine = light - cv2.GaussianBlur(light, (0, 0), _SLOW_PX)
    fine = fine - fine.mean(1, keepdims=True)
    structure = (fine - fine.mean(0, keepdims=True)).astype(np.float32)
    seen = (grey < _WHITE).astype(np.float32)
    return Thumbnail(structure, seen, float(grey.std()) < _FLAT)


def is_cut(before: Thumbnail, now: Thumbnail) -> bool:
    """Whether two frames in a row show different scenes, whatever their light.

    A picture without any structure (black, fog, a covered lens) is a scene of its own; one that is
    overexposed as a whole, by a flash, is not.
    """
    if before.flat or now.flat:
        return before.flat != now.flat and min(before.seen.mean(), now.seen.mean()) > _LEAST_SEEN
    return alike(before, now) < _ALIKE


def alike(before: Thumbnail, now: Thumbnail) -> float:
    """Correlation, from -1 to 1, of what is shown by both, had the picture moved a little.

    Only pixels count that neither frame overexposes; 1 where too few are left to tell.
    """
    inner = (slice(_ROWS, -_ROWS), slice(_COLUMNS, -_COLUMNS))
    seen = (before.seen * now.seen)[inner]
    if seen.mean() < _LEAST_SEEN:
        return 1.0
    scores = cv2.matchTemplate(
        before.structure, now.structure[inner], cv2.TM_CCOEFF_NORMED, mask=seen
    )
    finite = scores[np.isfinite(scores)]
    return float(finite.max()) if len(finite) else 1.0
