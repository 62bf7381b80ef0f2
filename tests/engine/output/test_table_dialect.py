"""Tables that R, pandas and spreadsheets saved again are read as the tables they were."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.api.read_tables import read_csv
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.metrics.video_ground_truth import read_truth
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.columns import read_head
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink

HEADER = Header({"steadymark": "0.1"}, {"lite": "ab"}, {"smooth": 0.3, "list": [1, 2]}, "a.mp4")


def written(path: Path, *, native: bool) -> str:
    """Write a table with faces, lost faces and a frame without a face, and return its text."""
    schema = load_schema("ibug68")
    sink: Sink = NativeCsvSink(path, HEADER, schema) if native else OpenFaceCsvSink(path, schema)
    sink.open(source_info())
    for result in moving_results(9):
        sink.write(result)
    sink.close(complete=True)
    return path.read_text()


def cells_of(text: str) -> list[list[str]]:
    """Return the columns and the rows of a table without the lines above the columns."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return [[cell.strip() for cell in line.split(",")] for line in lines]


def is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def saved(rows: list[list[str]], delimiter: str = ",", end: str = "\n") -> str:
    """Save rows as a spreadsheet does, which quotes only what needs it."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return file.getvalue()


def by_r(text: str) -> str:
    """Save a table as R's `write.csv(…, row.names = FALSE)`: quoted texts, NA for missing ones."""
    columns, *rows = cells_of(text)
    out = [",".join(f'"{name}"' for name in columns)]
    for row in rows:
        cells = ["NA" if cell == "nan" else cell for cell in row]
        out.append(",".join(c if is_number(c) or c == "NA" else f'"{c}"' for c in cells))
    return "\n".join(out) + "\n"


def by_r_with_row_numbers(text: str) -> str:
    """Save a table as R's `write.csv`, whose first column numbers the rows."""
    head, *rows = by_r(text).splitlines()
    numbered = [f'"{i}",{row}' for i, row in enumerate(rows, start=1)]
    return "\n".join(['"",' + head, *numbered]) + "\n"


def by_pandas(text: str) -> str:
    """Save a table as `DataFrame.to_csv(index=False)`: no comments, missing values are empty."""
    return saved([["" if cell == "nan" else cell for cell in row] for row in cells_of(text)])


def by_pandas_with_index(text: str) -> str:
    """Save a table as `DataFrame.to_csv()`, whose first column is the index."""
    columns, *rows = cells_of(by_pandas(text))
    return saved([["", *columns], *([str(i), *row] for i, row in enumerate(rows))])


def by_pandas_twice(text: str) -> str:
    """Save a table with an index again, so that pandas has named the nameless column."""
    return by_pandas_with_index(text).replace(",frame", "Unnamed: 0,frame", 1)


def by_spreadsheet(text: str) -> str:
    """Save a table as a spreadsheet with commas, which pads the first lines."""
    rows = [line.split(",") for line in text.splitlines()]
    width = max(map(len, rows))
    return saved([row + [""] * (width - len(row)) for row in rows], end="\r\n")


def by_german_spreadsheet(text: str) -> str:
    """Save a table as a German spreadsheet: semicolons, decimal commas, a byte order mark."""
    rows = [line.split(",") for line in text.splitlines()]
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    local = [[c.replace(".", ",") if is_number(c) else c for c in row] for row in rows]
    return "\ufeff" + saved(local, ";", "\r\n")


def with_tabs(text: str) -> str:
    """Save a table as text with tabs."""
    return saved(cells_of(text), "\t")


PROGRAMS = [
    by_r,
    by_r_with_row_numbers,
    by_pandas,
    by_pandas_with_index,
    by_pandas_twice,
    by_spreadsheet,
    by_german_spreadsheet,
    with_tabs,
]


def assert_same_rows(found: LandmarkTable, expected: LandmarkTable) -> None:
    assert found.style == expected.style
    assert found.schema == expected.schema
    for name in ("frame", "face_id", "timestamp_s", "state", "score", "box", "attributes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("xy_px", "raw_xy_px", "point_score"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_table_that_another_program_saved_again_is_read_as_before(
    tmp_path: Path, program: Callable[[str], str], *, native: bool
) -> None:
    text = written(tmp_path / "a.csv", native=native)
    again = tmp_path / "again.csv"
    again.write_bytes(program(text).encode())
    assert_same_rows(read_landmarks(again), read_landmarks(tmp_path / "a.csv"))
    assert check_csv(again) == ()
    assert read_csv(again).smooth("butterworth").landmarks.shape[2:] == (68, 2)


@pytest.mark.parametrize("program", [by_spreadsheet, by_german_spreadsheet])
def test_a_spreadsheet_keeps_the_facts_of_the_header(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    text = written(tmp_path / "a.csv", native=True)
    (tmp_path / "again.csv").write_bytes(program(text).encode())
    assert read_landmarks(tmp_path / "again.csv").header["models"] == {"lite": "ab"}


def test_a_header_that_a_spreadsheet_made_unreadable_is_unknown(tmp_path: Path) -> None:
    text = by_spreadsheet(written(tmp_path / "a.csv", native=True))
    first, second, rest = text.split("\r\n", 2)
    (tmp_path / "b.csv").write_text(f'{first}\r\n"#### {second[9:]}\r\n{rest}')
    table = read_landmarks(tmp_path / "b.csv")
    assert table.header == {}
    assert_same_rows(table, read_landmarks(tmp_path / "a.csv"))


def test_a_table_saved_by_pandas_is_ground_truth_as_before(tmp_path: Path) -> None:
    schema = load_schema("ibug68")
    sink = NativeCsvSink(tmp_path / "a.csv", HEADER, schema)
    sink.open(source_info())
    for result in moving_results(3):
        sink.write(result.__class__(result.frame, result.faces[:1]))
    sink.close(complete=True)
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "b.csv").write_text(by_pandas(text))
    np.testing.assert_array_equal(read_truth(tmp_path / "b.csv"), read_truth(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.split("\n", 1)[1], "with the names of its columns in the first line"),
        (lambda text: text.replace("raw_x_0", "removed", 1), "column 'raw_x_0' is missing"),
        (lambda text: text.replace("tracked", "", 1), "column 'state': 'nan' is not a state"),
        (lambda text: text.replace("tracked", "tracked,", 1), "fields, but there are"),
        (lambda text: text.encode("utf-16").decode("latin-1"), "save it as 'CSV UTF-8'"),
    ],
)
def test_what_is_missing_in_a_table_saved_again_is_told_with_what_to_do(
    tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "b.csv"
    text = by_pandas(written(tmp_path / "a.csv", native=True))
    path.write_text(change(text), encoding="latin-1")
    with pytest.raises(SteadymarkError) as error:
        read_landmarks(path)
    assert message in str(error.value)
    assert check_csv(path)


def test_a_table_as_it_was_written_has_no_dialect(tmp_path: Path) -> None:
    text = written(tmp_path / "a.csv", native=True)
    assert read_head(iter(text.splitlines(keepends=True))).dialect is None
