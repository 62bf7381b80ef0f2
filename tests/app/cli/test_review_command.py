"""`steadymark review`: doubtful stretches of tables, printed and written."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.test_spans_command import tracked
from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli


def test_a_lost_face_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_boundary.out, "_width", 200)
    native, openface = tracked(tmp_path)
    table, report = tmp_path / "review.csv", tmp_path / "review.json"
    arguments = ["review", str(native), str(openface), "--csv", str(table), "--json", str(report)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    lost = [row for row in rows if "missing" in row["doubts"].split()]
    assert [(r["file"], r["first_frame"], r["last_frame"]) for r in lost] == [
        (str(native), "10", "13"),
        (str(openface), "10", "13"),
    ]
    assert "not found for 0.20 s" in result.output
    assert [row["start_s"] for row in json.loads(report.read_text())][:1] == [
        float(rows[0]["start_s"])
    ]


def test_a_limit_removes_a_stretch(tmp_path: Path) -> None:
    native, _ = tracked(tmp_path)
    result = CliRunner().invoke(
        cli.app, ["review", str(native), "--missing", "1", "--without", "damaged"]
    )
    assert result.exit_code == 0, result.output
    assert "not found" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--face", "7"], "has no face 7: it has 0, 1"),
        (["--without", "blur"], "no doubt called 'blur'"),
        (["--score", "3"], "score must be from 0 to 1"),
        (["--csv", "no/folder/review.csv"], "cannot write"),
    ],
)
def test_bad_input_is_told_in_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    native, _ = tracked(tmp_path)
    result = CliRunner().invoke(cli.app, ["review", str(native), *arguments])
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_table_of_an_unknown_schema_is_refused(tmp_path: Path) -> None:
    points = [f"{axis}_{i}" for axis in "xy" for i in range(7)]
    names = ["frame", "face_id", "timestamp", "confidence", "success", *points]
    row = ["1", "0", "0.0", "0.9", "1", *["10"] * 14]
    file = tmp_path / "seven.csv"
    file.write_text(",".join(names) + "\n" + ",".join(row) + "\n")
    result = CliRunner().invoke(cli.app, ["review", str(file)])
    assert result.exit_code == 2
    assert "7 landmarks" in " ".join(result.output.split())
