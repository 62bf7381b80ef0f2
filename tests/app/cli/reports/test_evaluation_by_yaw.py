"""`steadymark evaluate` on data with other landmark schemas, parts, and turned heads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from typer.testing import CliRunner, Result

from steadymark.app.cli import error_boundary, evaluate_command
from steadymark.app.cli import main as cli
from steadymark.models.datasets.hard_faces import turned_faces
from support.fakes.fake_engine import square_image
from support.two_schemes import SHAPE, write_pts, write_two_schemes
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_command, "open_models", square_models)
    for console in (error_boundary.out, error_boundary.err):
        monkeypatch.setattr(console, "_width", 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a square with the mean shape of a face in the form of 300W."""
    folder = tmp_path / "faces"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), square_image((120, 110, 80)))
    write_pts(folder / "a.pts", SHAPE * 79 + (119.5, 109.5))
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, ["evaluate", "net", *map(str, arguments)])


def figures(file: Path, *arguments: object) -> tuple[dict[str, Any], str]:
    """Return the figures of the JSON file, and what is printed."""
    result = run("--json", file, *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(file.read_text("utf-8"))["models"]["net"], result.output


def test_faces_of_aflw2000_are_scored_by_yaw_in_either_scheme(tmp_path: Path) -> None:
    data, file = write_two_schemes(tmp_path / "aflw2000", 20), tmp_path / "figures.json"
    held_back = len(turned_faces(tmp_path, held_back=True))
    flat, printed = figures(file, "--data", data, "--part", "held-back")
    assert "part: held-back" in printed
    assert "yaw 0° to 30°" in printed
    assert flat["faces"] == held_back
    assert flat["yaw_source"] == "the data set"
    assert sum(part["faces"] for part in flat["yaw"].values()) == held_back
    deep_scheme = ("--data", data, "--schema", "ibug68_3d")
    deep, printed = figures(file, *deep_scheme, "--landmarks", "0-67")
    assert "part: all, landmarks 0-67" in printed
    assert deep["faces"] == 20
    assert deep["regions"]["contour"] > flat["regions"]["contour"] + 5
    inner, printed = figures(file, *deep_scheme)
    assert "51 of 68 landmarks" in printed
    assert inner["regions"]["contour"] is None
    assert inner["regions"]["eyes"] == deep["regions"]["eyes"]
    assert inner["nrmse_box_size"] is not None


def test_yaw_is_estimated_where_the_data_set_does_not_tell_it(folder: Path, tmp_path: Path) -> None:
    found, _ = figures(tmp_path / "figures.json", "--data", folder)
    assert found["yaw_source"] == "the head pose of the true landmarks"
    assert found["yaw"]["0-30"]["faces"] == 1
    assert found["yaw_mean"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--part", "half"), "unknown part 'half': choose one of all, exact"),
        (("--part", "exact"), "has no parts: leave --part exact out"),
        (("--schema", "helen194"), "unknown schema 'helen194': choose one of aflw19"),
        (("--schema", "wflw98"), "has 68 landmarks, the schema wflw98 has 98"),
    ],
)
def test_a_part_or_schema_that_does_not_fit_is_reported(
    arguments: tuple[str, str], words: str, folder: Path
) -> None:
    result = run("--data", folder, *arguments)
    assert result.exit_code == 2
    text = " ".join(result.output.split())
    assert text.startswith("error: ")
    assert words in text
    assert "unexpected" not in text
