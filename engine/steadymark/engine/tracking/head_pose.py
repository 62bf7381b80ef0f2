"""Head pose: where a head is and how it is turned, from its landmarks and a mean face in 3D.

The axes and units are those of `HeadPose`.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks, TrackedFace
from steadymark.models.face.schema import assets_root, load_schema

Array = NDArray[np.float64]
IBUG, POINTS = "ibug68", 68
FEWEST = 10  # landmarks that must be there
_TRUST = {"contour": 0.2, "brows": 0.5, "nose": 1.0, "eyes": 1.0, "mouth": 0.5}
_STRAY = 0.06  # of the face's size: a point so far from where it should be counts by half
_ROUNDS = 12
_DONE = 1e-5  # radians, and shares of the distance


def euler_angles(matrix: Array) -> tuple[float, float, float]:
    """Rx, Ry, Rz of a rotation: Ry within ±90°, the others within ±180°."""
    return (
        math.atan2(-matrix[1, 2], matrix[2, 2]),
        math.asin(min(1.0, max(-1.0, float(matrix[0, 2])))),
        math.atan2(-matrix[0, 1], matrix[0, 0]),
    )


@cache
def mean_face() -> Array:
    """(68, 3) mm: iBUG's landmarks on an average adult face that looks into the camera.

    x right, y down, z away from the camera, the middle of all at 0.
    """
    path = assets_root() / "schemas" / "face3d" / "ibug68.json"
    points = np.array(json.loads(path.read_text(encoding="utf-8"))["points"]) * (1, -1, -1)
    centred: Array = points - points.mean(0)
    return centred


@cache
def _trust() -> Array:
    """(68,): landmarks that slide along the face, or move by themselves, tell less of its pose."""
    trust = np.ones(POINTS)
    for region, share in _TRUST.items():
        trust[list(load_schema().regions[region])] = share
    return trust


def head_pose(points: Landmarks, camera: Intrinsics) -> HeadPose | None:
    """The pose of the mean face that fits landmarks in iBUG's order best.

    Each counts by its score and by how near it is to where the fitted face has it (Cauchy), so that
    bad points hardly matter; OpenCV's own solvers weigh all alike. None where there are too few.
    It begins from the pose under a parallel projection, which is unique and moves with the points,
    so that no two frames end in different minima.
    """
    if len(points.score) != POINTS:
        return None
    there = np.isfinite(points.xy_px).all(1) & np.isfinite(points.score)
    if there.sum() < FEWEST:
        return None
    xy = points.xy_px[there].astype(np.float64)
    weights = _trust()[there] * np.maximum(points.score[there].astype(np.float64), 1e-3)
    face, matrix = mean_face()[there], camera.matrix
    begun = _parallel(face, xy, weights, camera)
    if begun is None:
        return None
    turn, shift, size = begun
    fitted = _fitted(face, xy, weights, matrix, turn, shift, _STRAY * size)
    if fitted is None:
        return None
    turned, _ = cv2.Rodrigues(fitted[0])
    x, y, z = (float(v) for v in fitted[1])
    return HeadPose((x, y, z), euler_angles(np.asarray(turned, np.float64)), camera)


def pose_of_values(values: Array, camera: Intrinsics | None) -> HeadPose | None:
    """(6,) millimetres and radians, as tables hold them; None where they are NaN."""
    if camera is None or not np.isfinite(values).all():
        return None
    x, y, z, pitch, yaw, roll = (float(v) for v in values)
    return HeadPose((x, y, z), (pitch, yaw, roll), camera)


def with_points(face: TrackedFace, stabilized: Landmarks) -> TrackedFace:
    """The same face with other stabilized points, and the pose that follows from these."""
    pose = None if face.pose is None else head_pose(stabilized, face.pose.camera)
    return replace(face, stabilized=stabilized, pose=pose)


def _parallel(
    face: Array, xy: Array, weights: Array, camera: Intrinsics
) -> tuple[Array, Array, float] | None:
    """Rotation vector, place, and size in pixels, as if seen from far away; None for a dot."""
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
    zoom = float(scale.mean())  # pixels a millimetre
    depth = camera.focal / zoom
    ray = np.array([*((middle - camera.matrix[:2, 2]) / camera.focal), 1.0])
    vector, _ = cv2.Rodrigues(turn)
    return np.asarray(vector, np.float64).ravel(), ray * depth - turn @ centre, zoom * 150.0


def _fitted(
    face: Array,
    xy: Array,
    weights: Array,
    matrix: Array,
    turn: Array,
    shift: Array,
    stray_px: float,
) -> tuple[Array, Array] | None:
    """Gauss and Newton, the weights by residuals anew in each round; None where it goes astray."""
    pose = np.concatenate((turn, shift))
    for _ in range(_ROUNDS):
        seen, slopes = cv2.projectPoints(face, pose[:3], pose[3:], matrix, None)
        off = xy - np.asarray(seen, np.float64).reshape(-1, 2)
        each = weights / (1 + (off**2).sum(1) / stray_px**2)
        slope = np.asarray(slopes, np.float64)[:, :6]
        weighed = slope * np.repeat(each, 2)[:, None]
        try:
            step = np.linalg.solve(weighed.T @ slope, weighed.T @ off.ravel())
        except np.linalg.LinAlgError:
            return None
        pose = pose + step
        if not (np.isfinite(pose).all() and pose[5] > 1):
            return None
        if np.abs(step[:3]).max() < _DONE and np.abs(step[3:]).max() < _DONE * pose[5]:
            break
    return pose[:3], pose[3:]
