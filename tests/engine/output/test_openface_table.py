"""The table with OpenFace's columns is what scripts for OpenFace expect, and theirs are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from steadymark.engine.attributes.attribute_registry import (
    attribute_columns,
    attribute_slices,
    attributes_from,
    vector_of,
)
from steadymark.engine.attributes.attribute_rows import rows_of_table
from steadymark.engine.attributes.face_attribute import AttributeColumn
from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.output.csv import columns
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.columns import openface_columns
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText
from support.fakes.fake_results import (
    face_points,
    moving_results,
    source_info,
    track_result,
    tracked_face,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steadymark.engine.core.types import TrackedFace, TrackResult

UNITS = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45]
PRESENT = sorted([*UNITS, 28])


def numbered(prefix: str, count: int) -> list[str]:
    return [f"{prefix}_{i}" for i in range(count)]


# The columns of OpenFace 2.2's FeatureExtraction, in its order.
FIRST = ["frame", "face_id", "timestamp", "confidence", "success"]
GAZE = [f"gaze_{eye}_{axis}" for eye in "01" for axis in "xyz"] + ["gaze_angle_x", "gaze_angle_y"]
EYES = [name for axis in "xyXYZ" for name in numbered(f"eye_lmk_{axis}", 56)]
POSE = [f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz"]
LANDMARKS = [name for axis in "xyXYZ" for name in numbered(axis, 68)]
RIGID = ["p_scale", "p_rx", "p_ry", "p_rz", "p_tx", "p_ty"]
SHAPE = numbered("p", 34)
AUS = [f"AU{n:02}_r" for n in UNITS] + [f"AU{n:02}_c" for n in PRESENT]
OPENFACE = FIRST + GAZE + EYES + POSE + LANDMARKS + RIGID + SHAPE + AUS


def written(path: Path, results: Sequence[TrackResult]) -> Path:
    sink = OpenFaceCsvSink(path, load_schema("ibug68"))
    sink.open(source_info())
    for result in results:
        sink.write(result)
    sink.close(complete=True)
    return path


def script_table(path: Path) -> pd.DataFrame:
    """Read a table as scripts for OpenFace do."""
    return pd.read_csv(path, skipinitialspace=True)


def test_the_columns_are_openfaces_in_its_order() -> None:
    found = list(openface_columns(68))
    assert found == [name for name in OPENFACE if name in found]
    assert set(OPENFACE) - set(found) <= {*GAZE, *EYES, *SHAPE}
    assert not {*EYES, *SHAPE}.intersection(found)


def test_columns_of_attributes_take_their_place_and_those_of_plug_ins_come_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ["AU01_r", "mood", "pose_Tx", *reversed(GAZE)]
    declared = tuple(AttributeColumn(n, UserText("x"), openface_decimals=1) for n in names)
    hidden = AttributeColumn("eyeBlinkLeft", UserText("x"))
    monkeypatch.setattr(columns, "attribute_columns", lambda: (*declared, hidden))
    found = list(openface_columns(68))
    assert found == [*FIRST, *GAZE, "pose_Tx", *LANDMARKS, *RIGID, "AU01_r", "mood"]


def test_a_script_for_openface_reads_the_table(tmp_path: Path) -> None:
    results = moving_results(9)
    table = script_table(written(tmp_path / "a.csv", results))
    assert list(table.columns) == list(openface_columns(68))
    good = table[(table["success"] == 1) & (table["confidence"] >= 0.8)]
    faces = [face for result in results for face in result.faces if face.stabilized is not None]
    assert len(good) == len(faces)
    assert good[["AU12_r", "X_30", "Z_30", "p_scale"]].notna().all().all()
    assert good["AU12_r"].between(0, 5).all()
    assert set(good["AU45_c"]) <= {0.0, 1.0}
    lost = table[table["success"] == 0]
    assert (lost["confidence"] == 0).all()
    assert lost[["AU12_r", "AU12_c", "X_30", "p_rx"]].isna().all().all()


def test_numbers_have_the_decimals_of_openface(tmp_path: Path) -> None:
    head, row, *_ = written(tmp_path / "a.csv", moving_results(1)).read_text().splitlines()
    fields = dict(zip(head.split(", "), row.split(", "), strict=True))
    shown = ("pose_Tx", "pose_Rx", "x_0", "X_0", "Z_67", "p_scale", "p_ty", "AU12_r", "AU12_c")
    assert [len(fields[name].partition(".")[2]) for name in shown] == [1, 3, 1, 1, 1, 3, 3, 2, 1]


def test_the_3d_landmarks_project_onto_the_landmarks(tmp_path: Path) -> None:
    (row, *_) = script_table(written(tmp_path / "a.csv", moving_results(1))).itertuples()
    x, y, big_x, big_y, z = (
        np.array([getattr(row, name) for name in numbered(axis, 68)]) for axis in "xyXYZ"
    )
    focal = 125.0  # OpenFace's estimate for 160 × 120
    error = np.hypot(big_x / z * focal + 79.5 - x, big_y / z * focal + 59.5 - y)
    assert error.mean() < 0.03 * np.ptp(x)
    position = [row.pose_Tx, row.pose_Ty, row.pose_Tz]
    assert np.mean((big_x, big_y, z), axis=1) == pytest.approx(position, abs=12)


def test_the_rigid_parameters_are_a_weak_perspective_of_the_3d_landmarks(tmp_path: Path) -> None:
    (row, *_) = script_table(written(tmp_path / "a.csv", moving_results(1))).itertuples()
    points = np.array([[getattr(row, f"{axis}_{i}") for axis in "XYZ"] for i in range(68)])
    turn = rotation_matrix((row.pose_Rx, row.pose_Ry, row.pose_Rz))
    shape = (points - [row.pose_Tx, row.pose_Ty, row.pose_Tz]) @ turn  # in the face's axes
    weak = rotation_matrix((row.p_rx, row.p_ry, row.p_rz))[:2]
    xy = row.p_scale * shape @ weak.T + [row.p_tx, row.p_ty]
    seen = np.array([[getattr(row, f"{axis}_{i}") for axis in "xy"] for i in range(68)])
    assert np.linalg.norm(xy - seen, axis=1).mean() < 0.04 * np.ptp(seen[:, 0])
    eyes = np.linalg.norm(shape[36] - shape[45])
    assert row.p_scale == pytest.approx(np.linalg.norm(seen[36] - seen[45]) / eyes, rel=0.05)


def test_a_table_that_is_written_after_tracking_has_the_same_3d_landmarks(tmp_path: Path) -> None:
    def kept(face: TrackedFace) -> TrackedFace:
        """Return the face as results keep it: without the fit, but with the identity."""
        if face.attributes is None:
            return face
        context = replace(face.attributes.context, fit=None)
        return replace(face, attributes=attributes_from(vector_of(face.attributes), context))

    results = moving_results(5)
    later = [replace(result, faces=tuple(map(kept, result.faces))) for result in results]
    live = written(tmp_path / "a.csv", results)
    assert live.read_bytes() == written(tmp_path / "b.csv", later).read_bytes()


def test_a_face_without_a_camera_has_no_3d_landmarks(tmp_path: Path) -> None:
    face = tracked_face()
    assert face.attributes is not None
    unknown = replace(face.attributes.context, camera=None, fit=None)
    (result, *_) = moving_results(1)
    nowhere = replace(
        face, attributes=attributes_from([np.nan] * len(attribute_columns()), unknown)
    )
    table = script_table(written(tmp_path / "a.csv", [replace(result, faces=(nowhere,))]))
    assert table[[*LANDMARKS[136:], *RIGID, *AUS]].isna().all().all()
    assert table["x_30"].notna().all()


def real_file(path: Path, names: Sequence[str]) -> Path:
    """Write a file as OpenFace does, with some of its columns; the second row has no face."""
    xy = face_points()
    known = {f"{axis}_{i}": xy[i, k] for k, axis in enumerate("xy") for i in range(68)}
    known |= {"frame": 1, "confidence": 0.98, "success": 1, "AU12_r": 2.5, "pose_Tz": 512.3}
    rows = [known, {"frame": 2, "timestamp": 0.033}]
    text = "\n".join(", ".join(f"{row.get(name, 0):g}" for name in names) for row in rows)
    path.write_text(", ".join(names) + "\n" + text + "\n", newline="\r\n")
    return path


@pytest.mark.parametrize(
    "left_out",
    [
        [],
        [*GAZE, *EYES],  # without -gaze
        [*POSE, *RIGID, *SHAPE, *LANDMARKS[136:]],  # -2Dfp -gaze -aus
        AUS,
        ["AU28_c", "AU45_r", "gaze_angle_x", "pose_Rz"],  # other versions
    ],
)
def test_files_of_openface_are_read_and_checked(tmp_path: Path, left_out: list[str]) -> None:
    names = [name for name in OPENFACE if name not in left_out]
    path = real_file(tmp_path / "of.csv", names)
    assert check_csv(path) == ()
    table = read_landmarks(path)
    assert table.state.tolist() == ["tracked", "lost"]
    assert table.xy_px[0] == pytest.approx(face_points(), abs=1e-3)
    smile = table.attributes[:, attribute_slices()["action_units"]][:, UNITS.index(12)]
    assert np.array_equal(smile, [np.nan if "AU12_r" in left_out else 2.5, np.nan], equal_nan=True)


def test_a_table_is_read_back_with_its_action_units(tmp_path: Path) -> None:
    results = moving_results(5)
    table = read_landmarks(written(tmp_path / "a.csv", results))
    assert check_csv(tmp_path / "a.csv") == ()
    units = attribute_slices()["action_units"]
    (face,) = results[0].faces
    assert table.attributes[0, units] == pytest.approx(vector_of(face.attributes)[units], abs=6e-3)


def test_the_identity_of_a_person_is_learned_from_a_table_without_raw_landmarks(
    tmp_path: Path,
) -> None:
    results = [track_result(i, tracked_face(), pts_s=i / 2) for i in range(3)]
    table = read_landmarks(written(tmp_path / "a.csv", results))
    assert np.isnan(table.raw_xy_px).all()
    first, second, third = rows_of_table(table, "ibug68", Intrinsics(160, 120)).identities
    alone = rows_of_table(table.select(table.frame == 0), "ibug68", Intrinsics(160, 120)).identities
    assert first is not None
    assert alone[0] is not None
    assert first is second
    assert second is third
    assert not np.array_equal(first, alone[0])  # learned from all rows, not from each alone
