"""A plug-in adds a table format to the command line: examples/plugins/json_lines.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli.main import app
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.streaming.targets import TARGETS
from steadymark.models.face.schema import assets_root
from support.plugged import plugged

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "examples" / "plugins" / "json_lines.py"
DEMO = assets_root() / "clips" / "demo.mp4"


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with plugged(monkeypatch, PLUGIN, TABLE_FORMATS):
        yield


def track(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["track", *map(str, arguments)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("stabilizer", ["auto", "butterworth"])
@pytest.mark.usefixtures("json_lines")
def test_the_plug_in_s_file_holds_what_the_table_holds(tmp_path: Path, stabilizer: str) -> None:
    usual = (DEMO, "--out", tmp_path, "--end", "0.2", "--stabilizer", stabilizer)
    track(*usual)
    track(*usual, "--format", "json-lines")
    table = sm.read_csv(tmp_path / "demo.csv")
    lines = [json.loads(line) for line in (tmp_path / "demo.jsonl").read_text().splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(table)))
    np.testing.assert_allclose([line["timestamp_s"] for line in lines], table.timestamp_s)
    faces = [face for line in lines for face in line["faces"]]
    np.testing.assert_allclose([face["stabilized"] for face in faces], table.landmarks[:, 0])
    np.testing.assert_allclose([face["raw"] for face in faces], table.raw_landmarks[:, 0])
    assert {face["state"] for face in faces} <= {"detected", "tracked"}


@pytest.mark.usefixtures("json_lines")
def test_results_in_the_plug_in_s_format_are_resumed(tmp_path: Path) -> None:
    given = (DEMO, "--out", tmp_path, "--end", "0.2", "--csv", "json-lines", "--resume")
    track(*given)
    made = (tmp_path / "demo.jsonl").stat().st_mtime_ns
    assert "demo.jsonl" in (tmp_path / "index.csv").read_text()
    track(*given)
    assert (tmp_path / "demo.jsonl").stat().st_mtime_ns == made


@pytest.mark.usefixtures("json_lines")
def test_the_help_lists_all_formats_and_targets() -> None:
    words = " ".join(track("--help").replace("│", " ").split())
    told = {entry.name: entry.help for entry in TABLE_FORMATS.all()}
    told |= {kind.name: kind.help for kind in TARGETS.all()}
    for name, about in told.items():
        assert f"{name}: {about}" in words
    assert "json-lines" in TABLE_FORMATS.names()


@pytest.mark.usefixtures("json_lines")
def test_the_public_function_writes_the_plug_in_s_format(tmp_path: Path) -> None:
    sm.track_video(DEMO, end_s=0.2).to_csv(tmp_path / "a.jsonl", style="json-lines")
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 6


def test_a_plug_in_that_fails_is_named_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0\n")
    monkeypatch.setenv("STEADYMARK_PLUGINS", str(broken))
    result = CliRunner().invoke(app, ["track", str(DEMO), "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert f"the plug-in {broken} cannot be loaded" in " ".join(result.output.split())
