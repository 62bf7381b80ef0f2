"""Written tables are read back unchanged, and invalid files are reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.csv.columns import native_columns
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import TrackedFace, TrackResult

RESULTS = moving_results(13)
HEADER = Header({"steadymark": "0.1"}, {"lite": "ab"}, {"smooth": 0.3}, "Straße \udce9.mp4", "cd")
ATTRIBUTE_NAMES = {column.name for column in attribute_columns()}
K2 = ",".join(name for name in native_columns(2) if name not in ATTRIBUTE_NAMES)  # as of old
K2 = f"# steadymark-csv 1\n# {{}}\n{K2}\n"
ROW = "0,0,0.000000,tracked,0.9,1,2,3,4,10,20,11,21,10,20,11,21,0.5,0.6\n"


def write_and_read(sink: Sink) -> LandmarkTable:
    sink.open(source_info())
    for result in RESULTS:
        sink.write(result)
    sink.close(complete=True)
    return read_landmarks(sink.path)


def expected_rows() -> list[tuple[TrackResult, TrackedFace | None]]:
    """Return frames and faces in the order of the file."""
    found: list[tuple[TrackResult, TrackedFace | None]] = []
    for result in RESULTS:
        found += [(result, face) for face in sorted(result.faces, key=lambda f: f.face_id)]
        found += [] if result.faces else [(result, None)]
    return found


def test_a_native_file_reads_back_as_written(tmp_path: Path) -> None:
    table = write_and_read(NativeCsvSink(tmp_path / "a.csv", HEADER, load_schema("ibug68")))
    assert len(table) == len(expected_rows())
    for i, (result, face) in enumerate(expected_rows()):
        assert table.frame[i] == result.frame.index
        assert table.timestamp_s[i] == pytest.approx(result.frame.pts_s, abs=5e-7)
        assert table.face_id[i] == (-1 if face is None else face.face_id)
        assert table.state[i] == ("lost" if face is None else face.state)
        if face is None or face.stabilized is None or face.raw is None or face.box is None:
            values = (table.score[i], table.box[i], table.xy_px[i], table.raw_xy_px[i])
            assert np.isnan(table.pose[i]).all()
            assert all(np.isnan(value).all() for value in values)
            assert np.isnan(table.point_score[i]).all()
            continue
        box = (face.box.left, face.box.top, face.box.width, face.box.height)
        np.testing.assert_allclose(table.box[i], box, atol=6e-4)
        np.testing.assert_allclose(table.xy_px[i], face.stabilized.xy_px, atol=6e-4)
        np.testing.assert_allclose(table.raw_xy_px[i], face.raw.xy_px, atol=6e-4)
        np.testing.assert_allclose(table.point_score[i], face.raw.score, atol=6e-5)
        assert face.pose is not None
        np.testing.assert_allclose(table.pose[i, :3], face.pose.position_mm, atol=6e-3)
        np.testing.assert_allclose(table.pose[i, 3:], face.pose.rotation_rad, atol=6e-6)
        assert table.score[i] == pytest.approx(face.score, abs=6e-5)


def test_the_header_reads_back(tmp_path: Path) -> None:
    table = write_and_read(NativeCsvSink(tmp_path / "a.csv", HEADER, load_schema("ibug68")))
    assert table.style == "native"
    assert table.header == json.loads(HEADER.line(load_schema("ibug68")))
    assert table.header["source"] == {"name": "Straße \udce9.mp4", "sha256": "cd"}


def test_an_openface_file_reads_back_as_written(tmp_path: Path) -> None:
    table = write_and_read(OpenFaceCsvSink(tmp_path / "a.csv", load_schema("ibug68")))
    assert (table.style, table.header) == ("openface", {})
    for i, (result, face) in enumerate(expected_rows()):
        assert table.frame[i] == result.frame.index
        assert table.timestamp_s[i] == pytest.approx(result.frame.pts_s, abs=6e-4)
        assert table.face_id[i] == (0 if face is None else face.face_id)
        if face is None or face.stabilized is None:
            assert table.state[i] == "lost"
            assert np.isnan(table.xy_px[i]).all()
        else:
            assert table.state[i] == "tracked"
            np.testing.assert_allclose(table.xy_px[i], face.stabilized.xy_px, atol=0.051)
    assert np.isnan(table.raw_xy_px).all()


def test_an_openface_file_has_the_format_of_openface(tmp_path: Path) -> None:
    write_and_read(OpenFaceCsvSink(tmp_path / "a.csv", load_schema("ibug68")))
    head, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert head.startswith("frame, face_id, timestamp, confidence, success, gaze_0_x, ")
    assert "gaze_1_z, gaze_angle_x, gaze_angle_y, pose_Tx, pose_Ty, pose_Tz, pose_Rx, " in head
    assert ", y_67, X_0, " in head
    assert head.endswith(", AU28_c, AU45_c")
    fields = first.split(", ")
    assert fields[:5] == ["1", "3", "0.000", "0.90", "1"]
    row = dict(zip(head.split(", "), fields, strict=True))
    decimals = {name: len(value.partition(".")[2]) for name, value in row.items()}
    assert [decimals[name] for name in ("pose_Tx", "pose_Ty", "pose_Tz")] == [1, 1, 1]
    assert [decimals[name] for name in ("pose_Rx", "pose_Ry", "pose_Rz", "x_0")] == [3, 3, 3, 1]
    assert row["x_0"] == "55.5"
    assert "4, 0, 0.120, 0.00, 0, nan, nan" in (tmp_path / "a.csv").read_text()


def test_other_columns_of_openface_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "of.csv"
    path.write_text(
        "frame, face_id, timestamp, confidence, success, gaze_0_x, eye_lmk_x_0, x_0, x_1, x_2,"
        " y_0, y_1, y_2, X_0, Y_0, p_rx, AU01_r\n"
        "1, 0, 0.000, 0.98, 1, 0.1, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0, 9.0, 0.1, 0.00\n"
        "2, 0, 0.033, 0.02, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.00\n"
    )
    table = read_landmarks(path)
    assert table.frame.tolist() == [0, 1]
    assert table.xy_px[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert table.state.tolist() == ["tracked", "lost"]
    assert np.isnan(table.xy_px[1]).all()


def test_old_openface_files_without_face_ids_are_read(tmp_path: Path) -> None:
    path = tmp_path / "of.csv"
    path.write_text("frame, timestamp, confidence, success, x_0, y_0\n1, 0, 0.9, 1, 2, 3\n")
    assert read_landmarks(path).face_id.tolist() == [0]


def test_a_file_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(K2)
    table = read_landmarks(path)
    assert len(table) == 0
    assert table.xy_px.shape == (0, 2, 2)


def test_a_windows_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (K2 + ROW).replace("\n", "\r\n").encode())
    assert read_landmarks(path).xy_px[0].tolist() == [[10, 11], [20, 21]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the file is empty"),
        ("a,b\n1,2\n", "line 1: neither a Steadymark file"),
        ("# steadymark-csv 9\n", "newer Steadymark"),
        ("# steadymark-csv 1\n# {\n", "line 2: the header is not '# ' and JSON"),
        ("# steadymark-csv 1\n# 3\n", "line 2: the header is not a JSON object"),
        (K2.replace("raw_y_1", "raw_z_1"), "line 3: column 'raw_y_1' is missing"),
        (K2.replace("box_top", "box_left"), "line 3: column 'box_top' is missing"),
        ("frame,timestamp,confidence,success\n", "line 1: there are no landmark columns"),
        (K2 + ROW + ROW[:30], "line 5 has 8 fields, but there are 19 columns"),
        (K2 + ROW + ROW.replace("0.5", "O.5"), "line 5, column 'score_0': 'O.5' is not a number"),
        (K2 + ROW.replace("tracked", "here"), "line 4, column 'state': 'here' is not a state"),
        (K2 + ROW.replace("0,0", "0.5,0", 1), "row 1 below the columns, column 'frame': 0.5"),
        (K2 + ROW.replace("0,0", "0,-3", 1), "column 'face_id': -3 is not a whole number"),
        (K2 + ROW.replace("0,0", "1e300,0", 1), "column 'frame'"),
        (K2 + "\n\n" + ROW[:20], "line 6 has 4 fields"),
    ],
)
def test_an_invalid_file_is_reported_with_its_name_and_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(SteadymarkError) as error:
        read_landmarks(path)
    assert message in str(error.value)
    assert "bad.csv" in str(error.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SteadymarkError, match=r"cannot read .*nothing\.csv"):
        read_landmarks(tmp_path / "nothing.csv")


TEXTS = ["0", "1", "-1", "nan", "inf", "1e999", "tracked", "lost", "", " 2", "1_0", "é"]
FIELDS = st.sampled_from(TEXTS)
BODIES = st.lists(st.lists(FIELDS, min_size=17, max_size=20).map(",".join), max_size=4)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
        st.binary(max_size=60).map(lambda data: K2.encode() + ROW.encode() + data),
        st.text(max_size=60).map(lambda text: f"# steadymark-csv 1\n# {{}}\n{text}".encode()),
        BODIES.map(lambda lines: (K2 + "\n".join(lines)).encode()),
    )
)
def test_any_bytes_give_a_table_or_a_steadymark_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    try:
        table = read_landmarks(path)
    except SteadymarkError:
        return
    assert table.xy_px.shape[:1] == table.frame.shape
