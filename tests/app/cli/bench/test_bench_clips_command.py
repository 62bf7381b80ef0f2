"""`steadymark bench clips` and `bench light` on the demo clip: tables, files and messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.bench.scenes.scene_presets import encode
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

DEMO = str(assets_root() / "clips" / "demo.mp4")


@pytest.fixture(autouse=True)
def wide_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widen the console, which otherwise keeps the width at which an earlier test created it."""
    monkeypatch.setattr(error_boundary.out, "width", 160)


def bench(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["bench", *words])


@pytest.fixture
def faceless_video(tmp_path: Path) -> str:
    path = tmp_path / "grey.mkv"
    images = [np.full((320, 320, 3), 90 + i % 2, np.uint8) for i in range(8)]
    encode(str(path), images, 25, "ffv1", "bgr0")
    return str(path)


def test_bench_clips_prints_each_clip_and_a_median_for_each_stabilizer(
    tmp_path: Path, faceless_video: str
) -> None:
    table = tmp_path / "t.json"
    names = ("--choices", "none,one-euro,convlstm")
    result = bench(
        "clips", DEMO, faceless_video, *names, "--most-frames", "16", "--json", str(table)
    )
    assert result.exit_code == 0, result.output
    assert result.output.count("median of 2") == 6
    content = json.loads(table.read_text())
    rows = content["rows"]
    assert [row["choice"] for row in rows] == [*["none"] * 2, *["one-euro"] * 2, *["convlstm"] * 2]
    of_demo = {row["choice"]: row for row in rows if row["clip"] == "demo.mp4"}
    assert all(row["frames"] == 16 and row["lost"] == 0 for row in of_demo.values())
    assert of_demo["none"]["besides"]["ratio"] == 1
    assert of_demo["none"]["furthest"] == 0 < of_demo["convlstm"]["furthest"]
    assert 0 < of_demo["convlstm"]["besides"]["ratio"] < 1
    assert of_demo["none"]["besides"]["raw"] == of_demo["convlstm"]["besides"]["raw"]
    grey = [row for row in rows if row["clip"] == "grey.mkv"]
    assert all(row["lost"] == 100 and row["besides"]["ratio"] is None for row in grey)
    assert content["medians"]["none"]["besides_ratio"] == 1


def test_bench_light_scores_each_light_change_and_stabilizer(tmp_path: Path) -> None:
    table = tmp_path / "t.json"
    options = ("--kinds", "steady,exposure-ramp", "--choices", "convlstm", "--most-frames", "14")
    result = bench("light", DEMO, *options, "--json", str(table))
    assert result.exit_code == 0, result.output
    assert "exposure-ramp" in result.output
    rows = {row["kind"]: row for row in json.loads(table.read_text())["rows"]}
    assert set(rows) == {"steady", "exposure-ramp"}
    steady = rows["steady"]
    assert steady["furthest"] == steady["furthest_steady"] > 0
    assert steady["beyond"] == steady["furthest"]
    assert (steady["tracked"], steady["resets"], steady["frames"]) == (100, 0, 14)
    assert rows["exposure-ramp"]["furthest"] != steady["furthest"]
    assert rows["exposure-ramp"]["furthest_steady"] == steady["furthest_steady"]
    assert all(row["passed"] is (not row["failed"]) for row in rows.values())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("clips", "nothing.mp4"), "nothing.mp4"),
        (("clips", DEMO, "--choices", "none,calm"), "unknown stabilizer 'calm'"),
        (("clips", DEMO, "--choices", " , "), "--choices is empty"),
        (("light", DEMO, "--kinds", "disco"), "unknown light 'disco'"),
        (("light", DEMO, "--kinds", ","), "--kinds is empty"),
        (("light", DEMO, "--choices", "calm"), "unknown stabilizer 'calm'"),
        (("light", "nothing.mp4"), "nothing.mp4"),
        (("clips", DEMO, "--model", "dan-lite", "--choices", "convlstm"), "no convlstm stabilizer"),
    ],
)
def test_an_invalid_option_is_reported_in_one_sentence(
    words: tuple[str, ...], sentence: str
) -> None:
    result = bench(*words)
    assert result.exit_code == 2, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["clips", "light"])
def test_a_file_that_is_not_a_video_is_reported_and_the_others_are_measured(
    command: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    few_frames = ("--most-frames", "4", "--choices", "convlstm")
    kinds = ("--kinds", "flash") if command == "light" else ()
    alone = bench(command, str(broken), *few_frames, *kinds)
    assert alone.exit_code == 2, alone.output
    assert "broken.mp4" in alone.output
    both = bench(command, str(broken), DEMO, *few_frames, *kinds)
    assert both.exit_code == 1, both.output
    assert "demo.mp4" in both.output
