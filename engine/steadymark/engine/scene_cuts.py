"""Scene cuts, told from the picture: what was remembered of a face is worth nothing after one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.cropping import Image

Thumbnail = NDArray[np.float32]
_WIDTH, _HEIGHT = 32, 18
_ALIKE = 0.75  # correlation of two thumbnails under which a cut lies between them
_ROWS, _COLUMNS = 2, 3  # by how many pixels of the thumbnail the picture may have moved
_FLAT = 2.0  # grey levels of deviation under which a picture shows nothing to compare


def thumbnail(image: Image) -> Thumbnail:
    """(18, 32) grey levels, less their mean: few pixels of a large picture are looked at."""
    step = max(1, min(image.shape[0] // (4 * _HEIGHT), image.shape[1] // (4 * _WIDTH)))
    part = np.ascontiguousarray(image[::step, ::step])
    small = cv2.resize(part, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    grey = small.astype(np.float32).mean(-1)
    centred: Thumbnail = grey - grey.mean()
    return centred


def is_cut(before: Thumbnail, now: Thumbnail) -> bool:
    """Whether two frames in a row show different scenes, whatever their light.

    A picture without any structure (black, fog, a covered lens) is a scene of its own.
    """
    flat = float(before.std()) < _FLAT, float(now.std()) < _FLAT
    if any(flat):
        return not all(flat)
    return alike(before, now) < _ALIKE


def alike(before: Thumbnail, now: Thumbnail) -> float:
    """Correlation, from -1 to 1, of what is shown by both, had the picture moved a little."""
    middle = now[_ROWS:-_ROWS, _COLUMNS:-_COLUMNS]
    return float(cv2.matchTemplate(before, middle, cv2.TM_CCOEFF_NORMED).max())
