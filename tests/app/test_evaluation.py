"""`steadymark evaluate` and `steadymark bench speed`, on fakes of the networks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import pytest
from typer.testing import CliRunner

from scenes import SquareDetector, SquareNetwork, picture
from steadymark.app import cli, evaluation
from steadymark.engine.bench import speed
from steadymark.engine.settings import Models, TrackSettings
from steadymark.models.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_models(settings: TrackSettings) -> Models:
        network = SquareNetwork()
        return Models(network, SquareDetector(), (network.card,))  # type: ignore[arg-type]

    for module in (evaluation, speed):
        monkeypatch.setattr(module, "open_models", open_models)
    monkeypatch.setattr(cli.out, "_width", 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), picture((120, 110, 80)))
    points = load_schema().mean_shape * 79 + (120.5, 110.5)
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return tmp_path


@pytest.mark.parametrize("boxes", ["truth", "detector"])
def test_evaluate_prints_and_writes_the_same_figures(folder: Path, boxes: str) -> None:
    file = folder / "figures.json"
    arguments = ["evaluate", "net", "--data", str(folder), "--boxes", boxes, "--json", str(file)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(file.read_text(encoding="utf-8"))["models"]["net"]
    assert figures["faces"] == 1
    assert f"{figures['nrmse']:.3f}" in result.output
    assert set(figures["regions"]) == {"contour", "brows", "nose", "eyes", "mouth"}


def test_evaluate_without_labels_or_with_unknown_boxes_is_told(tmp_path: Path) -> None:
    for extra, words in ((["--boxes", "magic"], "truth or detector"), ([], "no .pts files")):
        arguments = ["evaluate", "net", "--data", str(tmp_path), *extra]
        result = CliRunner().invoke(cli.app, arguments)
        assert result.exit_code == 2
        assert words in result.output


def test_bench_speed_prints_wall_and_cpu_time_of_both_stages() -> None:
    result = CliRunner().invoke(cli.app, ["bench", "speed", "--rounds", "10"])
    assert result.exit_code == 0, result.output
    assert "crop to points" in result.output
    assert "640x480" in result.output
