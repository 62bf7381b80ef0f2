"""Estimated head poses against known ones: the projected mean face with noise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.rotations import euler_angles, rotation_matrix
from steadymark.engine.core.types import (
    HEAD_POSE,
    FaceAttributes,
    FaceContext,
    HeadPose,
    Intrinsics,
    Landmarks,
)
from steadymark.engine.face3d.head_pose import head_pose, mean_face
from steadymark.models.face.schema import IBUG68, load_schema
from support.fakes.fake_results import face_points, lost_face, tracked_face

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA = Intrinsics(640, 480)


def pose_from_degrees(
    pitch: float = 0,
    yaw: float = 0,
    roll: float = 0,
    position_mm: tuple[float, float, float] = (0, 0, 700),
) -> HeadPose:
    """Return a pose from angles in degrees and a position in mm."""
    return HeadPose(position_mm, tuple(np.radians((pitch, yaw, roll)).tolist()), CAMERA)


def projected_landmarks(pose: HeadPose, noise_px: float = 0, seed: int = 0) -> Landmarks:
    noise = np.random.default_rng(seed).normal(0, noise_px, (68, 2))
    points = (pose.project(mean_face()) + noise).astype(np.float32)
    return Landmarks(points, np.ones(68, np.float32))


def rotation_between_deg(one: HeadPose, other: HeadPose) -> float:
    """Return the angle of the rotation between both poses."""
    turn = one.matrix.T @ other.matrix
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def estimate_pose(points: Landmarks, camera: Intrinsics = CAMERA) -> HeadPose:
    pose = head_pose(points, camera)
    assert pose is not None
    return pose


def test_the_mean_face_has_the_expected_size_and_orientation() -> None:
    face = mean_face()
    right, left = load_schema("ibug68").eyes
    assert face.shape == (68, 3)
    assert np.linalg.norm(face[left] - face[right]) == pytest.approx(89.2, abs=0.1)
    np.testing.assert_allclose(face.mean(0), 0, atol=1e-9)
    mirrored = face[load_schema("ibug68").mirror] * (-1, 1, 1)
    np.testing.assert_allclose(mirrored, face, atol=0.05)
    assert face[30, 2] < face[0, 2]  # the nose is nearer
    assert face[8, 1] > face[27, 1]  # the chin is lower


@pytest.mark.parametrize("distance_mm", [400, 700, 1500])
def test_known_poses_are_estimated_within_three_degrees(distance_mm: int) -> None:
    rng = np.random.default_rng(distance_mm)
    errors: list[float] = []
    for yaw in range(-60, 61, 10):
        for seed in range(5):
            position_mm = (
                float(rng.uniform(-100, 100)),
                float(rng.uniform(-60, 60)),
                float(distance_mm),
            )
            true = pose_from_degrees(
                float(rng.uniform(-20, 20)), yaw, float(rng.uniform(-30, 30)), position_mm
            )
            noise_px = 0.015 * 89.2 * CAMERA.focal / distance_mm  # 1.5 % of the eye distance
            pose = estimate_pose(projected_landmarks(true, noise_px, seed))
            errors.append(rotation_between_deg(true, pose))
            assert pose.position_mm == pytest.approx(position_mm, rel=0.1, abs=8)
    print(f"{distance_mm} mm: mean error {np.mean(errors):.2f}°, worst {max(errors):.2f}°")  # noqa: T201
    assert np.mean(errors) <= 3
    assert max(errors) <= 6


def test_the_mean_face_has_nearly_the_exact_pose_though_people_label_other_places() -> None:
    true = pose_from_degrees(10, -35, 20, (50, -30, 800))
    pose = estimate_pose(projected_landmarks(true))
    assert rotation_between_deg(true, pose) < 4
    assert pose.position_mm == pytest.approx((50, -30, 800), abs=20)


def test_rotation_signs_are_those_of_openface() -> None:
    face, centre = mean_face(), CAMERA.matrix[:2, 2]
    nose, nose_bridge = 30, 27
    down = pose_from_degrees(pitch=20).project(face)
    assert down[nose, 1] - centre[1] > pose_from_degrees().project(face)[nose, 1] - centre[1]
    left = pose_from_degrees(yaw=30).project(face)
    assert left[nose, 0] < left[nose_bridge, 0] - 5
    rolled = pose_from_degrees(roll=90).project(face)
    assert rolled[8, 0] < centre[0] - 10  # the chin is left in the image: clockwise for the viewer
    assert (
        pose_from_degrees(1, 2, 3).pitch_deg,
        pose_from_degrees(1, 2, 3).roll_deg,
    ) == pytest.approx((1, 3))
    assert pose_from_degrees(1, 2, 3).yaw_deg == pytest.approx(2)


def test_angles_and_matrices_describe_the_same_rotations() -> None:
    rng = np.random.default_rng(1)
    for angles in rng.uniform((-3, -1.5, -3), (3, 1.5, 3), (50, 3)):
        matrix = rotation_matrix(tuple(angles))
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(matrix) == pytest.approx(1)
        assert euler_angles(matrix) == pytest.approx(tuple(angles))


def test_wrong_points_with_low_scores_have_no_effect() -> None:
    true = pose_from_degrees(5, 25, -10)
    good = projected_landmarks(true, 0.5)
    points, scores = good.xy_px.copy(), good.score.copy()
    bad = np.random.default_rng(2).choice(68, 20, replace=False)
    points[bad] += np.random.default_rng(3).normal(0, 40, (20, 2)).astype(np.float32)
    scores[bad] = 0.05
    right = estimate_pose(good)
    assert rotation_between_deg(right, estimate_pose(Landmarks(points, scores))) < 1.5


def test_changes_of_high_scores_do_not_shake_the_pose_and_low_ones_count_less() -> None:
    points = projected_landmarks(pose_from_degrees(yaw=20), 2.0)
    rng = np.random.default_rng(0)
    certain = replace(points, score=rng.uniform(0.6, 1, 68).astype(np.float32))
    assert rotation_between_deg(estimate_pose(points), estimate_pose(certain)) < 1e-3
    low = points.score.copy()
    low[36:48] = 0.3
    doubted = estimate_pose(replace(points, score=low))
    assert rotation_between_deg(estimate_pose(points), doubted) > 0.02


def test_a_few_outliers_with_high_scores_have_little_effect() -> None:
    true = pose_from_degrees(5, 25, -10)
    points = projected_landmarks(true, 0.5).xy_px.copy()
    points[[36, 45, 48, 8]] += (60, -45)
    assert rotation_between_deg(true, estimate_pose(Landmarks(points, np.ones(68, np.float32)))) < 3


def test_missing_points_are_ignored_and_too_few_give_no_pose() -> None:
    true = pose_from_degrees(0, 20, 0)
    points = projected_landmarks(true).xy_px.copy()
    whole = estimate_pose(Landmarks(points.copy(), np.ones(68, np.float32)))
    points[:17] = np.nan
    jawless = estimate_pose(Landmarks(points, np.ones(68, np.float32)))
    assert rotation_between_deg(whole, jawless) < 2
    points[:60] = np.nan
    assert head_pose(Landmarks(points, np.ones(68, np.float32)), CAMERA) is None
    dot = np.full((68, 2), 7, np.float32)
    assert head_pose(Landmarks(dot, np.ones(68, np.float32)), CAMERA) is None
    five = Landmarks(dot[:5], np.ones(5, np.float32))
    assert head_pose(five, CAMERA) is None


def test_poses_change_continuously_over_all_rolls_and_yaws() -> None:
    def steps(poses: list[HeadPose]) -> NDArray[np.float64]:
        angles = np.unwrap([pose.rotation_rad for pose in poses], axis=0)
        largest: NDArray[np.float64] = np.abs(np.degrees(np.diff(angles, axis=0))).max(0)
        return largest

    rolling = [
        estimate_pose(projected_landmarks(pose_from_degrees(5, 15, roll), 1, roll))
        for roll in range(0, 361, 3)
    ]
    assert (steps(rolling) < (9, 9, 9)).all()
    turning = [
        estimate_pose(projected_landmarks(pose_from_degrees(5, yaw, 3), 1, yaw + 99))
        for yaw in range(-75, 76, 3)
    ]
    assert (steps(turning) < (9, 9, 9)).all()
    assert max(rotation_between_deg(a, b) for a, b in pairwise(turning)) < 9


def test_the_focal_length_scales_the_distance() -> None:
    points = projected_landmarks(pose_from_degrees())
    assert Intrinsics(640, 480).focal == 500
    assert Intrinsics(1280, 720).focal == pytest.approx((1000 + 750) / 2)
    far = estimate_pose(points, replace(CAMERA, focal_px=1000.0))
    assert far.position_mm[2] == pytest.approx(1400, rel=0.03)


def test_axes_start_in_the_face_and_point_right_down_and_forward() -> None:
    centre, right, down, out = pose_from_degrees(0, -30, 0).axes_px()
    assert right[0] > centre[0] + 10
    assert down[1] > centre[1] + 10
    assert out[0] > centre[0] + 10  # the face looks to the right of the image
    assert np.isnan(pose_from_degrees(position_mm=(0, 0, -500)).axes_px()).all()


def test_with_points_recomputes_the_pose_and_pose_of_values_restores_it() -> None:
    pose = estimate_pose(Landmarks(face_points(), np.ones(68, np.float32)))
    attributes = FaceAttributes(FaceContext(IBUG68, CAMERA), {HEAD_POSE: pose.values})
    face = replace(tracked_face(), attributes=attributes)
    assert face.pose == pose
    assert face.stabilized is not None
    bigger = Landmarks(face.stabilized.xy_px * 2, face.stabilized.score)
    moved = with_points(face, bigger)
    assert moved.pose is not None
    assert moved.pose.position_mm[2] == pytest.approx(pose.position_mm[2] / 2, rel=0.1)
    assert with_points(replace(face, attributes=None), bigger).pose is None
    assert HeadPose.of_values(pose.values, CAMERA) == pose
    assert HeadPose.of_values([np.nan] * 6, CAMERA) is None
    assert lost_face().pose is None
