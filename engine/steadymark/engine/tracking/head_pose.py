"""Estimation of the head pose from landmarks and a 3D mean face.

Axes and units are those of `HeadPose`.
"""

from __future__ import annotations

import json
import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.models.face.schema import IBUG68, assets_root, load_schema

Array = NDArray[np.float64]
POINTS = 68  # landmarks of iBUG's schema, whose mean face is fitted
FEWEST = 10  # least number of finite landmarks
_REGION_WEIGHTS = {"contour": 0.2, "brows": 0.5, "nose": 1.0, "eyes": 1.0, "mouth": 0.5}
_FULL_WEIGHT_SCORE = 0.6  # score of a landmark from which it counts fully
_HALF_WEIGHT_RESIDUAL = (
    0.06  # share of the face's size: a landmark with this residual has half its weight
)
_MOST_STEPS, _WEIGHTED_STEPS = 12, 1
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
    """Estimate the pose of the 3D mean face that fits the landmarks best.

    The weight of a landmark is a Cauchy weight of its distance from the projected mean face, so
    that outliers have little effect. Landmarks with a score below 0.6 count less in proportion.
    Higher scores count alike, so that their changes from frame to frame do not shake the pose.
    OpenCV's solvers weight all landmarks equally. The iteration starts from the pose under a
    parallel projection. This pose is unique and depends continuously on the landmarks, so that
    consecutive frames do not end in different minima.

    Args:
        points: 68 landmarks in iBUG's order.
        camera: The camera.

    Returns:
        The pose, or None if there are too few finite landmarks or no pose fits.
    """
    if len(points.score) != POINTS:
        return None
    finite = np.isfinite(points.xy_px).all(1) & np.isfinite(points.score)
    if finite.sum() < FEWEST:
        return None
    xy = points.xy_px[finite].astype(np.float64) - camera.matrix[:2, 2]
    certain = np.clip(points.score[finite].astype(np.float64) / _FULL_WEIGHT_SCORE, 1e-3, 1)
    weights = _landmark_weights()[finite] * certain
    face = mean_face()[finite]
    first_pose = _pose_under_parallel_projection(face, xy, weights, camera.focal)
    if first_pose is None:
        return None
    turn, shift, size = first_pose
    half_weight_px = _HALF_WEIGHT_RESIDUAL * size
    fitted = _refined_pose(face, xy.T, weights, camera.focal, turn, shift, half_weight_px)
    if fitted is None:
        return None
    x, y, z = (float(v) for v in fitted[1])
    return HeadPose((x, y, z), euler_angles(fitted[0]), camera)


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


def _refined_pose(
    face: Array,
    xy: Array,
    weights: Array,
    focal: float,
    turn: Array,
    shift: Array,
    half_weight_px: float,
) -> tuple[Array, Array] | None:
    """Refine a pose by Newton steps on the Cauchy loss; None if it diverges.

    The first step is a Gauss–Newton step with the weights of the loss, which converges from further
    away. The later ones use the curvature of the loss, too, which halves the number of steps. The
    loss of a landmark beyond the half-weight residual is concave, and counts as flat along it.

    Args:
        face: (n, 3) landmarks of the mean face, millimetres.
        xy: (2, n) landmarks, pixels from the centre of the image.
        weights: (n,) weights.
        focal: Focal length, pixels.
        turn: (3, 3) rotation matrix.
        shift: (3,) translation, millimetres.
        half_weight_px: Residual of a landmark that has half of its weight.

    Returns:
        Rotation matrix and translation.
    """
    for index in range(_MOST_STEPS):
        seen, across, down = _projection(turn @ face.T, shift, focal)
        error_x, error_y = xy - seen
        squared = error_x * error_x + error_y * error_y
        excess = squared / half_weight_px**2
        cauchy_weights = weights / (1 + excess)
        along = across * error_x + down * error_y  # (6, n)
        curvature = across * cauchy_weights @ across.T + down * cauchy_weights @ down.T
        if index >= _WEIGHTED_STEPS:
            bend = np.minimum(1, 2 * excess / (1 + excess)) / np.maximum(squared, 1e-12)
            curvature -= along * (cauchy_weights * bend) @ along.T
        try:
            step = np.linalg.solve(curvature, along @ cauchy_weights)
        except np.linalg.LinAlgError:
            return None
        turn, shift = cv2.Rodrigues(step[:3])[0] @ turn, shift + step[3:]
        largest_turn, largest_shift = (
            max(map(abs, part.tolist())) for part in (step[:3], step[3:])
        )
        if not (math.isfinite(largest_turn + largest_shift) and shift[2] > 1):
            return None
        if largest_turn < _CONVERGED and largest_shift < _CONVERGED * shift[2]:
            break
    return turn, shift


def _projection(turned: Array, shift: Array, focal: float) -> tuple[Array, Array, Array]:
    """Project turned landmarks (3, n), shifted by (3,) millimetres.

    Returns the pixels from the centre of the image, (2, n), and the derivatives of x and of y by a
    further rotation vector and by the shift, (6, n) each.
    """
    x, y, z = turned
    scale = focal / (z + shift[2])
    rays = (turned[:2] + shift[:2, None]) * (scale / focal)
    slopes = np.zeros((2, 6, len(x)))
    np.multiply(rays, -y, out=slopes[:, 0])
    np.multiply(rays, x, out=slopes[:, 1])
    np.negative(rays, out=slopes[:, 5])
    slopes[1, 0] -= z
    slopes[0, 1] += z
    slopes[0, 2], slopes[1, 2] = -y, x
    slopes[0, 3] = slopes[1, 4] = 1
    slopes *= scale
    return rays * focal, slopes[0], slopes[1]
