"""`steadymark bench pose`, `expressions`, `units` and `gaze`: tables, files and messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.engine.expressions.action_units import UNITS
from steadymark.engine.expressions.arkit import LOOK_SHAPES, SHAPES, unseen_shapes

if TYPE_CHECKING:
    from pathlib import Path


def test_poses_of_random_faces_with_expressions_are_found_within_two_degrees(
    data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "pose.json"
    command = ["bench", "pose", "--data", str(data), "--people", "2", "--json", str(table)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    assert "with expressions" in result.output
    figures = json.loads(table.read_text())
    assert figures["pose_deg"] < 2
    assert figures["points_percent"] < 3


def test_shapes_of_random_faces_are_found_and_neutral_faces_have_hardly_any(
    data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "shapes.json"
    command = ["bench", "expressions", "--data", str(data), "--people", "3", "--json", str(table)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    figures = json.loads(table.read_text())
    assert set(figures["shapes"]) == set(SHAPES) - {*unseen_shapes(), *LOOK_SHAPES}
    assert figures["shapes"]["jawOpen"]["correlation"] > 0.9
    assert figures["mean"] > 0.65
    assert figures["quiet_share"] > 0.5
    assert "jawOpen" in result.output


def test_gaze_of_random_people_is_found_and_a_calibration_makes_it_more_exact(
    data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "gaze.json"
    command = ["bench", "gaze", "--data", str(data), "--people", "3", "--noise", "0"]
    result = CliRunner().invoke(cli.app, [*command, "--json", str(table)])
    assert result.exit_code == 0, result.output
    assert "9 points" in result.output
    figures = json.loads(table.read_text())
    assert figures["before"]["gaze_deg"] < 5
    assert figures["after"]["gaze_deg"] < 3
    assert figures["after"]["gaze_deg"] < figures["before"]["gaze_deg"]
    assert figures["one_look"]["gaze_deg"] < figures["before"]["gaze_deg"]
    assert figures["true_eyes"]["gaze_95_deg"] < 0.5


@pytest.mark.parametrize("command", ["pose", "expressions", "units", "gaze"])
def test_a_folder_without_the_face_model_is_told(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(cli.app, ["bench", command, "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "has no face3d/ict_face_model.npz" in result.output.replace("\n", " ")


def test_action_units_of_random_faces_are_found_and_neutral_faces_have_none(
    data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "units.json"
    command = ["bench", "units", "--data", str(data), "--people", "3", "--json", str(table)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    figures = json.loads(table.read_text())["units"]
    assert list(figures) == [unit.name for unit in UNITS]
    assert min(figures[name]["correlation"] for name in ("AU12", "AU25", "AU26", "AU45")) > 0.9
    assert all(row["false_share"] <= 0.02 for row in figures.values())
    assert figures["AU12"]["found_share"] > 0.9
    assert "lip corner puller" in result.output
