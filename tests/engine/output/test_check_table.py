"""The checker finds each kind of fault, and nothing in valid files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.attributes.head_pose_attribute import POSE
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.columns import native_columns
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info

if TYPE_CHECKING:
    from pathlib import Path

ATTRIBUTE_NAMES = {column.name for column in attribute_columns()}
NAMES = [name for name in native_columns(1) if name not in ATTRIBUTE_NAMES]  # as in older files
HEAD = "# steadymark-csv 1\n# {}\n" + ",".join(NAMES) + "\n"
HEAD_WITH_POSE = HEAD.replace("x_0,", ",".join(POSE) + ",x_0,", 1)
LOST_VALUES = "nan,nan,nan,nan,nan,nan,nan,nan,nan,nan"


def row(
    frame: object = 0,
    face: object = 0,
    t: object = 0.0,
    state: str = "tracked",
    values: str = "0.9,1,2,3,4,10,20,10,20,0.5",
) -> str:
    return f"{frame},{face},{t},{state},{values}\n"


GOOD = row(0) + row(1, 0, 0.1) + row(1, 4, 0.1) + row(2, 0, 0.2, "lost", LOST_VALUES)
GOOD += row(3, "nan", 0.3, "lost", LOST_VALUES)  # line 8


def test_a_valid_file_has_no_findings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + GOOD)
    assert check_csv(path) == ()


def test_files_written_by_the_sinks_have_no_findings(tmp_path: Path) -> None:
    for sink in (
        NativeCsvSink(tmp_path / "a.csv", Header(), load_schema("ibug68")),
        OpenFaceCsvSink(tmp_path / "b.csv", load_schema("ibug68")),
    ):
        sink.open(source_info())
        for result in moving_results(9):
            sink.write(result)
        sink.close(complete=True)
        assert check_csv(sink.path) == ()


def test_pose_columns_are_complete_or_absent_and_empty_for_a_lost_face(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    values_with_pose, lost_values = (
        ",".join(["0.9,1,2,3,4", *"123456", "10,20,10,20,0.5"]),
        f"{LOST_VALUES},{LOST_VALUES[:23]}",
    )
    path.write_text(
        HEAD_WITH_POSE + row(values=values_with_pose) + row(1, 0, 0.1, "lost", lost_values)
    )
    assert check_csv(path) == ()
    unknown = values_with_pose.replace("1,2,3,4,5,6", "nan,nan,nan,nan,nan,nan")
    path.write_text(HEAD_WITH_POSE + row(values=unknown))
    assert check_csv(path) == ()
    path.write_text(
        HEAD_WITH_POSE + row(1, 0, 0.1, "lost", lost_values[:-3] + "nan").replace("nan", "1", 7)
    )
    assert "a lost face has values" in check_csv(path)[0].text
    path.write_text(HEAD_WITH_POSE.replace("pose_Rz", "pose_Rw") + row(values=values_with_pose))
    assert {f.text for f in check_csv(path)} == {
        "column 'pose_Rz' is missing",
        "column 'pose_Rw' is unknown",
    }


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", None, "line 1: the file is empty"),
        (HEAD + GOOD + row(4, 0, 0.4)[:-1], 9, "cut off"),
        (HEAD + GOOD + row(4, 0, 0.4)[:20], 9, "cut off"),
        (HEAD.replace("raw_x_0", "raw_x_1") + GOOD, 3, "column 'raw_x_0' is missing"),
        (HEAD.replace("raw_x_0", "x_0") + GOOD, 3, "column 'x_0' appears 2 times"),
        (HEAD.replace("score_0", "score_0,mood") + GOOD, 3, "column 'mood' is unknown"),
        (HEAD + GOOD + "4,0,0.4\n", 9, "3 fields, but 14 columns"),
        (HEAD + GOOD + "\n", 9, "1 field, but 14 columns"),
        (HEAD + GOOD + row(4, 0, 0.4, values="0.9,1,2,3,4,nan,20,10,20,0.5"), 9, "NaN among its p"),
        (HEAD + GOOD + row(4, 0, 0.4, values="0.9,1,2,3,4,1,20,inf,20,0.5"), 9, "NaN among its p"),
        (HEAD + GOOD + row(4, 0, 0.4, values="0.9,1,2,3,4,1,20,10,20,nan"), 9, "NaN among its sc"),
        (HEAD + GOOD + row(4, 0, 0.4, "lost"), 9, "a lost face has values"),
        (HEAD + GOOD + row(4, 0, 0.25), 9, "the time goes back"),
        (HEAD + GOOD + row(4, 0, 0.3), 9, "the time is that of the frame before"),
        (HEAD + GOOD + row(2, 1, 0.4), 9, "the frame goes back"),
        (HEAD + GOOD + row(9, 0, 0.9), 9, "frames are missing"),
        (HEAD + GOOD + row(3, 0, 0.4), 9, "the same frame has two times"),
        (HEAD + GOOD + row(4, 0, 0.4, "seen"), 9, "'seen' is not a state"),
        (HEAD + GOOD + row(4, 0, 0.4, values="1.9,1,2,3,4,1,20,10,20,0.5"), 9, "outside 0 to 1"),
        (HEAD + GOOD + row(4, 0, 0.4, values="0.9,1,2,3,4,1,20,10,20,-1"), 9, "outside 0 to 1"),
        (HEAD + GOOD + row(4, 0, 0.4) + row(4, 0, 0.4), 10, "same frame and face"),
        (HEAD + GOOD + row(4, 0, 0.4, values="0.9,1,2,3,4,1,x,10,20,0.5"), 9, "'y_0': 'x' is not"),
        (HEAD + GOOD + row(4, "nan", 0.4), 9, "'face_id' is empty"),
        (HEAD + GOOD + row(4, 0.5, 0.4), 9, "'face_id' is not a whole number"),
        (HEAD + GOOD + row(4, 0, "nan"), 9, "the time is not a number"),
        ("frame,timestamp,confidence,success,x_0,y_0\n1,0,0.9,2,1,1\n", 2, "neither 0 nor 1"),
    ],
)
def test_a_fault_is_found_in_its_line(
    tmp_path: Path, text: str, line: int | None, part: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    found = check_csv(path)
    assert any(f.line == line and part in f.text for f in found), found


def test_missing_and_simultaneous_frames_are_only_warnings(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + GOOD + row(7, 0, 0.7) + row(8, 0, 0.7))
    assert [f.severity for f in check_csv(path)] == [Severity.WARNING] * 2


def test_one_fault_gives_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + GOOD + "4,0,0.4\n" + row(4, 0, 0.4))
    assert [(f.line, f.severity) for f in check_csv(path)] == [(9, Severity.ERROR)]


@pytest.mark.parametrize("name", ["a.csv.part", "a.partial.csv"])
def test_the_name_of_an_unfinished_file_is_a_warning(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(HEAD + GOOD)
    assert [f.severity for f in check_csv(tmp_path / name)] == [Severity.WARNING]


def test_faults_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "1,2\n" * 30)
    found = check_csv(path, most=10)
    assert len(found) == 11
    assert found[-1].text == "and 20 more findings"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SteadymarkError, match="cannot read"):
        check_csv(tmp_path / "nothing.csv")


FIELDS = st.sampled_from(["0", "1", "-1", "nan", "inf", "1e999", "tracked", "lost", "", " 2", "é"])
BODIES = st.lists(st.lists(FIELDS, min_size=13, max_size=15).map(",".join), max_size=5)


@given(st.one_of(st.binary(max_size=200), BODIES.map(lambda b: (HEAD + "\n".join(b)).encode())))
def test_any_bytes_can_be_checked(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any_checked.csv"
    path.write_bytes(data)
    assert data == HEAD.encode() or check_csv(path)
