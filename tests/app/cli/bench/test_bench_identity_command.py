"""`steadymark bench identity` and `bench speed --faces`: their tables, files and messages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.cli.reports import speed_report
from steadymark.engine.bench import speed_benchmark
from steadymark.engine.bench.scenes.face_crossings import CROSSINGS, KINDS
from steadymark.engine.bench.speed_benchmark import FacesSpeed, measure_faces
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.tracking.settings import TrackSettings


def write_labelled_images(folder: Path, count: int) -> Path:
    """Write `count` labelled copies of the first frame of the demo clip."""
    clips = assets_root() / "clips"
    with av.open(str(clips / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    ground_truth = np.genfromtxt(clips / "demo_truth.csv", delimiter=",", names=True)[0]
    rows = "\n".join(
        f"{ground_truth[f'x_{k}'] + 1:.3f} {ground_truth[f'y_{k}'] + 1:.3f}" for k in range(68)
    )
    for number in range(count):
        text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        (folder / f"a{number}_1.pts").write_text(text)
        darkened = cv2.convertScaleAbs(
            image, alpha=1 - 0.1 * number
        )  # readers skip identical images
        cv2.imwrite(str(folder / f"a{number}_1.png"), darkened)
    return folder


@pytest.mark.slow
def test_scores_of_each_kind_of_video_and_of_all_are_printed_and_saved(tmp_path: Path) -> None:
    table = tmp_path / "t.json"
    data = write_labelled_images(tmp_path, 2)
    command = ["bench", "identity", "--data", str(data), "--videos", "1", "--json", str(table)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    rows = {row["kind"]: row for row in json.loads(table.read_text())["rows"]}
    assert set(rows) == {*KINDS, "all crossings", "all"}
    assert rows["all crossings"]["videos"] == len(CROSSINGS)
    switches = sum(rows[kind]["switches"] for kind in KINDS)
    assert rows["all"]["switches"] == switches <= 2
    assert rows["all"]["mota"] > 85
    assert "IDF1" in result.output


@pytest.mark.parametrize(("count", "videos", "words"), [(1, 1, "need two"), (2, 0, "a video")])
def test_missing_images_or_videos_are_reported(
    tmp_path: Path, count: int, videos: int, words: str
) -> None:
    data = write_labelled_images(tmp_path, count)
    command = ["bench", "identity", "--data", str(data), "--videos", str(videos)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.slow
def test_bench_speed_prints_the_cost_of_one_to_sixteen_faces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def measure_one_round(settings: TrackSettings, *, rounds: int) -> list[FacesSpeed]:
        asked.append(rounds)
        return measure_faces(settings, rounds=1)

    monkeypatch.setattr(speed_report, "measure_faces", measure_one_round)
    monkeypatch.setattr(speed_benchmark, "_WARM_UP", 1)
    result = CliRunner().invoke(cli.app, ["bench", "speed", "--faces", "--rounds", "10"])
    assert result.exit_code == 0, result.output
    assert asked == [10]
    assert re.findall(r"^(\d+) ", result.output, re.MULTILINE)[-1] == "16"
