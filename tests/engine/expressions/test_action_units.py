"""Action units follow from the expressions of the fitted face, and unknown ones are NaN."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, attributes_of
from steadymark.engine.core.fitted_face import FaceFit
from steadymark.engine.core.types import FaceContext, HeadPose, Intrinsics, Landmarks
from steadymark.engine.expressions.action_units import (
    INTENSITIES,
    PRESENCES,
    UNITS,
    unit_intensities,
    values_of_units,
)
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.face3d.face_basis import face_basis

BASIS = face_basis()
CAMERA = Intrinsics(640, 480)
AVERAGE = np.zeros(len(BASIS.identity))


def units_of(**strengths: float) -> dict[str, float]:
    """Return the values of all columns for an expression of the model."""
    expression = np.array([strengths.get(name, 0.0) for name in BASIS.names])
    shape = BASIS.neutral + np.tensordot(expression, BASIS.expressions, 1)
    fit = FaceFit(np.eye(3), np.array([0, 0, 600.0]), AVERAGE, expression, shape)
    values = values_of_units(fit)
    return dict(zip((*INTENSITIES, *PRESENCES), values.tolist(), strict=True))


def test_the_columns_are_those_of_openface() -> None:
    numbers = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
    assert [f"AU{n:02}_r" for n in numbers] == list(INTENSITIES)
    assert sorted([*(f"AU{n:02}_c" for n in numbers), "AU28_c"]) == list(PRESENCES)


def test_a_face_at_rest_has_no_unit() -> None:
    assert set(units_of().values()) == {0.0}


@pytest.mark.parametrize(
    ("strengths", "unit"),
    [
        ({"browInnerUp_L": 1.0, "browInnerUp_R": 1.0}, "AU01"),
        ({"browOuterUp_L": 1.0, "browOuterUp_R": 1.0}, "AU02"),
        ({"browDown_L": 1.0, "browDown_R": 1.0}, "AU04"),
        ({"mouthSmile_L": 1.0, "mouthSmile_R": 1.0}, "AU12"),
        ({"mouthStretch_L": 1.0, "mouthStretch_R": 1.0}, "AU20"),
        ({"eyeBlink_L": 1.0, "eyeBlink_R": 1.0}, "AU45"),
    ],
)
def test_a_full_shape_is_the_full_intensity_of_its_unit_alone(
    strengths: dict[str, float], unit: str
) -> None:
    values = units_of(**strengths)
    assert values[f"{unit}_r"] == pytest.approx(5)
    assert [name for name in PRESENCES if values[name]] == [f"{unit}_c"]


def test_an_open_jaw_parts_the_lips_unless_they_are_closed_over_it() -> None:
    opened, closed = units_of(jawOpen=0.6), units_of(jawOpen=0.6, mouthClose=0.5)
    assert (opened["AU26_c"], opened["AU25_c"]) == (1, 1)
    assert (closed["AU26_c"], closed["AU25_c"]) == (1, 0)
    assert units_of(mouthLowerDown_L=1, mouthLowerDown_R=1)["AU25_c"] == 1


def test_a_unit_of_one_side_has_half_the_intensity() -> None:
    assert units_of(mouthSmile_L=1.0)["AU12_r"] == pytest.approx(2.5)


def test_a_unit_whose_shapes_are_unknown_is_nan_and_one_known_side_is_enough() -> None:
    shapes = np.zeros(len(SHAPES))
    shapes[[SHAPES.index("mouthSmileLeft"), SHAPES.index("browInnerUp")]] = 0.8, np.nan
    shapes[SHAPES.index("mouthSmileRight")] = np.nan
    names = [unit.name for unit in UNITS]
    found = dict(zip(names, unit_intensities(shapes, 0.0).tolist(), strict=True))
    assert found["AU12"] == pytest.approx(4)
    assert np.isnan(found.pop("AU01"))
    assert np.isfinite(list(found.values())).all()


def test_the_attribute_finds_a_smile_and_knows_nothing_without_a_fit() -> None:
    move = sum(BASIS.expressions[BASIS.names.index(f"mouthSmile_{side}")] for side in "LR")
    xy = HeadPose((0.0, 0.0, 600.0), (0.0, 0.2, 0.0), CAMERA).project(BASIS.neutral + 0.8 * move)
    smiling = Landmarks(xy.astype(np.float32), np.ones(68, np.float32))
    context = FaceContext("ibug68", CAMERA, identity=AVERAGE)
    values = attributes_of(smiling, context).values["action_units"]
    attribute = ATTRIBUTES.find("action_units")
    assert values[attribute.place("AU12_r")] > 3
    (line, *_) = attribute.readouts[0].lines(values)
    assert line.startswith("AU12 lip corner puller")
    without_camera = attributes_of(smiling, FaceContext("ibug68"))
    assert "action_units" not in without_camera.values
    nobody = [str(text) for text in attribute.readouts[0].lines((0.0,) * len(values))]
    assert nobody == ["no action unit"]
