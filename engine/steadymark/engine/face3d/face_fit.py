"""Fit pose, expression and identity of the 3D face model to the landmarks of one frame.

The fit is the maximum of the posterior: the distances of the landmarks from the projected model,
with Cauchy weights, and normal priors on identity and expression. Expressions stay within 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.fitted_face import FaceFit
from steadymark.engine.face3d.face_basis import face_basis, load_label_statistics
from steadymark.engine.face3d.parallel_projection import pose_under_parallel_projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics, Landmarks
    from steadymark.engine.face3d.face_basis import Floats

POINTS = 68  # landmarks of iBUG's schema, which the 3D model has
FEWEST = 10  # least number of finite landmarks
# An expression is nearly always 0: its density falls with exp(-_SPARSE e - e² / (2 _EXPRESSION²)).
_SPARSE, _EXPRESSION = 1.0, 0.35
_FULL_SCORE = 0.6  # score of a landmark from which it counts fully
_HALF_WEIGHT = 8.0  # A landmark at so many deviations from the model has half of its weight.
_STEPS = 2  # Gauss–Newton steps from a pose under a parallel projection
_BOUNDING = 3  # times that expressions beyond their bounds are fixed there within a step


@dataclass(frozen=True, slots=True, eq=False)
class IdentityPrior:
    """What is known of a person's identity before a frame.

    Attributes:
        mean: (M,) coefficients of the identity modes, in standard deviations.
        precision: (M, M) inverse of their covariance.
    """

    mean: Floats
    precision: Floats


@cache
def average_identity() -> IdentityPrior:
    """Return what is known of a person who was never seen."""
    modes = len(face_basis().identity)
    return IdentityPrior(np.zeros(modes), np.eye(modes))


def forget_face_basis() -> None:
    """Read the model's files again before the next fit."""
    for cached in (
        load_label_statistics,
        face_basis,
        average_identity,
        _flat_identity,
        _modes,
        _modes_by_axis,
    ):
        cached.cache_clear()


def fit_face(
    points: Landmarks,
    camera: Intrinsics,
    identity: Floats | IdentityPrior,
    *,
    at_rest: bool = False,
) -> FaceFit | None:
    """Fit the 3D face to landmarks.

    Args:
        points: 68 landmarks in iBUG's order. Those that are not finite are ignored.
        camera: The camera.
        identity: The (M,) identity, which is kept; or what is known of it, to fit it, too.
        at_rest: Whether the face is known to be neutral, so that all expressions are 0.

    Returns:
        The fit, or None if there are too few finite landmarks or no pose fits.
    """
    observed = _observe(points, camera)
    if observed is None:
        return None
    xy, weights = observed
    basis = face_basis()
    prior = identity if isinstance(identity, IdentityPrior) else None
    known = identity.mean if isinstance(identity, IdentityPrior) else identity
    rest = basis.neutral + (known @ _flat_identity()).reshape(POINTS, 3)
    first = pose_under_parallel_projection(rest, xy, weights / basis.noise_mm**2, camera.focal)
    if first is None:
        return None
    problem = _Problem(xy, weights, camera.focal, rest, prior)
    rotation, position = first[0], first[1]
    offsets = np.zeros(problem.count)
    moving = np.arange(problem.free if at_rest else problem.count)
    normal = None
    for _ in range(_STEPS):
        normal, side = problem.linearize(rotation, position, offsets, moving)
        step = problem.step(normal, side, offsets[moving])
        if step is None:
            return None
        rotation = cv2.Rodrigues(step[:3])[0] @ rotation
        position = position + step[3:6]
        offsets[moving] += step[6:]
        if not position[2] > 1:
            return None
        # An expression that the first step finds absent stays so.
        moving = moving[(moving < problem.free) | (offsets[moving] > 0)]
    free = problem.free
    return FaceFit(
        rotation,
        position,
        known + offsets[:free] if free else known,
        offsets[free:],
        problem.shape(offsets),
        None if prior is None or normal is None else problem.identity_precision(normal),
    )


def _observe(points: Landmarks, camera: Intrinsics) -> tuple[Floats, Floats] | None:
    """Return the landmarks (68, 2) in pixels from the centre of the image, and their weights."""
    if len(points.score) != POINTS:
        return None
    xy = points.xy_px.astype(np.float64) - camera.matrix[:2, 2]
    scores = points.score.astype(np.float64)
    weights = np.clip(scores / _FULL_SCORE, 1e-3, 1)
    finite = np.isfinite(xy).all(1) & np.isfinite(scores)
    if finite.sum() < FEWEST:
        return None
    return np.where(finite[:, None], xy, 0), np.where(finite, weights, 0)


class _Problem:
    """The least squares problem of one frame.

    Its unknowns are a rotation vector, a shift, the offsets from the known identity if it is
    fitted, and the expressions.

    Args:
        xy: (68, 2) landmarks in pixels from the centre of the image.
        weights: (68,) weights of the landmarks.
        focal: Focal length in pixels.
        rest: (68, 3) the face at rest with the known identity.
        prior: What is known of the identity, to fit it; None to keep it.
    """

    def __init__(
        self,
        xy: Floats,
        weights: Floats,
        focal: float,
        rest: Floats,
        prior: IdentityPrior | None,
    ) -> None:
        self._xy, self._weights, self._focal, self._rest = xy.T, weights, focal, rest
        self._prior = prior
        self.free = 0 if prior is None else len(prior.mean)
        modes = _modes(fitted=prior is not None)
        self.count = len(modes)
        self._flat = modes.reshape(len(modes), 3 * POINTS)
        self._by_axis = _modes_by_axis(fitted=prior is not None)

    def shape(self, offsets: Floats) -> Floats:
        """Return the (68, 3) landmarks in the face's axes."""
        shape: Floats = self._rest + (offsets @ self._flat).reshape(POINTS, 3)
        return shape

    def linearize(
        self, rotation: Floats, position: Floats, offsets: Floats, moving: NDArray[np.integer]
    ) -> tuple[Floats, Floats]:
        """Return the normal matrix (6 + N, 6 + N), without priors, and the right side.

        Args:
            rotation: (3, 3) rotation of the face.
            position: (3,) its position.
            offsets: Offsets of the identity, if it is fitted, and expressions.
            moving: (N,) indices of those that are unknown; the others keep their values.
        """
        x, y, z = turned = rotation @ self.shape(offsets).T
        shifted = turned + position[:, None]
        rays = shifted[:2] / shifted[2]
        error = self._xy - rays * self._focal
        deviation = face_basis().noise_mm * (self._focal / position[2])
        excess = (error * error).sum(0) / (deviation * _HALF_WEIGHT) ** 2
        root = np.sqrt(self._weights / (1 + excess)) / deviation
        # How both coordinates of a landmark change with its place in the camera's axes: (2, 3, 68).
        along = np.zeros((2, 3, POINTS))
        along[0, 0] = along[1, 1] = factor = root * self._focal / shifted[2]
        along[:, 2] = -rays * factor
        modes = self._by_axis if len(moving) == self.count else self._by_axis[:, moving]
        slopes = np.empty((6 + len(moving), 2, POINTS))
        slopes[0] = along[:, 2] * y - along[:, 1] * z
        slopes[1] = along[:, 0] * z - along[:, 2] * x
        slopes[2] = along[:, 1] * x - along[:, 0] * y
        slopes[3:6] = along.transpose(1, 0, 2)
        np.einsum("acp,cnp->nap", rotation.T @ along, modes, out=slopes[6:])
        flat = slopes.reshape(len(slopes), 2 * POINTS)
        return flat @ flat.T, flat @ (error * root).ravel()

    def step(self, normal: Floats, side: Floats, offsets: Floats) -> Floats | None:
        """Return the step (6 + N,) of a linearized problem; None if it has no solution.

        Args:
            normal: The normal matrix, see `linearize`.
            side: The right side.
            offsets: (N,) the values of what is unknown.
        """
        matrix, side = normal.copy(), side.copy()
        first = 6 + self.free
        if self._prior is not None:
            matrix[6:first, 6:first] += self._prior.precision
            side[6:first] -= self._prior.precision @ offsets[: self.free]
        strengths = offsets[self.free :]
        rows = np.arange(first, len(side))
        matrix[rows, rows] += 1 / _EXPRESSION**2
        side[first:] -= strengths / _EXPRESSION**2 + _SPARSE
        return _bounded_solution(matrix, side, first, -strengths, 1 - strengths)

    def identity_precision(self, normal: Floats) -> Floats:
        """Return the precision (M, M) that the frame adds, with pose and expressions unknown."""
        first = 6 + self.free
        matrix = normal.copy()
        rows = np.arange(first, len(matrix))
        matrix[rows, rows] += 1 / _EXPRESSION**2
        inner = np.arange(6, first)
        other = np.r_[0:6, first : len(matrix)]
        across = matrix[np.ix_(inner, other)]
        left = np.linalg.solve(matrix[np.ix_(other, other)], across.T)
        precision = matrix[np.ix_(inner, inner)] - across @ left
        symmetric: Floats = (precision + precision.T) / 2
        return symmetric


@cache
def _modes(*, fitted: bool) -> Floats:
    """Return the (N, 68, 3) modes of the unknowns: identity if it is fitted, and expressions."""
    basis = face_basis()
    return np.concatenate((basis.identity, basis.expressions)) if fitted else basis.expressions


@cache
def _flat_identity() -> Floats:
    """Return the identity modes as (M, 204)."""
    identity = face_basis().identity
    return identity.reshape(len(identity), 3 * POINTS)


@cache
def _modes_by_axis(*, fitted: bool) -> Floats:
    """Return `_modes` as (3, N, 68), one axis after the other."""
    return np.ascontiguousarray(_modes(fitted=fitted).transpose(2, 0, 1))


def _bounded_solution(
    matrix: Floats, side: Floats, first: int, low: Floats, high: Floats
) -> Floats | None:
    """Solve a system whose unknowns from `first` on have bounds; None if it has no solution.

    Unknowns beyond a bound are fixed there, and the others solved again.
    """
    solution = np.zeros(len(side))
    bounded = solution[first:]
    open_ = np.ones(len(side), bool)
    free = np.arange(len(side))
    for _ in range(_BOUNDING):
        inner = matrix if len(free) == len(side) else matrix[free[:, None], free]
        solved, part = cv2.solve(inner, side[free, None], flags=cv2.DECOMP_CHOLESKY)
        if not solved:
            return None
        solution[free] = part[:, 0]
        beyond = (bounded < low) | (bounded > high)
        if not beyond.any():
            break
        np.clip(bounded, low, high, out=bounded)
        fixed = first + np.flatnonzero(beyond)
        side = side - solution[fixed] @ matrix[fixed]
        open_[fixed] = False
        free = np.flatnonzero(open_)
    return solution if np.isfinite(solution).all() else None
