"""The attributes `pupils` and `gaze`: values, tables, changed landmarks, and drawing."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import steadymark as sm
from steadymark.engine.attributes.attribute_registry import (
    ATTRIBUTES,
    attribute_slices,
    attributes_of,
    drawn_attributes,
    with_points,
)
from steadymark.engine.attributes.attribute_rows import attributes_of_rows, rows_of_table
from steadymark.engine.attributes.gaze_attribute import ANGLES, VECTORS
from steadymark.engine.core.gaze import GAZE, GazeCalibration
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import (
    FaceAttributes,
    FaceBox,
    FaceState,
    FrameTime,
    Landmarks,
    TrackedFace,
    TrackResult,
)
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import IBUG68, load_schema
from support.fakes.fake_results import source_info
from support.gazing_faces import (
    CAMERA,
    context_of,
    head_gaze,
    landmarks_at,
    pose_at,
    pupils_at,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.output.csv.landmark_table import LandmarkTable

POSE = pose_at(10.0)
POINTS = landmarks_at(POSE)
CALIBRATION = GazeCalibration("Anna", (1.0, 1.0), ((4.0, -3.0), (4.0, -3.0)))


def looking(left_deg: float, down_deg: float) -> Pupils:
    """Pupils of the average face."""
    return pupils_at(POSE, head_gaze(POSE, left_deg, down_deg))


def face_with(pupils: Pupils | None, calibration: GazeCalibration | None = None) -> TrackedFace:
    """A tracked average face."""
    context = replace(context_of(pupils), gaze_calibration=calibration)
    return TrackedFace(
        0,
        FaceState.DETECTED,
        0.9,
        FaceBox(200, 150, 200, 200, 0.9),
        POINTS,
        POINTS,
        attributes=attributes_of(POINTS, context),
    )


def values_of(face: TrackedFace, name: str) -> tuple[float, ...]:
    """The values of an attribute, all NaN if it is unknown."""
    assert face.attributes is not None
    return face.attributes.values.get(name, (math.nan,) * 8)


def written(path: Path, face: TrackedFace, settings: dict[str, object]) -> LandmarkTable:
    """Write a table of three frames with a face, and read it."""
    sink = NativeCsvSink(path, Header(settings=settings), load_schema(IBUG68))
    sink.open(source_info(size=(640, 480)))
    for index in range(3):
        sink.write(TrackResult(FrameTime(index, index / 25), (face,)))
    sink.close(complete=True)
    return read_landmarks(path)


def test_looking_to_the_right_of_the_picture_and_down_makes_both_angles_larger() -> None:
    ahead = values_of(face_with(looking(0, 0)), "gaze")
    right = values_of(face_with(looking(15, 0)), "gaze")
    down = values_of(face_with(looking(0, 15)), "gaze")
    assert np.degrees(right[6] - ahead[6]) == pytest.approx(15, abs=3)
    assert np.degrees(down[7] - ahead[7]) == pytest.approx(15, abs=3)
    for values in (ahead, right, down):
        assert np.linalg.norm(values[:3]) == pytest.approx(1)
        assert np.linalg.norm(values[3:6]) == pytest.approx(1)
        assert values[2] < 0
        assert values[5] < 0


@pytest.mark.parametrize(
    ("angles_deg", "lines"),
    [
        ((5.2, 0.7), ["5.2° to the right of the picture", "0.7° downwards"]),
        ((-5.2, -0.7), ["5.2° to the left of the picture", "0.7° upwards"]),
    ],
)
def test_the_readout_names_the_side_to_which_the_eyes_look(
    angles_deg: tuple[float, float], lines: list[str]
) -> None:
    gaze = ATTRIBUTES.find(GAZE)
    (readout,) = gaze.shown
    values = (*(0.0,) * len(VECTORS), *map(math.radians, angles_deg))
    assert [str(line) for line in readout.lines(values)] == lines


def test_gaze_is_unknown_without_pupils_and_that_of_one_eye_gives_the_angles() -> None:
    assert "gaze" not in (attributes_of(POINTS, context_of(None)).values)
    nothing = Pupils(np.full((2, 2), np.nan), np.zeros(2))
    closed = face_with(nothing)
    assert values_of(closed, "pupils")[2::3] == (0.0, 0.0)
    assert np.isnan(values_of(closed, "gaze")).all()
    one = looking(12, -8)
    one = Pupils(one.xy_px * [[1.0], [np.nan]], one.score)
    values = values_of(face_with(one), "gaze")
    assert np.isfinite(values[:3]).all()
    assert np.isnan(values[3:6]).all()
    assert values[6] == pytest.approx(math.atan2(values[0], -values[2]))
    assert values[7] == pytest.approx(math.atan2(values[1], -values[2]))


def test_a_calibration_moves_the_gaze_relative_to_the_head() -> None:
    plain = face_with(looking(0, 0)).attributes
    corrected = face_with(looking(0, 0), CALIBRATION).attributes
    assert plain is not None
    assert corrected is not None
    assert plain.context.gaze is not None
    assert corrected.context.gaze is not None
    moved = corrected.context.gaze.head_directions - plain.context.gaze.head_directions
    assert moved[:, 0] == pytest.approx([math.radians(4)] * 2, abs=0.005)
    assert moved[:, 1] == pytest.approx([-math.radians(3)] * 2, abs=0.005)


def test_a_table_holds_pupils_and_gaze_and_changed_landmarks_keep_the_pupils(
    tmp_path: Path,
) -> None:
    face = face_with(looking(15, -10))
    table = written(tmp_path / "a.csv", face, {"stabilizer": "none"})
    slices = attribute_slices()
    assert table.attributes[1, slices["pupils"]] == pytest.approx(
        values_of(face, "pupils"), abs=1e-3
    )
    assert table.attributes[1, slices["gaze"]] == pytest.approx(values_of(face, "gaze"), abs=1e-4)
    tracked = rows_of_table(table, IBUG68, CAMERA)
    again = attributes_of_rows(tracked, table.xy_px)
    assert again[:, slices["pupils"]] == pytest.approx(table.attributes[:, slices["pupils"]])
    # The table does not hold the identity, which is learned again.
    assert again[2, slices["gaze"]] == pytest.approx(values_of(face, "gaze"), abs=0.05)
    moved = attributes_of_rows(tracked, table.xy_px + np.array([2, 0], np.float32))
    assert moved[2, slices["gaze"]][6] < again[2, slices["gaze"]][6] - 0.05


def test_changed_landmarks_keep_the_calibration_that_the_header_names(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.csv", face_with(looking(0, 0)), {})
    settings: dict[str, object] = {"gaze_calibration": asdict(CALIBRATION)}
    corrected = written(tmp_path / "b.csv", face_with(looking(0, 0), CALIBRATION), settings)
    angles = [
        attributes_of_rows(rows_of_table(t, IBUG68, CAMERA), t.xy_px)[0, attribute_slices()["gaze"]]
        for t in (plain, corrected)
    ]
    assert np.degrees(angles[1] - angles[0])[6:] == pytest.approx([4, -3], abs=0.5)


def test_a_face_with_other_landmarks_keeps_its_pupils() -> None:
    face = face_with(looking(0, 0))
    moved = with_points(face, Landmarks(POINTS.xy_px + np.array([2, 0], np.float32), POINTS.score))
    assert values_of(moved, "pupils") == values_of(face, "pupils")
    assert values_of(moved, "gaze")[6] < values_of(face, "gaze")[6] - 0.05


def test_a_table_without_the_columns_still_opens_and_has_no_gaze(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    written(path, face_with(looking(5, 5)), {})
    lines = path.read_text().splitlines()
    names = lines[2].split(",")
    kept = [i for i, name in enumerate(names) if not name.startswith(("pupil_", "gaze_"))]
    cells = [line.split(",") for line in lines[2:]]
    rows = [",".join(row[i] for i in kept) for row in cells]
    path.write_text("\n".join([*lines[:2], *rows]) + "\n")
    table = read_landmarks(path)
    assert len(kept) == len(names) - 14
    assert np.isnan(table.attributes[:, attribute_slices()["gaze"]]).all()
    again = attributes_of_rows(rows_of_table(table, IBUG68, CAMERA), table.xy_px)
    assert np.isnan(again[:, attribute_slices()["gaze"]]).all()
    assert np.isfinite(again[:, attribute_slices()["head_pose"]]).all()


def test_tables_for_openface_have_its_columns_of_gaze_and_none_of_pupils(tmp_path: Path) -> None:
    sink = OpenFaceCsvSink(tmp_path / "o.csv", load_schema(IBUG68))
    sink.open(source_info(size=(640, 480)))
    face = face_with(looking(15, -10))
    sink.write(TrackResult(FrameTime(0, 0.0), (face,)))
    sink.close(complete=True)
    lines = (tmp_path / "o.csv").read_text().splitlines()
    names = [name.strip() for name in lines[0].split(",")]
    row = dict(zip(names, lines[1].split(","), strict=True))
    for name, value in zip((*VECTORS, *ANGLES), values_of(face, "gaze"), strict=True):
        assert float(row[name]) == pytest.approx(value, abs=1e-3)
    assert not [name for name in names if name.startswith("pupil_")]


def test_arrows_begin_at_the_pupils_and_point_along_the_gaze() -> None:
    pupils = looking(20, 0)
    shapes = [*drawn_attributes(face_with(pupils), ("gaze",))]
    assert len(shapes) == 1
    assert len(shapes[0]) == 2
    for eye, line in enumerate(shapes[0]):
        points = line.xy_px  # type: ignore[union-attr]
        assert points[0] == pytest.approx(pupils.xy_px[eye])
        along = points[1] - points[0]
        assert along[0] > 10
        assert abs(along[1]) < 0.5 * along[0]
        assert np.linalg.norm(points[2] - points[1]) == pytest.approx(0.25 * np.linalg.norm(along))
    one = Pupils(pupils.xy_px * [[1.0], [np.nan]], pupils.score)
    assert len(next(drawn_attributes(face_with(one), ("gaze",)))) == 1


def test_smoothing_a_table_of_openface_keeps_its_gaze(tmp_path: Path) -> None:
    face = face_with(looking(8, 3))
    sink = OpenFaceCsvSink(tmp_path / "a.csv", load_schema(IBUG68))
    sink.open(source_info(size=(640, 480)))
    for index in range(3):
        sink.write(TrackResult(FrameTime(index, index / 25), (face,)))
    sink.close(complete=True)
    before = sm.read_csv(tmp_path / "a.csv", image_size=(640, 480))
    smoothed = before.smooth("one-euro")
    assert np.isfinite(before.attribute("gaze")).all()
    np.testing.assert_array_equal(smoothed.attribute("gaze"), before.attribute("gaze"))
    assert np.isfinite(smoothed.head_poses).all()
    assert face.attributes is not None
    read = replace(face, attributes=FaceAttributes(context_of(None), face.attributes.values))
    moved = with_points(read, Landmarks(POINTS.xy_px + 1, POINTS.score))
    assert values_of(moved, "gaze") == values_of(face, "gaze")


@pytest.mark.parametrize(
    "settings", [{}, {"gaze_calibration": {"name": "Anna", "gain": ["x", 1]}}], ids=["lost", "bad"]
)
def test_gaze_stays_as_tracked_if_its_calibration_is_unknown(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    table = written(tmp_path / "a.csv", face_with(looking(8, 3), CALIBRATION), settings)
    part = attribute_slices()
    again = attributes_of_rows(rows_of_table(table, IBUG68, CAMERA), table.xy_px)
    for name in ("gaze", "pupils"):
        assert np.isfinite(table.attributes[:, part[name]]).all()
        np.testing.assert_array_equal(again[:, part[name]], table.attributes[:, part[name]])
