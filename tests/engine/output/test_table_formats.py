"""The registry of table formats, and what follows from its entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import steadymark as sm
from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.read_table import read_table
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.engine.pipeline.job import OutputSettings, result_files
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.output.csv.landmark_table import LandmarkTable

ROOT = Path(__file__).resolve().parents[3]
NATIVE = "# steadymark-csv 1"


def read_backwards(path: Path) -> LandmarkTable | None:
    """Read a native table whose lines are in the reverse order."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    if not lines[-1].startswith(NATIVE):
        return None
    turned = path.with_suffix(".turned")
    turned.write_text("".join(reversed(lines)), "utf-8")
    return replace(read_landmarks(turned), style="backwards")


@pytest.fixture
def backwards() -> Iterator[TableFormat]:
    native = TABLE_FORMATS.find("native")
    words = UserText("backwards")
    entry = TableFormat("backwards", words, words, native.make, ".back", read=read_backwards)
    yield TABLE_FORMATS.add(entry)
    TABLE_FORMATS.remove("backwards")


def written(path: Path) -> Path:
    sink = TABLE_FORMATS.find("native").sink(path, Header(), load_schema("ibug68"))
    sink.open(SourceInfo("", "", 0, 0, None, None, live=False))
    sink.close(complete=True)
    return path


def test_the_shipped_formats_are_listed_with_the_usual_one_first() -> None:
    assert TABLE_FORMATS.names()[:2] == ("native", "openface")
    assert [entry.suffix for entry in TABLE_FORMATS.all()[:2]] == [".csv", ".csv"]


def test_a_format_refuses_landmarks_that_it_cannot_hold(tmp_path: Path) -> None:
    schema = load_schema("wflw98")
    TABLE_FORMATS.find("native").sink(tmp_path / "a.csv", Header(), schema)
    with pytest.raises(SinkError, match=r"openface holds landmarks of ibug68.* are of wflw98"):
        TABLE_FORMATS.find("openface").sink(tmp_path / "a.csv", Header(), schema)
    assert list(tmp_path.iterdir()) == []


def test_result_files_have_the_suffix_of_the_format(backwards: TableFormat, tmp_path: Path) -> None:
    output = OutputSettings(tmp_path, csv=backwards.name, video=True)
    assert result_files("a", output) == [tmp_path / "a.back", tmp_path / "a.mp4"]


def test_tables_are_read_by_the_format_that_knows_them(
    backwards: TableFormat, tmp_path: Path
) -> None:
    native = written(tmp_path / "a.csv")
    assert read_table(native).style == "native"
    lines = native.read_text("utf-8").splitlines(keepends=True)
    turned = tmp_path / "a.back"
    turned.write_text("".join(reversed(lines)), "utf-8")
    assert read_table(turned).style == backwards.name
    assert len(sm.read_csv(turned)) == 0


def test_the_documentation_lists_every_shipped_format() -> None:
    text = (ROOT / "docs" / "tables.md").read_text("utf-8")
    for entry in TABLE_FORMATS.all():
        assert f"| `{entry.name}` | `NAME{entry.suffix}` | {entry.help}" in text
