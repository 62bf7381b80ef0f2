"""Shapes of the side of a face that the camera does not see are unknown."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, attributes_of
from steadymark.engine.core.types import FaceContext, HeadPose, Intrinsics, Landmarks
from steadymark.engine.expressions.action_units import INTENSITIES
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.hidden_side import HIDDEN_FROM_DEG, seen_from_deg
from steadymark.engine.face3d.face_basis import face_basis

BASIS = face_basis()
CAMERA = Intrinsics(640, 480)
AVERAGE = np.zeros(len(BASIS.identity))


def context_of(*, yaw_deg: float, x_mm: float = 0.0) -> tuple[Landmarks, FaceContext]:
    """Return landmarks of a smiling face, and what they are fitted with."""
    pose = HeadPose((x_mm, 0.0, 600.0), (0.0, np.radians(yaw_deg), 0.0), CAMERA)
    move = sum(BASIS.expressions[BASIS.names.index(f"mouthSmile_{side}")] for side in "LR")
    xy = pose.project(BASIS.neutral + 0.8 * move).astype(np.float32)
    return Landmarks(xy, np.ones(68, np.float32)), FaceContext("ibug68", CAMERA, identity=AVERAGE)


def values_of(yaw_deg: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return the strengths of the shapes and the intensities of the units, by name."""
    values = attributes_of(*context_of(yaw_deg=yaw_deg)).values
    shapes, units = values["expressions"], values["action_units"]
    return dict(zip(SHAPES, shapes, strict=True)), dict(zip(INTENSITIES, units, strict=False))


@pytest.mark.parametrize("yaw_deg", [-HIDDEN_FROM_DEG + 5, 0.0, HIDDEN_FROM_DEG - 5])
def test_both_sides_of_a_face_that_is_turned_little_are_known(yaw_deg: float) -> None:
    shapes, units = values_of(yaw_deg)
    assert np.isfinite([shapes["mouthSmileLeft"], shapes["mouthSmileRight"]]).all()
    assert units["AU12_r"] > 3


@pytest.mark.parametrize(("yaw_deg", "far"), [(70.0, "Right"), (-70.0, "Left")])
def test_the_far_side_of_a_turned_face_is_unknown(yaw_deg: float, far: str) -> None:
    shapes, units = values_of(yaw_deg)
    unknown = {name for name, value in shapes.items() if np.isnan(value)}
    turned = {f"{part}{far}" for part in ("jaw", "mouth")}  # of the whole face
    assert {name for name in SHAPES if name.endswith(far)} - turned <= unknown
    assert shapes["mouthSmileLeft" if far == "Right" else "mouthSmileRight"] > 0.6
    assert shapes["jawOpen"] < 0.1
    assert units["AU12_r"] > 3  # from the near side
    assert np.isfinite(list(units.values())).all()


def test_a_face_at_the_edge_of_the_picture_is_seen_from_the_side() -> None:
    for x_mm, sign in ((-300.0, 1), (300.0, -1)):
        made = attributes_of(*context_of(yaw_deg=0, x_mm=x_mm))
        assert made.context.fit is not None
        expected = sign * np.degrees(np.arctan2(300, 600))
        assert seen_from_deg(made.context.fit) == pytest.approx(expected, abs=2)


def test_the_window_names_the_strongest_of_the_known_shapes_and_units() -> None:
    values = attributes_of(*context_of(yaw_deg=70)).values
    shapes = ATTRIBUTES.find("expressions").readouts[0].lines(values["expressions"])
    assert shapes[0].startswith("mouthSmileLeft")
    assert not any("Right" in line or "nan" in line for line in shapes)
    (unit, *_) = ATTRIBUTES.find("action_units").readouts[0].lines(values["action_units"])
    assert unit.startswith("AU12")
