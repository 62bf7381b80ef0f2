"""Rigid motion of a face between frames, measured by optical flow.

Points around the nose ridge and the eye corners are tracked by the Lucas-Kanade method in images
from which the lighting is removed. The similarity transform that most of these points share is the
face's motion. Landmarks only define where to look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.metrics.rigid_motion import RIGID
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Real, Values
    from steadymark.models.face.crop import Image, Points

EYES_PX = (60.0, 140.0)  # Range of the outer-eye distance in the images that are compared.
# Lengths without a unit are shares of the eye distance.
_MARGIN = 0.5  # Margin of the image part around the landmarks.
_GRID = (-0.06, 0.0, 0.06)  # Offsets of the tracked points from each landmark.
_WINDOW, _LEVELS = 21, 3
_CRITERIA = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.003)
_MOST_BACKWARD_ERROR_PX = 0.5  # Largest forward-backward error.
_FEWEST = 12
_ROUNDS = 10  # Iterations of the robust fit.
_LEAST = 0.0005  # Smallest scale of the robust weights.
_MOST = 0.02  # Largest median residual of a valid fit.
_COARSE, _NEAR = 1 / 14, 1 / 4  # Scales at which brightness and contrast are normalised.
_FLOOR = 3.0  # Grey levels; less contrast is noise.
_CONTRAST = 45.0
_UNKNOWN = np.full((2, 3), np.nan)


class RigidFlow:
    """Accumulates the rigid motion of a face over the frames of a video."""

    def __init__(self) -> None:
        self._last: tuple[Image, Points | None] | None = None
        self._motions: list[Values] = []

    def add(self, image: Image, points: Points | None, *, same_scene: bool = True) -> None:
        """Add the next frame.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            points: Raw landmarks, (68, 2), in pixels; None when the frame has no face.
            same_scene: Whether face and scene are those of the previous frame.
        """
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        if self._last is not None:
            before, old = self._last
            if same_scene and old is not None and points is not None:
                self._motions.append(rigid_motion(before, grey, old, points))
            else:
                self._motions.append(_UNKNOWN)
        self._last = grey, points

    def motions(self) -> Values:
        """Return the similarity from each frame to the next one, (T - 1, 2, 3), or NaN."""
        return np.array(self._motions, np.float64).reshape(-1, 2, 3)


def rigid_motion(before: Image, now: Image, old: Points, new: Points) -> Values:
    """Return the similarity transform of a face from one frame to the next.

    Args:
        before: The previous frame, (H, W) uint8 grey.
        now: The current frame, (H, W) uint8 grey.
        old: Raw landmarks of the previous frame, (68, 2), in pixels.
        new: Raw landmarks of the current frame, (68, 2), in pixels. The landmarks only define where
            to look and the initial guess of the flow.

    Returns:
        The transform, (2, 3), in frame pixels; NaN when it cannot be measured.
    """
    size_px = face_size(old)
    part, scale = _image_part(before.shape, np.concatenate((old, new)), size_px)
    if part is None:
        return _UNKNOWN
    a, b = (
        normalize_lighting(_resized(image[part], scale), size_px * scale) for image in (before, now)
    )
    factor = np.array(a.shape[::-1]) / (part[1].stop - part[1].start, part[0].stop - part[0].start)
    corner = np.array([part[1].start, part[0].start])
    grid = _points_around_landmarks(old, size_px)
    guess = _transformed(similarity(old, new), grid)
    start, end = ((xy - corner + 0.5) * factor - 0.5 for xy in (grid, guess))
    found, tracked = _track_forward_backward(a, b, start, end)
    if tracked.sum() < _FEWEST:
        return _UNKNOWN
    target = (found[tracked] + 0.5) / factor - 0.5 + corner
    return _robust_similarity(grid[tracked], target, size_px)


def face_size(points: Real) -> float:
    """Return the outer-eye distance that a frontal face of the same size would have, in pixels.

    Args:
        points: Landmarks, (68, 2), in pixels.
    """
    shape = load_schema(IBUG68).mean_shape
    eyes = float(np.linalg.norm(shape[36] - shape[45]))
    spread = [float(np.square(p - p.mean(0)).sum(-1).mean() ** 0.5) for p in (points, shape)]
    return eyes * spread[0] / spread[1]


def normalize_lighting(grey: Image, size_px: float) -> Image:
    """Normalise brightness and contrast locally, so that slow changes of light have no effect.

    Args:
        grey: Image, (H, W) uint8 grey.
        size_px: Outer-eye distance in this image, in pixels.

    Returns:
        Grey levels minus their local mean, divided by their local deviation, (H, W) uint8.
    """
    light = grey.astype(np.float32)
    fine = light - cv2.GaussianBlur(light, (0, 0), _COARSE * size_px)
    power = cv2.GaussianBlur(fine * fine, (0, 0), _NEAR * size_px)
    even = fine / np.sqrt(power + _FLOOR**2)
    freed: Image = np.rint(128 + _CONTRAST * even).clip(0, 255).astype(np.uint8)
    return freed


def similarity(source: Real, target: Real, weights: Real | None = None) -> Values:
    """Fit the similarity transform between two point sets by least squares.

    Args:
        source: Points, (N, 2).
        target: Corresponding points, (N, 2).
        weights: Weight of each point, (N,); None for equal weights.

    Returns:
        The transform, (2, 3).
    """
    a, b = (xy.astype(np.float64) @ np.array([1, 1j]) for xy in (source, target))
    w = np.ones(len(a)) if weights is None else weights / weights.sum() * len(a)
    middle_a, middle_b = (w @ a) / w.sum(), (w @ b) / w.sum()
    a, b = a - middle_a, b - middle_b
    turn = (w * b) @ a.conj() / max(float(w @ np.abs(a) ** 2), 1e-12)
    shift = middle_b - turn * middle_a
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _image_part(
    shape: tuple[int, ...], points: Real, size_px: float
) -> tuple[tuple[slice, slice] | None, float]:
    """Return the rows and columns of the image that hold the face, and the scale to apply."""
    around = _MARGIN * size_px
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


def _points_around_landmarks(points: Real, size_px: float) -> Values:
    """Return a small grid of points around each of the rigid landmarks, (72, 2)."""
    steps = np.array([(x, y) for x in _GRID for y in _GRID]) * size_px
    grid: Values = (points[list(RIGID), None].astype(np.float64) + steps).reshape(-1, 2)
    return grid


def _track_forward_backward(
    before: Image, now: Image, start: Values, guess: Values
) -> tuple[Values, NDArray[np.bool_]]:
    """Return the tracked points, (N, 2), and which of them pass the forward-backward check."""
    forward, seen = _flow(before, now, start, guess)
    backward, seen_backward = _flow(now, before, forward, start)
    near = np.linalg.norm(backward - start, axis=-1) < _MOST_BACKWARD_ERROR_PX
    return forward, np.asarray(seen & seen_backward & near)


def _flow(
    before: Image, now: Image, start: Values, guess: Values
) -> tuple[Values, NDArray[np.bool_]]:
    """Track points (N, 2) by the Lucas-Kanade method; return their places and which were found."""
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


def _robust_similarity(source: Values, target: Values, size_px: float) -> Values:
    """Fit the similarity that most points share by iteratively reweighted least squares."""
    first, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    if first is None:
        return _UNKNOWN
    fitted: Values = np.asarray(first, np.float64)
    for _ in range(_ROUNDS):
        residuals = np.linalg.norm(_transformed(fitted, source) - target, axis=-1)
        scale = max(_LEAST * size_px, 2 * float(np.median(residuals)))
        fitted = similarity(source, target, (scale**2 / (scale**2 + residuals**2)) ** 2)
    residuals = np.linalg.norm(_transformed(fitted, source) - target, axis=-1)
    return fitted if np.median(residuals) < _MOST * size_px else _UNKNOWN


def _transformed(matrix: Values, points: Real) -> Values:
    """Apply a (2, 3) matrix to points (N, 2)."""
    moved: Values = points @ matrix[:, :2].T + matrix[:, 2]
    return moved
