"""The fitted 3D face: pose, expression and identity of faces that are made of the same model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.types import HeadPose, Intrinsics, Landmarks
from steadymark.engine.expressions.arkit import SHAPES, arkit_shapes, unseen_shapes
from steadymark.engine.face3d.face_basis import face_basis
from steadymark.engine.face3d.face_fit import FEWEST, average_identity, fit_face
from steadymark.engine.face3d.head_pose import pose_of

if TYPE_CHECKING:
    from steadymark.engine.face3d.face_basis import Floats

CAMERA = Intrinsics(640, 480)
BASIS = face_basis()
AVERAGE = np.zeros(len(BASIS.identity))
POSE = HeadPose((20.0, -10.0, 600.0), (0.1, 0.4, -0.2), CAMERA)


def expression(**strengths: float) -> Floats:
    """Return the (E,) strengths of an expression."""
    values = np.zeros(len(BASIS.names))
    for name, strength in strengths.items():
        values[BASIS.names.index(name)] = strength
    return values


def seen(strengths: Floats, identity: Floats = AVERAGE, pose: HeadPose = POSE) -> Landmarks:
    """Return the landmarks of a face of the model, without noise."""
    shape = BASIS.neutral + np.tensordot(identity, BASIS.identity, 1)
    shape = shape + np.tensordot(strengths, BASIS.expressions, 1)
    return Landmarks(pose.project(shape).astype(np.float32), np.ones(68, np.float32))


@pytest.mark.parametrize(
    "strengths",
    [
        expression(),
        expression(jawOpen=0.7),
        expression(mouthSmile_L=0.8, mouthSmile_R=0.8),
        expression(eyeBlink_L=1.0, browOuterUp_R=0.6),
        expression(mouthLeft=0.6, mouthFunnel=0.5),
    ],
)
def test_pose_and_expression_of_a_face_of_the_model_are_found(strengths: Floats) -> None:
    fit = fit_face(seen(strengths), CAMERA, AVERAGE)
    assert fit is not None
    pose = pose_of(fit, CAMERA)
    assert pose.rotation_rad == pytest.approx(POSE.rotation_rad, abs=np.radians(0.7))
    assert pose.position_mm == pytest.approx(POSE.position_mm, rel=0.01, abs=1)
    strong = strengths > 0
    assert fit.expression[strong] == pytest.approx(strengths[strong], abs=0.15)
    assert fit.expression[~strong].max() < 0.2


def test_the_left_eye_is_the_persons_left() -> None:
    fit = fit_face(seen(expression(eyeBlink_L=1.0)), CAMERA, AVERAGE)
    assert fit is not None
    shapes = dict(zip(SHAPES, arkit_shapes(fit.expression).tolist(), strict=True))
    assert shapes["eyeBlinkLeft"] > 0.8
    assert shapes["eyeBlinkRight"] < 0.05
    points = seen(expression(eyeBlink_L=1.0)).xy_px
    assert np.linalg.norm(points[43] - points[47]) < np.linalg.norm(points[37] - points[41]) / 2


def test_an_open_mouth_does_not_turn_the_head() -> None:
    poses = []
    for strengths in (expression(), expression(jawOpen=1.0)):
        fit = fit_face(seen(strengths), CAMERA, AVERAGE)
        assert fit is not None
        poses.append(pose_of(fit, CAMERA))
    closed, opened = poses
    assert opened.pitch_deg == pytest.approx(closed.pitch_deg, abs=0.7)
    assert opened.yaw_deg == pytest.approx(closed.yaw_deg, abs=0.5)


def test_the_identity_is_fitted_if_it_is_not_known() -> None:
    identity = AVERAGE.copy()
    identity[:3] = 2.0, -1.5, 1.0
    points = seen(expression(), identity)
    given, fitted = (
        fit_face(points, CAMERA, AVERAGE),
        fit_face(points, CAMERA, average_identity()),
    )
    assert given is not None
    assert fitted is not None
    assert fitted.precision is not None
    assert given.precision is None
    truth = BASIS.neutral + np.tensordot(identity, BASIS.identity, 1)
    apart = [np.linalg.norm(fit.shape - truth, axis=1).mean() for fit in (given, fitted)]
    assert apart[1] < 0.6 * apart[0]
    assert np.linalg.eigvalsh(fitted.precision).min() > -1e-6


def test_expressions_stay_within_0_and_1() -> None:
    too_much = 3 * expression(jawOpen=1.0, browInnerUp_L=1.0) - expression(mouthSmile_L=1.0)
    fit = fit_face(seen(too_much), CAMERA, AVERAGE)
    assert fit is not None
    assert fit.expression.min() >= 0
    assert fit.expression.max() <= 1


def test_a_few_wrong_landmarks_have_little_effect() -> None:
    points = seen(expression(jawOpen=0.5))
    right = fit_face(points, CAMERA, AVERAGE)
    points.xy_px[[36, 45, 48, 8]] += (50, -40)
    wrong = fit_face(points, CAMERA, AVERAGE)
    assert right is not None
    assert wrong is not None
    turned = right.rotation.T @ wrong.rotation
    assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 2.5


def test_too_few_landmarks_or_one_place_give_no_fit() -> None:
    points = seen(expression())
    points.xy_px[FEWEST - 1 :] = np.nan
    assert fit_face(points, CAMERA, AVERAGE) is None
    dot = Landmarks(np.full((68, 2), 7, np.float32), np.ones(68, np.float32))
    assert fit_face(dot, CAMERA, AVERAGE) is None
    assert fit_face(Landmarks(dot.xy_px[:5], dot.score[:5]), CAMERA, AVERAGE) is None


def test_arkits_names_are_complete_and_those_without_a_sign_in_landmarks_are_told() -> None:
    assert len(SHAPES) == len(set(SHAPES)) == 52
    assert SHAPES[0] == "eyeBlinkLeft"
    assert SHAPES[-1] == "tongueOut"
    assert set(unseen_shapes()) == {"tongueOut", "cheekPuff"}
    assert "jawOpen" not in unseen_shapes()


def test_weak_expressions_are_in_the_dead_zone_and_full_ones_are_1() -> None:
    shapes = dict(zip(SHAPES, arkit_shapes(expression(jawOpen=0.02, mouthPucker=1.0)), strict=True))
    assert shapes["jawOpen"] == 0
    assert shapes["mouthPucker"] == 1
    both = arkit_shapes(expression(browInnerUp_L=1.0, browInnerUp_R=1.0))
    assert both[SHAPES.index("browInnerUp")] == pytest.approx(1)
