"""Motion besides the rigid one, on motions with known results."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.metrics.rigid_motion import (
    RIGID,
    WITHOUT_JAW,
    distance_from_rigid_motion,
    eye_distance,
    motion_beyond_rigid,
)
from support.fakes.fake_results import face_points

FACE = face_points().astype(np.float64)


def rigidly_moving_face(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of a rigid face that rolls, grows and shifts, and its similarity matrices."""
    points, steps = [FACE], []
    for t in range(frames - 1):
        angle, scale = 0.05 * math.sin(t), 1 + 0.02 * math.cos(t)
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        steps.append([[cos, -sin, 3.0], [sin, cos, -1.0]])
        matrix = np.array(steps[-1])
        points.append(points[-1] @ matrix[:, :2].T + matrix[:, 2])
    return np.array(points), np.array(steps)


def test_a_rigidly_moving_face_has_no_other_motion() -> None:
    points, steps = rigidly_moving_face(12)
    assert motion_beyond_rigid(points, steps, 40.0) == pytest.approx(0, abs=1e-9)
    still = np.repeat(np.eye(2, 3)[None], 11, axis=0)
    assert motion_beyond_rigid(points, still, 40.0) > 1


def test_motion_is_the_mean_distance_over_landmarks_and_frames_in_percent() -> None:
    points, steps = rigidly_moving_face(3)
    points[1, 60] += (3.0, 4.0)  # 5 px on the way to frame 1, and back on the way to frame 2
    scale = float(np.hypot(*steps[1][:, 0]))
    result = motion_beyond_rigid(points, steps, 50.0)
    assert result == pytest.approx((5 + 5 * scale) / (2 * 68) / 50 * 100)
    assert motion_beyond_rigid(points, steps, 50.0, landmarks=RIGID) == pytest.approx(0, abs=1e-9)
    mouth_and_more = motion_beyond_rigid(points, steps, 50.0, landmarks=WITHOUT_JAW)
    assert mouth_and_more == pytest.approx(result * 68 / 51)


def test_frames_without_a_face_or_known_motion_are_ignored() -> None:
    points, steps = rigidly_moving_face(6)
    points[:, 0] += np.arange(6)[:, None]
    whole = distance_from_rigid_motion(points, steps)
    gap, unknown = points.copy(), steps.copy()
    gap[2], unknown[4] = np.nan, np.nan
    part = distance_from_rigid_motion(gap, unknown)
    np.testing.assert_array_equal(np.isnan(part).all(1), [False, True, True, False, True])
    expected = np.nanmean(whole[[0, 3]]) / 20 * 100
    assert motion_beyond_rigid(gap, unknown, 20.0) == pytest.approx(expected)
    assert math.isnan(motion_beyond_rigid(np.full_like(points, np.nan), steps, 20.0))
    assert eye_distance(gap) == pytest.approx(
        np.mean([math.dist(f[36], f[45]) for i, f in enumerate(points) if i != 2])
    )
