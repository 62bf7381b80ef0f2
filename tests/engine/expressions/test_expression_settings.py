"""Gain, dead zone, curve and mirroring of expressions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import HeadPose, Intrinsics
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    ExpressionSettings,
    ShapeSettings,
    apply_expression_settings,
    mirrored_pose,
)

CAMERA = Intrinsics(640, 480)


def _strengths(**known: float) -> list[float]:
    return [known.get(name, 0.0) for name in SHAPES]


def test_default_settings_change_nothing() -> None:
    strengths = np.random.default_rng(0).uniform(0, 1, len(SHAPES))
    np.testing.assert_array_equal(apply_expression_settings(strengths, AS_MEASURED), strengths)


def test_dead_zone_then_curve_then_gain() -> None:
    settings = AS_MEASURED.with_shape("jawOpen", ShapeSettings(1.5, 0.2, 2.0))
    jaw = SHAPES.index("jawOpen")
    for strength, wanted in ((0.2, 0.0), (0.6, 1.5 * 0.5**2), (1.0, 1.0), (0.1, 0.0)):
        applied = apply_expression_settings(_strengths(jawOpen=strength), settings)
        assert applied[jaw] == pytest.approx(wanted)


def test_an_unknown_strength_stays_unknown() -> None:
    settings = ExpressionSettings((ShapeSettings(2.0, 0.1, 0.5),) * len(SHAPES))
    applied = apply_expression_settings(_strengths(eyeBlinkLeft=math.nan), settings)
    assert [name for name, value in zip(SHAPES, applied, strict=True) if np.isnan(value)] == [
        "eyeBlinkLeft"
    ]


def test_mirroring_exchanges_left_and_right_after_the_settings_of_the_person() -> None:
    settings = ExpressionSettings(mirrored=True).with_shape("eyeBlinkLeft", ShapeSettings(0.5))
    strengths = _strengths(eyeBlinkLeft=0.8, eyeBlinkRight=0.3, jawLeft=0.6, jawOpen=0.9)
    applied = dict(zip(SHAPES, apply_expression_settings(strengths, settings), strict=True))
    shown = {name: value for name, value in applied.items() if value}
    assert shown == pytest.approx(
        {"eyeBlinkRight": 0.4, "eyeBlinkLeft": 0.3, "jawRight": 0.6, "jawOpen": 0.9}
    )


def test_a_mirrored_pose_projects_to_the_mirrored_picture() -> None:
    pose = HeadPose((40.0, -30.0, 600.0), (0.2, -0.5, 0.3), CAMERA)
    points = np.random.default_rng(1).normal(0, 60, (20, 3))
    mirrored = mirrored_pose(pose).project(points * (-1, 1, 1))
    wanted = pose.project(points) * (-1, 1) + (CAMERA.width - 1, 0)
    np.testing.assert_allclose(mirrored, wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("field", "value"),
    [("gain", math.nan), ("gain", 5.1), ("dead_zone", -0.1), ("dead_zone", 1.0), ("curve", 0.0)],
)
def test_a_value_outside_its_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"a shape's {field} must be from"):
        ShapeSettings(**{field: value})
