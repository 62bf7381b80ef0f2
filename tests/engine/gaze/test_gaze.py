"""Gaze: from exact pupils of faces of the 3D model, and where it cannot be known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.gaze import gaze_angles, gaze_vectors, mean_direction
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.expressions.arkit import LOOK_FULL_DEG, LOOK_SHAPES, SHAPES, arkit_shapes
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.gaze.eyeballs import RADIUS_MM, eye_residuals
from steadymark.engine.gaze.line_of_sight import KAPPA_DEG, directions_to_pupils, gaze_of
from support.gazing_faces import (
    AVERAGE,
    CAMERA,
    eyeballs_at,
    head_gaze,
    landmarks_at,
    pose_at,
    pupils_at,
    pupils_on_axes,
)

if TYPE_CHECKING:
    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.gaze import Gaze
    from steadymark.engine.core.types import HeadPose, Landmarks
    from steadymark.engine.face3d.face_basis import Floats


def angle_deg(first: Floats, second: Floats) -> float:
    """Angle between two unit vectors."""
    return float(np.degrees(np.arccos(np.clip(first @ second, -1, 1))))


def fitted(pose: HeadPose) -> tuple[FaceFit, Landmarks]:
    """The average face in a pose."""
    points = landmarks_at(pose)
    fit = fit_face(points, CAMERA, AVERAGE)
    assert fit is not None
    return fit, points


def seen_gaze(pose: HeadPose, pupils: Pupils) -> Gaze:
    """The gaze of the average face."""
    fit, points = fitted(pose)
    return gaze_of(fit, points, pupils, CAMERA)


@pytest.mark.parametrize("yaw_deg", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize("left_deg", [-25.0, 0.0, 25.0])
@pytest.mark.parametrize("down_deg", [-20.0, 0.0, 20.0])
def test_exact_pupils_and_eyeballs_give_the_exact_gaze(
    yaw_deg: float, left_deg: float, down_deg: float
) -> None:
    pose = pose_at(yaw_deg)
    wanted = head_gaze(pose, left_deg, down_deg)
    found = directions_to_pupils(pupils_on_axes(pose, wanted).xy_px, eyeballs_at(pose), CAMERA)
    assert angle_deg(found[0], wanted) < 0.05
    assert angle_deg(found[1], wanted) < 0.05


@pytest.mark.parametrize("yaw_deg", [-30.0, 0.0, 30.0])
def test_the_gaze_of_a_fitted_face_is_found_within_two_degrees(yaw_deg: float) -> None:
    pose = pose_at(yaw_deg, 8.0)
    wanted = head_gaze(pose, 15.0, -10.0)
    gaze = seen_gaze(pose, pupils_at(pose, wanted))
    assert angle_deg(gaze.directions[0], wanted) < 2
    assert angle_deg(gaze.directions[1], wanted) < 2
    assert np.degrees(gaze_angles(mean_direction(gaze.head_directions))) == pytest.approx(
        [15, -10], abs=2.5
    )
    assert gaze.centres_mm == pytest.approx(eyeballs_at(pose), abs=4)


def test_the_axes_of_eyes_that_look_ahead_are_turned_outwards() -> None:
    pose = pose_at()
    gaze = seen_gaze(pose, pupils_on_axes(pose, head_gaze(pose, 0.0, 0.0)))
    sideways = np.degrees(gaze_angles(gaze.head_directions))[:, 0]
    assert sideways == pytest.approx([KAPPA_DEG, -KAPPA_DEG], abs=1.5)


def test_angles_grow_to_the_right_of_the_picture_and_downwards_and_are_0_at_the_camera() -> None:
    assert gaze_angles(np.array([0.0, 0.0, -1.0])) == pytest.approx([0, 0])
    assert gaze_angles(np.array([0.5, 0.0, -0.5])) == pytest.approx([np.pi / 4, 0])
    assert gaze_angles(np.array([0.0, 0.5, -0.5])) == pytest.approx([0, np.pi / 4])
    angles = np.array([[0.3, -0.2], [-0.6, 0.5]])
    assert gaze_angles(gaze_vectors(angles)) == pytest.approx(angles)


def test_the_first_eye_is_the_persons_right_one_on_the_left_of_the_picture() -> None:
    pose = pose_at()
    right = np.array([-0.2, 0.0, -1.0]) / np.linalg.norm([-0.2, 0.0, -1.0])
    left = np.array([0.0, 0.2, -1.0]) / np.linalg.norm([0.0, 0.2, -1.0])
    gaze = seen_gaze(pose, pupils_at(pose, np.stack((right, left))))
    assert gaze.centres_mm[0, 0] < gaze.centres_mm[1, 0]
    assert angle_deg(gaze.directions[0], right) < 1.5
    assert angle_deg(gaze.directions[1], left) < 1.5


def test_the_gaze_of_an_eye_without_a_pupil_is_unknown_and_the_mean_is_that_of_the_other() -> None:
    pose = pose_at()
    pupils = pupils_at(pose, head_gaze(pose, 10.0, 0.0))
    one = Pupils(pupils.xy_px * [[np.nan], [1.0]], pupils.score)
    gaze = seen_gaze(pose, one)
    assert np.isnan(gaze.directions[0]).all()
    assert mean_direction(gaze.directions) == pytest.approx(gaze.directions[1])
    none = seen_gaze(pose, Pupils(np.full((2, 2), np.nan), np.zeros(2)))
    assert np.isnan(mean_direction(none.directions)).all()


def test_the_far_eye_of_a_profile_is_hidden() -> None:
    for yaw_deg, hidden in ((65.0, 0), (-65.0, 1)):
        pose = pose_at(yaw_deg)
        points = landmarks_at(pose)
        fit = fitted(pose_at())[0]
        turned = replace(fit, rotation=pose.matrix, position=np.array(pose.position_mm))
        gaze = gaze_of(turned, points, pupils_at(pose, head_gaze(pose, 0.0, 0.0)), CAMERA)
        far = int(np.argmax(gaze.centres_mm[:, 2]))
        assert np.isnan(gaze.directions[far]).all()
        assert np.isfinite(gaze.directions[1 - far]).all()
        assert far == hidden


def test_a_pupil_beside_the_eyeball_is_taken_to_its_edge_and_one_far_away_is_none() -> None:
    pose = pose_at()
    centres = eyeballs_at(pose)
    xy = centres[:, :2] / centres[:, 2:]
    beside = xy + np.array([1.2 * RADIUS_MM, 0.0]) / centres[:, 2:]
    far = xy + np.array([2.0 * RADIUS_MM, 0.0]) / centres[:, 2:]
    middle = CAMERA.matrix[:2, 2]
    found = directions_to_pupils(beside * CAMERA.focal + middle, centres, CAMERA)
    assert found[:, 0] == pytest.approx([1, 1], abs=0.01)
    found = directions_to_pupils(far * CAMERA.focal + middle, centres, CAMERA)
    assert np.isnan(found).all()


def test_unknown_and_wild_landmarks_of_the_eyes_do_not_move_the_eyeballs_far() -> None:
    pose = pose_at()
    fit, points = fitted(pose)
    xy = points.xy_px.copy()
    xy[36:48:2] = np.nan
    xy[37:48:2] += 500
    residuals = eye_residuals(fit, replace(points, xy_px=xy), CAMERA)
    assert np.isfinite(residuals).all()
    assert np.abs(residuals).max() <= 3.0


def looks(left_deg: float, down_deg: float) -> dict[str, float]:
    """The shapes of the gaze of the average face."""
    pose = pose_at()
    fit, points = fitted(pose)
    gaze = gaze_of(fit, points, pupils_at(pose, head_gaze(pose, left_deg, down_deg)), CAMERA)
    strengths = dict(zip(SHAPES, arkit_shapes(fit.expression, gaze).tolist(), strict=True))
    return {name: strengths[name] for name in LOOK_SHAPES}


def test_a_gaze_to_the_persons_left_moves_the_left_eye_out_and_the_right_eye_in() -> None:
    shapes = looks(20.0, 0.0)
    wanted = pytest.approx(20 / LOOK_FULL_DEG[0], abs=0.08)
    assert shapes["eyeLookOutLeft"] == wanted
    assert shapes["eyeLookInRight"] == wanted
    assert shapes["eyeLookInLeft"] == shapes["eyeLookOutRight"] == 0


def test_a_gaze_upwards_and_downwards_moves_both_eyes() -> None:
    up, down = looks(0.0, -15.0), looks(0.0, 15.0)
    for side in ("Left", "Right"):
        assert up[f"eyeLookUp{side}"] == pytest.approx(15 / LOOK_FULL_DEG[1], abs=0.1)
        assert up[f"eyeLookDown{side}"] == 0
        assert down[f"eyeLookDown{side}"] == pytest.approx(15 / LOOK_FULL_DEG[1], abs=0.1)
        assert down[f"eyeLookUp{side}"] == 0


def test_the_shapes_of_the_gaze_are_unknown_without_pupils_and_all_others_are_known() -> None:
    fit, _ = fitted(pose_at())
    strengths = dict(zip(SHAPES, arkit_shapes(fit.expression).tolist(), strict=True))
    assert {name for name, value in strengths.items() if np.isnan(value)} == set(LOOK_SHAPES)
