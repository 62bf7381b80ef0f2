"""`steadymark bench stability`: its table, its files and its messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.cli.reports.stability_report import compare_with_filter
from steadymark.engine.bench.scenes.stability_benchmark import StabilityRow
from steadymark.engine.bench.scenes.stability_scores import StabilityBenchScores
from steadymark.models.face.schema import assets_root, load_schema

if TYPE_CHECKING:
    from pathlib import Path


def write_labelled_image(folder: Path, image: np.ndarray, points: np.ndarray) -> Path:
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    (folder / "a_1.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    cv2.imwrite(str(folder / "a_1.png"), image)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds the first frame of the demo clip and its landmarks."""
    clips = assets_root() / "clips"
    with av.open(str(clips / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    ground_truth = np.genfromtxt(clips / "demo_truth.csv", delimiter=",", names=True)[0]
    points = np.array([[ground_truth[f"x_{k}"], ground_truth[f"y_{k}"]] for k in range(68)])
    return write_labelled_image(tmp_path, image, points)


def test_a_face_that_is_never_found_is_lost_in_the_table_and_not_plotted(
    tmp_path: Path,
) -> None:
    grey = np.full((320, 320, 3), 90, np.uint8)
    write_labelled_image(tmp_path, grey, load_schema("ibug68").mean_shape * 170 + 160)
    plot = tmp_path / "p.png"
    size = ("--sequences", "1", "--frames", "12", "--noise", "2")
    command = ["bench", "stability", "--data", str(tmp_path), *size, "--plot", str(plot)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    assert "100.00" in result.output
    assert plot.is_file()


def test_table_json_and_plot_are_written(folder: Path) -> None:
    table, plot = folder / "t.json", folder / "p.png"
    size = ("--sequences", "1", "--frames", "12", "--noise", "2,3")
    files = ("--json", str(table), "--plot", str(plot))
    command = ["bench", "stability", "--data", str(folder), *size, *files]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    assert "butterworth" in result.output
    content = json.loads(table.read_text())
    assert content["config"]["sequences"] == 1
    assert {row["noise"] for row in content["rows"]} == {2, 3}
    reached = [row["reached"] for row in content["rows"]]
    assert {"nrmse", "mav", "mcv", "lag_frames", "nmf", "furthest"} <= reached[0].keys()
    assert all("NMF" in result.output and r["furthest_truth"] > 0 for r in reached)
    plain = {row["choice"]: row["reached"] for row in content["rows"] if not row["setting"]}
    assert plain["none"]["furthest"] == 0 < plain["convlstm"]["furthest"]
    assert all(0 < r["nrmse"] < 30 and r["lost"] == 0 for r in reached)
    image = cv2.imread(str(plot))
    assert image is not None
    assert image.std() > 5


def test_filters_as_stable_as_a_network_are_listed_with_their_error_and_lag() -> None:
    def row(choice: str, mav: float, nrmse: float, lag: float, setting: str = "") -> StabilityRow:
        return StabilityRow(
            2, choice, StabilityBenchScores(nrmse, 0, 0, mav, lag, 0, 0, 0), setting
        )

    rows = [
        row("convlstm", 0.05, 2.7, 0.01),
        row("one-euro", 0.2, 2.8, 0.02),
        row("one-euro", 0.04, 6.1, 1.9, "0.1 Hz"),
        row("one-euro", 0.05, 5.2, 2.1, "0.3 Hz"),
        row("one-euro", 0.3, 2.5, 0.0, "10 Hz"),
    ]
    (message,) = compare_with_filter(rows, 2)
    assert message.startswith("convlstm: 2 of 3 settings of one-euro are as still")
    assert "least NRMSE is 5.200 %" in message
    assert "least lag 1.90 frames" in message
    assert compare_with_filter(rows, 3) == []


@pytest.mark.slow
def test_scenes_can_be_exported_and_tables_of_other_trackers_scored(
    folder: Path, tmp_path: Path
) -> None:
    size = ("--sequences", "2", "--frames", "12", "--noise", "2")
    command = ["bench", "stability", "--data", str(folder), *size]
    videos, tables, table = tmp_path / "videos", tmp_path / "tables", tmp_path / "t.json"
    result = CliRunner().invoke(cli.app, [*command, "--write", str(videos)])
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in videos.iterdir()) == [
        "noise2-scene000.mkv",
        "noise2-scene001.mkv",
    ]
    track = ["track", str(videos), "--out", str(tables), "--stabilizer", "none"]
    result = CliRunner().invoke(cli.app, track)
    assert result.exit_code == 0, result.output
    options = ("--csv", f"theirs={tables}", "--json", str(table))
    result = CliRunner().invoke(cli.app, [*command, *options])
    assert result.exit_code == 0, result.output
    rows = {r["choice"]: r["reached"] for r in json.loads(table.read_text())["rows"]}
    # the same network from the detector's box instead of the true one
    assert rows["theirs"]["nrmse"] == pytest.approx(rows["none"]["nrmse"], rel=0.1)
    assert rows["theirs"]["lost"] == 0
    (tables / "noise2-scene001.csv").unlink()
    result = CliRunner().invoke(cli.app, [*command, *options])
    assert result.exit_code == 2
    assert "noise2-scene001.csv is missing" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--csv", "tables"], "give a name and a folder of tables, NAME=FOLDER"),
        (["--write", "/dev/null/here"], "cannot write"),
        (["--noise", "loud"], "--noise loud: give levels with commas"),
        (["--noise", "7"], "noise level 7: choose of 0, 1, 2, 3, 4"),
        (["--scenes", "dead"], "--scenes dead: choose one of living, rigid"),
        (["--frames", "3"], "12 frames"),
        (["--model", "nothing"], "unknown model 'nothing'"),
        (["--data", "NOWHERE"], "NOWHERE"),
        (["--json", "NOWHERE/t.json"], "cannot write"),
    ],
)
def test_an_invalid_option_is_reported_in_one_sentence(
    folder: Path, arguments: list[str], message: str
) -> None:
    options = ["--data", str(folder), "--sequences", "1", "--frames", "12", "--noise", "1"]
    result = CliRunner().invoke(cli.app, ["bench", "stability", *options, *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_bench_clips_measures_every_stabilizer(tmp_path: Path) -> None:
    table = tmp_path / "t.json"
    clip = assets_root() / "clips" / "demo.mp4"
    result = CliRunner().invoke(cli.app, ["bench", "clips", str(clip), "--json", str(table)])
    assert result.exit_code == 0, result.output
    rows = {row["choice"]: row for row in json.loads(table.read_text())["rows"]}
    raw, smooth = rows["none"], rows["one-euro"]
    assert 20 < raw["still"] < 150  # frames 40 to 109 stand still
    assert smooth["motion"] < 0.7 * raw["motion"]
    assert (raw["lag_frames"], raw["eyes"], raw["mouth"]) == (0, 1, 1)
    assert smooth["lag_frames"] > 0.1
    assert abs(rows["butterworth"]["lag_frames"]) < 0.1


def test_a_clip_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    result = CliRunner().invoke(cli.app, ["bench", "clips", str(tmp_path / "bad.mp4")])
    assert result.exit_code == 2
    assert "bad.mp4" in " ".join(result.output.split())
