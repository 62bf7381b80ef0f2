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
_MOST_STEPS = 12
_CONVERGED = 1e-5  # convergence limit: radians, and share of the distance


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
    xy = points.xy_px[finite].astype(np.float64)
    certain = (points.score[finite].astype(np.float64) / _FULL_WEIGHT_SCORE).clip(1e-3, 1)
    weights = _landmark_weights()[finite] * certain
    face, matrix = mean_face()[finite], camera.matrix
    first_pose = _pose_under_parallel_projection(face, xy, weights, camera)
    if first_pose is None:
        return None
    turn, shift, size = first_pose
    fitted = _refined_pose(face, xy, weights, matrix, turn, shift, _HALF_WEIGHT_RESIDUAL * size)
    if fitted is None:
        return None
    rotation, _ = cv2.Rodrigues(fitted[0])
    x, y, z = (float(v) for v in fitted[1])
    return HeadPose((x, y, z), euler_angles(np.asarray(rotation, np.float64)), camera)


def _pose_under_parallel_projection(
    face: Array, xy: Array, weights: Array, camera: Intrinsics
) -> tuple[Array, Array, float] | None:
    """Return rotation vector, translation and size in pixels under a parallel projection.

    The result is None if the landmarks do not determine a rotation.
    """
    share = weights / weights.sum()
    middle, centre = share @ xy, share @ face
    solid = face - centre
    spread = (solid * share[:, None]).T @ solid
    rows = np.linalg.solve(spread, (solid * share[:, None]).T @ (xy - middle)).T  # (2, 3)
    left, scale, right = np.linalg.svd(rows, full_matrices=False)
    if not scale.min() > 1e-6:
        return None
    plane = left @ right
    turn = np.vstack((plane, np.cross(plane[0], plane[1])))
    zoom = float(scale.mean())  # pixels per millimetre
    depth = camera.focal / zoom
    ray = np.array([*((middle - camera.matrix[:2, 2]) / camera.focal), 1.0])
    vector, _ = cv2.Rodrigues(turn)
    return np.asarray(vector, np.float64).ravel(), ray * depth - turn @ centre, zoom * 150.0


def _refined_pose(
    face: Array,
    xy: Array,
    weights: Array,
    matrix: Array,
    turn: Array,
    shift: Array,
    half_weight_px: float,
) -> tuple[Array, Array] | None:
    """Refine a pose by Gauss–Newton steps with new Cauchy weights in each; None if it diverges."""
    pose = np.concatenate((turn, shift))
    for _ in range(_MOST_STEPS):
        seen, slopes = cv2.projectPoints(face, pose[:3], pose[3:], matrix, None)
        residuals = xy - np.asarray(seen, np.float64).reshape(-1, 2)
        cauchy_weights = weights / (1 + (residuals**2).sum(1) / half_weight_px**2)
        slope = np.asarray(slopes, np.float64)[:, :6]
        weighted_slope = slope * np.repeat(cauchy_weights, 2)[:, None]
        try:
            step = np.linalg.solve(weighted_slope.T @ slope, weighted_slope.T @ residuals.ravel())
        except np.linalg.LinAlgError:
            return None
        pose = pose + step
        if not (np.isfinite(pose).all() and pose[5] > 1):
            return None
        if np.abs(step[:3]).max() < _CONVERGED and np.abs(step[3:]).max() < _CONVERGED * pose[5]:
            break
    return pose[:3], pose[3:]
