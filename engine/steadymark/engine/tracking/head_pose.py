"""Estimation of the head pose from landmarks and a 3D mean face.

Axes and units are those of `HeadPose`.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.models.face.schema import IBUG68, assets_root, load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]
POINTS = 68  # landmarks of iBUG's schema, whose mean face is fitted
FEWEST = 10  # least number of finite landmarks
_REGION_WEIGHTS = {"contour": 0.2, "brows": 0.5, "nose": 1.0, "eyes": 1.0, "mouth": 0.5}
_FULL_WEIGHT_SCORE = 0.6  # score of a landmark from which it counts fully
_HALF_WEIGHT_RESIDUAL = (
    0.06  # share of the face's size: a landmark with this residual has half its weight
)
_MOST_STEPS = 12
_CONVERGED = 1e-4  # convergence limit: radians, and share of the distance


def euler_angles(matrix: Array) -> tuple[float, float, float]:
    """Return the Euler angles of a rotation.

    Args:
        matrix: (3, 3) rotation matrix R = Rx Ry Rz.

    Returns:
        (Rx, Ry, Rz) in radians; Ry is within ±π/2, and Rx and Rz are within ±π.
    """
    return (
        math.atan2(-matrix[1, 2], matrix[2, 2]),
        math.asin(min(1.0, max(-1.0, float(matrix[0, 2])))),
        math.atan2(-matrix[0, 1], matrix[0, 0]),
    )


@cache
def mean_face() -> Array:
    """Return the (68, 3) landmarks in iBUG's order of an average adult face, in millimetres.

    The face looks into the camera. x points right, y down and z away from the camera; the mean of
    all landmarks is 0.
    """
    path = assets_root() / "schemas" / "face3d" / "ibug68.json"
    points = np.array(json.loads(path.read_text(encoding="utf-8"))["points"]) * (1, -1, -1)
    centred: Array = points - points.mean(0)
    return centred


@cache
def _landmark_weights() -> Array:
    """Return (68,) weights: lower for landmarks that slide on the face or move by themselves."""
    weights_by_landmark = np.ones(POINTS)
    for region, share in _REGION_WEIGHTS.items():
        weights_by_landmark[list(load_schema(IBUG68).regions[region])] = share
    return weights_by_landmark


def head_pose(points: Landmarks, camera: Intrinsics) -> HeadPose | None:
    """Estimate the pose of one face, see `head_poses`.

    Args:
        points: 68 landmarks in iBUG's order.
        camera: The camera.

    Returns:
        The pose, or None if there are too few finite landmarks or no pose fits.
    """
    return head_poses([points], camera)[0]


def head_poses(faces: Sequence[Landmarks], camera: Intrinsics) -> list[HeadPose | None]:
    """Estimate for each face the pose of the 3D mean face that fits its landmarks best.

    The weight of a landmark is a Cauchy weight of its distance from the projected mean face, so
    that outliers have little effect. Landmarks with a score below 0.6 count less in proportion.
    Higher scores count alike, so that their changes from frame to frame do not shake the pose.
    OpenCV's solvers weight all landmarks equally. The iteration starts from the pose under a
    parallel projection. This pose is unique and depends continuously on the landmarks, so that
    consecutive frames do not end in different minima. Faces have no effect on each other's pose.

    Args:
        faces: 68 landmarks in iBUG's order of each face.
        camera: The camera.

    Returns:
        The poses; None where there are too few finite landmarks or no pose fits.
    """
    poses: list[HeadPose | None] = [None] * len(faces)
    focal, middle = camera.focal, camera.matrix[:2, 2]
    fits = [_first_fit(points, middle, focal) for points in faces]
    places = [place for place, fit in enumerate(fits) if fit is not None]
    if not places:
        return poses
    xy, weights, turn, shift, half_weight = map(np.array, zip(*filter(None, fits), strict=True))
    fitted = _refined_poses(
        xy.transpose(2, 0, 1), weights, focal, turn, shift.T[..., None], half_weight[:, None]
    )
    for place, pose in zip(places, fitted, strict=True):
        if pose is not None:
            x, y, z = pose[1].tolist()
            poses[place] = HeadPose((x, y, z), euler_angles(pose[0]), camera)
    return poses


def _first_fit(
    points: Landmarks, middle: Array, focal: float
) -> tuple[Array, Array, Array, Array, float] | None:
    """Return what the iteration starts from, or None if there is too little to fit.

    The values are the landmarks (68, 2) in pixels from the centre of the image, their weights,
    rotation matrix, translation, and the squared residual of a landmark that has half its weight.
    Landmarks that are not finite have the weight 0.
    """
    if len(points.score) != POINTS:
        return None
    xy, scores = points.xy_px.astype(np.float64) - middle, points.score.astype(np.float64)
    weights = _landmark_weights() * np.clip(scores / _FULL_WEIGHT_SCORE, 1e-3, 1)
    finite = np.isfinite(xy).all(1) & np.isfinite(scores)
    if not finite.all():
        if finite.sum() < FEWEST:
            return None
        xy, weights = np.where(finite[:, None], xy, 0), np.where(finite, weights, 0)
    pose = _pose_under_parallel_projection(mean_face(), xy, weights, focal)
    if pose is None:
        return None
    turn, shift, size = pose
    return xy, weights, turn, shift, (_HALF_WEIGHT_RESIDUAL * size) ** 2


def _pose_under_parallel_projection(
    face: Array, xy: Array, weights: Array, focal: float
) -> tuple[Array, Array, float] | None:
    """Return rotation matrix, translation and size in pixels under a parallel projection.

    `xy` is relative to the centre of the image. The result is None if the landmarks do not
    determine a rotation.
    """
    share = weights / weights.sum()
    middle, centre = share @ xy, share @ face
    solid = face - centre
    weighted = (solid * share[:, None]).T
    rows = np.linalg.solve(weighted @ solid, weighted @ (xy - middle)).T  # (2, 3)
    (g, h), (_, k) = (rows @ rows.T).tolist()
    product = math.sqrt(max(0.0, g * k - h * h))  # of the two singular values
    total = math.sqrt(g + k + 2 * product)
    if not 2 * product > 2e-6 * total:
        return None
    inverse_root = np.array([[k + product, -h], [-h, g + product]]) / (product * total)
    (a, b, c), (d, e, f) = plane = inverse_root @ rows
    turn = np.vstack((plane, (b * f - c * e, c * d - a * f, a * e - b * d)))
    zoom = total / 2  # pixels per millimetre
    ray = np.array([*(middle / focal), 1.0])
    return turn, ray * (focal / zoom) - turn @ centre, zoom * 150.0


def _refined_poses(
    xy: Array, weights: Array, focal: float, turn: Array, shift: Array, half_weight: Array
) -> list[tuple[Array, Array] | None]:
    """Refine the poses of n faces by Newton steps on the Cauchy loss; None for those that diverge.

    Args:
        xy: (2, n, 68) landmarks, pixels from the centre of the image.
        weights: (n, 68) weights.
        focal: Focal length, pixels.
        turn: (n, 3, 3) rotation matrices.
        shift: (3, n, 1) translations, millimetres.
        half_weight: (n, 1) squared residual of a landmark that has half of its weight.

    Returns:
        Rotation matrix and translation (3,) of each face.
    """
    poses: list[tuple[Array, Array] | None] = [None] * len(turn)
    left = [*range(len(turn))]
    for index in range(_MOST_STEPS):
        step = _newton_step(xy, weights, focal, turn, shift, half_weight, first=index == 0)
        turn = np.array([cv2.Rodrigues(each)[0] for each in step[:, :3]]) @ turn
        shift = shift + step[:, 3:].T[..., None]
        open_ = []
        for row, (each, distance) in enumerate(
            zip(step.tolist(), shift[2, :, 0].tolist(), strict=True)
        ):
            largest_turn, largest_shift = max(map(abs, each[:3])), max(map(abs, each[3:]))
            if not (math.isfinite(largest_turn + largest_shift) and distance > 1):
                continue
            converged = largest_turn < _CONVERGED and largest_shift < _CONVERGED * distance
            if converged or index == _MOST_STEPS - 1:
                poses[left[row]] = turn[row], shift[:, row, 0]
            else:
                open_.append(row)
        if not open_:
            break
        if len(open_) < len(left):
            left = [left[row] for row in open_]
            xy, weights, half_weight = xy[:, open_], weights[open_], half_weight[open_]
            turn, shift = turn[open_], shift[:, open_]
    return poses


def _newton_step(
    xy: Array,
    weights: Array,
    focal: float,
    turn: Array,
    shift: Array,
    half_weight: Array,
    *,
    first: bool,
) -> Array:
    """Return (n, 6) the next step: a rotation vector and a shift for each face.

    The first step is a Gauss–Newton step with the weights of the loss, which converges from further
    away. The later ones use the curvature of the loss, too, which halves the number of steps. The
    loss of a landmark beyond the half-weight residual is concave, and counts as flat along it. For
    the arguments, see `_refined_poses`.
    """
    seen, across, down = _projection((turn @ mean_face().T).swapaxes(0, 1), shift, focal)
    error_x, error_y = xy - seen
    squared = error_x * error_x + error_y * error_y
    excess = squared / half_weight
    spread = 1 + excess
    cauchy_weights = weights / spread
    along = across * error_x + down * error_y  # (6, n, 68)
    curvature = _products(across, cauchy_weights) + _products(down, cauchy_weights)
    if not first:
        bend = np.minimum(1, 2 * excess / spread) / np.maximum(squared, 1e-12)
        curvature -= _products(along, cauchy_weights * bend)
    return _solved(curvature, along.swapaxes(0, 1) @ cauchy_weights[..., None])[..., 0]


def _products(slopes: Array, weights: Array) -> Array:
    """Return (n, 6, 6): the sums over landmarks of the weighted products of slopes (6, n, 68)."""
    products: Array = (slopes * weights).swapaxes(0, 1) @ slopes.transpose(1, 2, 0)
    return products


def _solved(matrices: Array, sides: Array) -> Array:
    """Solve n systems of equations; the solution of one that has none is NaN."""
    try:
        return np.asarray(np.linalg.solve(matrices, sides), np.float64)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full_like(sides, np.nan)
        pairs = zip(matrices, sides, strict=True)
        return np.concatenate([_solved(a[None], b[None]) for a, b in pairs])


def _projection(turned: Array, shift: Array, focal: float) -> tuple[Array, Array, Array]:
    """Project turned landmarks (3, n, 68), shifted by (3, n, 1) millimetres.

    Returns the pixels from the centre of the image, (2, n, 68), and the derivatives of x and of y
    by a further rotation vector and by the shift, (6, n, 68) each.
    """
    x, y, z = turned
    scale = focal / (z + shift[2])
    rays = (turned[:2] + shift[:2]) * (scale / focal)
    slopes = np.zeros((2, 6, *x.shape))
    minus_y = -y
    np.multiply(rays, minus_y, out=slopes[:, 0])
    np.multiply(rays, x, out=slopes[:, 1])
    np.negative(rays, out=slopes[:, 5])
    slopes[1, 0] -= z
    slopes[0, 1] += z
    slopes[0, 2], slopes[1, 2] = minus_y, x
    slopes[0, 3] = slopes[1, 4] = 1
    slopes *= scale
    return rays * focal, slopes[0], slopes[1]
