"""How a face moves as a rigid body from frame to frame, told by optical flow of the picture alone.

Points about the nose ridge and the eye corners are followed (Lucas and Kanade), in pictures of the
face that are freed of its light, and the similarity that most of them share is the face's motion.
Landmarks only say where to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.metrics.rigid_motion import RIGID
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Real, Values
    from steadymark.models.face.crop import Image, Points

EYES_PX = (60.0, 140.0)  # outer-eye distance in the pictures that are compared
_AROUND = 0.5  # of the eye distance: picture beyond the landmarks
_GRID = (-0.06, 0.0, 0.06)  # of the eye distance: points about each landmark
_WINDOW, _LEVELS = 21, 3
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.003)
_BACK_PX = 0.5  # a point that is followed forth and back ends where it began
_FEWEST = 12
_ROUNDS = 10  # of the robust fit
_LEAST = 0.0005  # of the eye distance: errors of flow below this count alike
_MOST = 0.02  # of the eye distance: where half of the points are further off, nothing is known
_COARSE, _NEAR = 1 / 14, 1 / 4  # of the eye distance: light changes over more, contrast over this
_FLOOR = 3.0  # grey levels: what has less contrast is noise
_CONTRAST = 45.0
_UNKNOWN = np.full((2, 3), np.nan)


class RigidFlow:
    """Takes a video's frames with the raw points, then tells the face's motion between them."""

    def __init__(self) -> None:
        self._last: tuple[Image, Points | None] | None = None
        self._motions: list[Values] = []

    def add(self, image: Image, points: Points | None, *, goes_on: bool = True) -> None:
        """The next frame, BGR, and the raw points (68, 2) in it; None where no face is.

        goes_on: whether it shows the same face in the same scene as the frame before.
        """
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        if self._last is not None:
            before, old = self._last
            if goes_on and old is not None and points is not None:
                self._motions.append(rigid_motion(before, grey, old, points))
            else:
                self._motions.append(_UNKNOWN)
        self._last = grey, points

    def motions(self) -> Values:
        """(T - 1, 2, 3): the similarity from each frame's pixels to the next one's, or NaN."""
        return np.array(self._motions, np.float64).reshape(-1, 2, 3)


def rigid_motion(before: Image, now: Image, old: Points, new: Points) -> Values:
    """The similarity (2, 3) of a face from frame to frame, frame pixels; NaN: it cannot be told.

    before, now: (H, W) uint8 grey. old, new: raw points (68, 2) of both; they only say where to
    look, and are the first guess of the flow.
    """
    size_px = face_size(old)
    part, scale = _part(before.shape, np.concatenate((old, new)), size_px)
    if part is None:
        return _UNKNOWN
    a, b = (
        freed_of_light(_resized(image[part], scale), size_px * scale) for image in (before, now)
    )
    factor = np.array(a.shape[::-1]) / (part[1].stop - part[1].start, part[0].stop - part[0].start)
    corner = np.array([part[1].start, part[0].start])
    grid = _points_about(old, size_px)
    guess = _moved(similarity(old, new), grid)
    start, end = ((xy - corner + 0.5) * factor - 0.5 for xy in (grid, guess))
    found, there = _followed(a, b, start, end)
    if there.sum() < _FEWEST:
        return _UNKNOWN
    target = (found[there] + 0.5) / factor - 0.5 + corner
    return _shared(grid[there], target, size_px)


def face_size(points: Real) -> float:
    """What a frontal face of this extent has for an outer-eye distance, pixels; of (68, 2)."""
    shape = load_schema().mean_shape
    eyes = float(np.linalg.norm(shape[36] - shape[45]))
    spread = [float(np.square(p - p.mean(0)).sum(-1).mean() ** 0.5) for p in (points, shape)]
    return eyes * spread[0] / spread[1]


def freed_of_light(grey: Image, size_px: float) -> Image:
    """Grey levels less their surroundings, divided by their deviation there: (H, W) uint8.

    Light that changes with time or over the face, slowly, leaves it as it is.
    """
    light = grey.astype(np.float32)
    fine = light - cv2.GaussianBlur(light, (0, 0), _COARSE * size_px)
    power = cv2.GaussianBlur(fine * fine, (0, 0), _NEAR * size_px)
    even = fine / np.sqrt(power + _FLOOR**2)
    freed: Image = np.rint(128 + _CONTRAST * even).clip(0, 255).astype(np.uint8)
    return freed


def similarity(source: Real, target: Real, weights: Real | None = None) -> Values:
    """(2, 3): the similarity that takes points (N, 2) nearest to others, by least squares."""
    a, b = (xy.astype(np.float64) @ np.array([1, 1j]) for xy in (source, target))
    w = np.ones(len(a)) if weights is None else weights / weights.sum() * len(a)
    middle_a, middle_b = (w @ a) / w.sum(), (w @ b) / w.sum()
    a, b = a - middle_a, b - middle_b
    turn = (w * b) @ a.conj() / max(float(w @ np.abs(a) ** 2), 1e-12)
    shift = middle_b - turn * middle_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _part(
    shape: tuple[int, ...], points: Real, size_px: float
) -> tuple[tuple[slice, slice] | None, float]:
    """Rows and columns of the picture that hold the face, and by how much to scale them."""
    around = _AROUND * size_px
    left, top = (max(0, int(v - around)) for v in points.min(0))
    right, bottom = (int(v + around) for v in points.max(0))
    right, bottom = min(right, shape[1]), min(bottom, shape[0])
    if right - left < 16 or bottom - top < 16:
        return None, 1.0
    scale = float(np.clip(1.0, EYES_PX[0] / size_px, EYES_PX[1] / size_px))
    return (slice(top, bottom), slice(left, right)), scale


def _resized(image: Image, scale: float) -> Image:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(image), None, fx=scale, fy=scale, interpolation=how)
    return np.asarray(resized, np.uint8)


def _points_about(points: Real, size_px: float) -> Values:
    """(72, 2): a small grid about each of the rigid landmarks."""
    steps = np.array([(x, y) for x in _GRID for y in _GRID]) * size_px
    grid: Values = (points[list(RIGID), None].astype(np.float64) + steps).reshape(-1, 2)
    return grid


def _followed(
    before: Image, now: Image, start: Values, guess: Values
) -> tuple[Values, NDArray[np.bool_]]:
    """Where points are now, (N, 2), and which of them are found again on the way back."""
    forth, seen = _flow(before, now, start, guess)
    back, again = _flow(now, before, forth, start)
    near = np.linalg.norm(back - start, axis=-1) < _BACK_PX
    return forth, np.asarray(seen & again & near)


def _flow(
    before: Image, now: Image, start: Values, guess: Values
) -> tuple[Values, NDArray[np.bool_]]:
    """Lucas and Kanade: where points (N, 2) are now, and which were found."""
    found, known, _ = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        np.ascontiguousarray(start, np.float32).reshape(-1, 1, 2),
        np.ascontiguousarray(guess, np.float32).reshape(-1, 1, 2),
        winSize=(_WINDOW, _WINDOW),
        maxLevel=_LEVELS,
        criteria=_CRITERIA,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found[:, 0].astype(np.float64), np.asarray(known[:, 0] > 0)


def _shared(source: Values, target: Values, size_px: float) -> Values:
    """The similarity that most points share: least squares, weighted anew by what is left."""
    first, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    if first is None:
        return _UNKNOWN
    fitted: Values = np.asarray(first, np.float64)
    for _ in range(_ROUNDS):
        off = np.linalg.norm(_moved(fitted, source) - target, axis=-1)
        usual = max(_LEAST * size_px, 2 * float(np.median(off)))
        fitted = similarity(source, target, (usual**2 / (usual**2 + off**2)) ** 2)
    off = np.linalg.norm(_moved(fitted, source) - target, axis=-1)
    return fitted if np.median(off) < _MOST * size_px else _UNKNOWN


def _moved(matrix: Values, points: Real) -> Values:
    """A (2, 3) matrix on points (N, 2)."""
    moved: Values = points @ matrix[:, :2].T + matrix[:, 2]
    return moved
