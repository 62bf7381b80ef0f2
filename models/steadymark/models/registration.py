"""How a face moved from one crop to the next, by registering the two pictures with each other.

Landmarks of two frames tell it too, but with their own noise, which is what memory of several
frames is to take away. The pictures tell it to hundredths of a pixel.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.cropping import inverse, transform

if TYPE_CHECKING:
    from steadymark.models.cropping import Image, Matrix, Points
    from steadymark.models.schema import LandmarkSchema

REST = 0.0004  # motion of this share of a crop's side counts by half: below it lies flow's noise
FEWEST = 8  # points that must be found again
_WINDOW_PX, _LEVELS = 21, 2
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)


def grey_of(crop: Image) -> Image:
    """(F, F) of a crop (F, F, 3) uint8 BGR."""
    return cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


@cache
def on_the_head(schema: LandmarkSchema) -> list[int]:
    """Landmarks to follow: all but those of the contour, behind which something else moves."""
    contour = schema.regions.get("contour", ())
    return [index for index in range(schema.count) if index not in contour]


def face_motion(before: Image, now: Image, points: Points, crop_moved: Matrix) -> Matrix:
    """The similarity (2, 3) from pixels of this crop to those of the last one, along with the face.

    Optical flow (Lucas and Kanade) of the landmarks, and the motion that most of them share: those
    of lids and lips move by themselves. On a face at rest it is that of the crop alone.

    before, now: (F, F) uint8. points: (K, 2) of the last crop. crop_moved: the same map for what
    stands still in the picture; it is given back where too few points are found again.
    """
    guess = transform(inverse(crop_moved), points)
    found, known, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        np.ascontiguousarray(points, np.float32).reshape(-1, 1, 2),
        np.ascontiguousarray(guess, np.float32).reshape(-1, 1, 2),
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=_LEVELS,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    there = known[:, 0] > 0
    if there.sum() < FEWEST:
        return crop_moved
    source, target = found[there, 0], points[there].astype(np.float32)
    fitted, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    if fitted is None:
        return crop_moved
    face = np.asarray(fitted, np.float64)
    off = transform(face, source) - transform(crop_moved, source)
    way = float(np.square(off).sum(-1).mean())
    share = way / (way + (REST * len(now)) ** 2)
    return crop_moved + share * (face - crop_moved)
