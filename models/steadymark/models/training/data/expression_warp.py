"""Image warps that make still faces talk, blink and turn; the landmarks move with the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.face.crop import Crop, Image, Points

Floats = NDArray[np.float64]


def face_path(frames: int, rng: np.random.Generator, *, lips: float, turns: float) -> Floats:
    """Return random openings and turns over time.

    Args:
        frames: Number of frames T.
        rng: Makes all random choices.
        lips: Probability that mouth and eyes move.
        turns: Probability that the head turns.

    Returns:
        (T, 4): opening of the mouth, opening of the eyes, and turn of the head to the right and
        down.
    """
    path = np.zeros((frames, 4))
    if rng.random() < lips:
        path[:, :2] = _openings(frames, rng)
    if rng.random() < turns:
        path[:, 2:] = _turns(frames, rng)
    return path


def _openings(frames: int, rng: np.random.Generator) -> Floats:
    """Return the relative change of height of mouth and eyes (T, 2), in talk and blinks."""
    t = np.arange(frames)
    rate = rng.uniform(0.2, 1.4)  # radians per frame; syllables are at about one
    mouth = 0.6 * rng.random() * np.sin(rate * t + rng.uniform(0, 6.3))
    if rng.random() < 0.5:  # the talk begins or ends
        mouth /= 1 + np.exp(rng.choice((-1, 1)) * (t - rng.uniform(0, frames)))
    eyes = np.zeros(frames)
    for _ in range(rng.poisson(frames / 20)):
        eyes -= np.exp(-(((t - rng.uniform(0, frames)) / rng.uniform(1, 3)) ** 2))
    return np.stack((mouth, 0.7 * eyes.clip(-1, 0)), 1)


def _turns(frames: int, rng: np.random.Generator) -> Floats:
    """Return the shift of the face's middle against its edge (T, 2), in shares of a crop's side."""
    t = np.arange(frames)[:, None]
    shift = np.zeros((frames, 2))
    for _ in range(int(rng.integers(1, 4))):
        begin, duration = rng.uniform(0, frames), rng.uniform(0.5, 5)
        shift += rng.normal(0, (0.03, 0.02), 2) / (1 + np.exp((begin - t) / duration))
    return shift.clip(-0.07, 0.07)


# Centre and radius in the upright face, in crop sides from the crop's centre, for a margin of 1.4.
# They suit every face well enough, since the landmarks move with the image. Mouth and eyes are
# stretched vertically, the chin follows the mouth, and the middle of the face shifts in turns.
_STRETCHED = (((0.0, 0.185), 0.11, 0), ((-0.15, -0.115), 0.05, 1), ((0.15, -0.115), 0.05, 1))
_CHIN, _CHIN_RADIUS, _CHIN_SHIFT = (0.0, 0.34), 0.12, 0.05
_MIDDLE, _MIDDLE_RADIUS = (0.0, 0.05), 0.26


def _displacements(xy: Floats, base: Crop) -> Floats:
    """Return the backward displacement (4, ..., 2) at xy for each column of `face_path`.

    The pixel shown at xy (..., 2) comes from the still image at xy plus these displacements, each
    multiplied by its value.
    """
    angle = np.radians(base.roll_deg)
    right, down = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def near(relative_centre: tuple[float, float], radius: float) -> tuple[Floats, Floats]:
        centre = np.array((base.x, base.y)) + base.side * (
            relative_centre[0] * right + relative_centre[1] * down
        )
        offset = xy - centre
        square = offset[..., 0] ** 2 + offset[..., 1] ** 2
        return offset, np.exp(-square / (2 * (radius * base.side) ** 2))[..., None]

    displacements = np.zeros((4, *xy.shape))
    for centre, radius, column in _STRETCHED:
        offset, weight = near(centre, radius)
        displacements[column] -= weight * (offset @ down)[..., None] * down
    displacements[0] -= _CHIN_SHIFT * base.side * near(_CHIN, _CHIN_RADIUS)[1] * down
    central = base.side * near(_MIDDLE, _MIDDLE_RADIUS)[1]
    displacements[2], displacements[3] = -central * right, -central * down
    return displacements


def shift_points(points: Points, base: Crop, path: Floats) -> Points:
    """Move landmarks (K, 2) along a `face_path` (T, 4), giving (T, K, 2).

    It inverts the backward warp by fixed-point iteration.

    Args:
        points: (K, 2) landmarks in the still image, in pixels.
        base: Crop of the face in the still image.
        path: (T, 4) openings and turns.
    """
    still = np.broadcast_to(points.astype(np.float64), (len(path), *points.shape))
    xy = still.copy()
    for _ in range(12):
        displacements = _displacements(xy, base)
        xy = still - np.einsum("ti,itkx->tkx", path, displacements)
    is_moving = np.abs(path).max(1) > 0
    shifted: Points = np.where(is_moving[:, None, None], xy, still).astype(np.float32)
    return shifted


class ExpressionWarp:
    """Warps a still image of a face by openings of mouth and eyes and by turns of the head.

    The displacements are computed once, at half the image's resolution.
    """

    def __init__(self, image: Image, base: Crop) -> None:
        self.image = image
        height, width = image.shape[:2]
        xs, ys = np.meshgrid(np.arange(0, width + 1, 2), np.arange(0, height + 1, 2))
        self._coarse_displacements = _displacements(
            np.stack((xs, ys), -1).astype(np.float64), base
        ).astype(np.float32)
        x, y = (a.astype(np.float32) for a in np.meshgrid(np.arange(width), np.arange(height)))
        self._x, self._y = x, y
        self._halves = cv2.convertMaps(x / 2, y / 2, cv2.CV_16SC2)

    def warped(self, face: Floats) -> Image:
        """Return the image warped by `face` (4,), one row of `face_path`."""
        if not face.any():
            return self.image
        coarse = np.tensordot(face.astype(np.float32), self._coarse_displacements, 1)
        border = cv2.BORDER_REPLICATE
        fine = cv2.remap(coarse, *self._halves, cv2.INTER_LINEAR, borderMode=border)
        source = self._x + fine[..., 0], self._y + fine[..., 1]
        return cv2.remap(self.image, *source, cv2.INTER_LINEAR, borderMode=border).astype(
            np.uint8, copy=False
        )
