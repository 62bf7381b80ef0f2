"""Synthetic scenes with detections and optical flow, as batches of the flow cell need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import compose, inverse
from steadymark.models.face.face_motion import face_size
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Matrix

FRAMES = 12


def synthetic_scenes(
    count: int, *, seed: int = 0, frames: int = FRAMES, noise: float = 0.8
) -> dict[str, NDArray[np.float32]]:
    """(count, frames, ...) arrays of `flow_cache`, in frame pixels.

    Each face drifts, rolls and opens its mouth; flow sees it with little noise, the detector with
    `noise` pixels.
    """
    scenes = [_scene(np.random.default_rng((seed, i)), frames, noise) for i in range(count)]
    names = scenes[0].keys()
    return {name: np.stack([scene[name] for scene in scenes]).astype(np.float32) for name in names}


def _scene(rng: np.random.Generator, frames: int, noise: float) -> dict[str, NDArray[np.float64]]:
    shape = load_schema("ibug68").mean_shape.astype(np.float64)
    start, velocity, turn_deg = rng.uniform(150, 300, 2), rng.normal(0, 1.5, 2), rng.normal(0, 0.7)
    side = rng.uniform(90, 180)
    steps = range(frames)
    roll = np.radians(10 * rng.normal() + turn_deg * np.arange(frames))
    mouth = np.zeros((frames, 68, 2))
    mouth[:, 55:60, 1] = 0.02 * (1 - np.cos(np.arange(frames) / 3))[:, None]
    pose = [_pose(start + velocity * t, side, roll[t]) for t in steps]
    ground_truth = np.stack([_transformed(p, shape + m) for p, m in zip(pose, mouth, strict=True)])
    face = np.stack([_step(pose[max(0, t - 1)], pose[t]) for t in steps])
    mouth_motion = np.diff(mouth, axis=0, prepend=mouth[:1])
    motion_beside_face = np.stack([o @ p[:, :2].T for o, p in zip(mouth_motion, pose, strict=True)])
    raw = ground_truth + rng.normal(0, noise, ground_truth.shape) + rng.normal(0, 1.0, (68, 2))
    return {
        "raw": raw,
        "truth": ground_truth,
        "visible": (rng.uniform(size=(frames, 68)) < 0.9).astype(float),
        "score": rng.uniform(0.6, 1, (frames, 68)),
        "face": face,
        "beside": motion_beside_face + rng.normal(0, 0.05, motion_beside_face.shape),
        "unsure": rng.uniform(0, 0.4, (frames, 68)),
        "agreed": np.ones(frames),
        "upright": np.stack((np.cos(roll), np.sin(roll)), -1),
        "size": np.array([face_size(points.astype(np.float32)) for points in raw]),
    }


def _pose(middle: NDArray[np.float64], side: float, roll: float) -> Matrix:
    """(2, 3): from the mean shape to the image."""
    cos, sin = side * np.cos(roll), side * np.sin(roll)
    return np.array([[cos, -sin, middle[0]], [sin, cos, middle[1]]])


def _transformed(pose: Matrix, shape: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(shape @ pose[:, :2].T + pose[:, 2])


def _step(before: Matrix, now: Matrix) -> Matrix:
    return compose(now, inverse(before))
