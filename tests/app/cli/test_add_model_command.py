"""`steadymark add-model`, and how `track` and `evaluate` use models that users added."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.models.face.schema import assets_root
from steadymark.models.own_models.demo_faces import demo_faces
from support.fakes.foreign_networks import heatmap1d_network, mean_face, network, write_network
from support.fakes.small_model import tiny_model, write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

LICENCE_AND_DATA = ("--licence", "MIT", "--data", "faces")
DEMO = assets_root() / "clips" / "demo.mp4"


@pytest.fixture
def steadymark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """The program with its real networks; the user's own models are in `tmp_path`/own."""
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path / "own"))
    monkeypatch.setattr(error_boundary.out, "_width", 300)
    monkeypatch.setattr(error_boundary.err, "_width", 300)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])


def assert_refused(result: Result, why: str) -> None:
    """Assert that the program printed one sentence and returned exit code 2."""
    assert result.exit_code == 2, result.output
    assert why in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert "unexpected" not in result.output


def test_a_network_of_98_points_can_be_added_and_used_for_tracking(
    steadymark: Callable[..., Result], tmp_path: Path
) -> None:
    path = heatmap1d_network(tmp_path, "wflw98", batch=1)
    added = steadymark("add-model", path, "--name", "mine", "--margin", "1.4", *LICENCE_AND_DATA)
    assert added.exit_code == 0, added.output
    assert "--schema wflw98 --margin 1.4 --scale pixels" in added.output
    assert "--model mine" in added.output
    listed = steadymark("models").output
    assert "mine" in listed
    assert "licence: MIT" in listed
    out = tmp_path / "out"
    options = ("--out", out, "--model", "mine", "--end", "1", "--video", "--max-faces", "2")
    tracked = steadymark("track", DEMO, *options)
    assert tracked.exit_code == 0, tracked.output
    assert "100.0 %" in tracked.output
    assert check_csv(out / "demo.csv") == ()
    assert read_landmarks(out / "demo.csv").xy_px.shape[1:] == (98, 2)
    failed = steadymark("track", DEMO, "--out", out / "b", "--model", "mine", "--csv", "openface")
    assert failed.exit_code == 2
    assert "Traceback" not in failed.output


def test_an_added_model_loses_a_face_that_leaves_the_image(
    steadymark: Callable[..., Result], tmp_path: Path
) -> None:
    """By its ground truth, the face of the demo clip leaves the image and comes back."""
    path = heatmap1d_network(tmp_path)
    options = ("--name", "mine", "--margin", "1.4", "--rgb", "--pixels", "255", *LICENCE_AND_DATA)
    assert steadymark("add-model", path, *options).exit_code == 0
    out = tmp_path / "out"
    assert steadymark("track", DEMO, "--out", out, "--model", "mine").exit_code == 0
    table = read_landmarks(out / "demo.csv")
    ground_truth = np.genfromtxt(DEMO.with_name("demo_truth.csv"), delimiter=",", names=True)
    found = np.zeros(len(ground_truth), bool)
    found[table.frame[np.isfinite(table.xy_px).all((1, 2))]] = True
    hidden = ground_truth["visible"] == 0
    assert hidden.sum() > 10
    assert not found[hidden].any()
    assert found[~hidden].mean() > 0.9


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "--licence is missing: state the terms of its weights, or write --licence unknown"),
        (("--licence", "MIT"), "--data is missing: state what it was trained on"),
        ((*LICENCE_AND_DATA, "--mean", "1,2"), "mean has 2 numbers: write one, or three"),
        ((*LICENCE_AND_DATA, "--std", "wide"), "std is 'wide': write a number, or three"),
        ((*LICENCE_AND_DATA, "--std", "0"), "std must be more than 0"),
        ((*LICENCE_AND_DATA, "--output", "points"), "choose one of coordinates, heatmaps, lines"),
        ((*LICENCE_AND_DATA, "--layout", "chw"), "choose one of nchw, nhwc"),
        ((*LICENCE_AND_DATA, "--pixels", "3"), "choose one of 1, 255"),
        ((*LICENCE_AND_DATA, "--scale", "cm"), "choose one of pixels, unit, signed"),
        ((*LICENCE_AND_DATA, "--schema", "helen194"), "unknown schema 'helen194': models of"),
        ((*LICENCE_AND_DATA, "--schema", "wflw98"), "none of them holds"),
        ((*LICENCE_AND_DATA, "--margin", "0"), "margin must be between 0.5 and 5, not 0"),
        ((*LICENCE_AND_DATA, "--margin", "wide"), "margin is 'wide': write a number"),
        ((*LICENCE_AND_DATA, "--input-size", "3.5"), "input-size is '3.5': write a number"),
        ((*LICENCE_AND_DATA, "--input-size", "-3"), "takes images of 32 × 32 pixels"),
        ((*LICENCE_AND_DATA, "--name", "heatmap1d-lite"), "is the name of a shipped model"),
        ((*LICENCE_AND_DATA, "--name", "a/b"), "is not a valid name for a model"),
        ((*LICENCE_AND_DATA, "--output-names", "a"), "has no output 'a'"),
    ],
)
def test_every_invalid_option_is_reported_in_one_sentence(
    steadymark: Callable[..., Result], tmp_path: Path, options: tuple[str, ...], why: str
) -> None:
    path = write_network(tmp_path, network(("out", mean_face("ibug68", 1.0))))
    assert_refused(steadymark("add-model", path, *options), why)
    assert not (tmp_path / "own").exists()


def test_a_network_that_ignores_the_face_is_added_with_a_warning(
    steadymark: Callable[..., Result], tmp_path: Path
) -> None:
    path = write_network(tmp_path, network(("out", mean_face("ibug68", 1.0))))
    out = tmp_path / "out"
    result = steadymark(
        "add-model", path, "--rgb", "--pixels", "1", "--out", out, *LICENCE_AND_DATA
    )
    assert result.exit_code == 0, result.output
    assert "warning: Its landmarks hardly follow the face" in result.output
    card = json.loads((out / "strange.json").read_text("utf-8"))
    assert any("compensate 0 %" in warning for warning in card["warnings"])
    assert set(card["wrapped"]["stated"]) == {"rgb", "white"}


@pytest.mark.parametrize(
    ("model", "card", "why"),
    [
        (tiny_model(value=float("nan")), {}, "output 'points' of own.onnx is not finite"),
        (tiny_model(landmarks=98), {}, "for two faces it must be float32 (2, 68, 2)"),
        (tiny_model(), {"schema": "helen194"}, "models of aflw19"),
        (tiny_model(), {"margin": 0}, "says margin 0"),
    ],
)
@pytest.mark.parametrize("command", ["track", "evaluate"])
def test_track_and_evaluate_reject_invalid_models_like_the_window(
    steadymark: Callable[..., Result],
    tmp_path: Path,
    command: str,
    model: Any,
    card: dict[str, Any],
    why: str,
) -> None:
    path = write_model(tmp_path, model, **card)
    if command == "track":
        assert_refused(steadymark("track", DEMO, "--out", tmp_path / "out", "--model", path), why)
    else:
        assert_refused(steadymark("evaluate", path, "--data", DEMO), why)


@pytest.mark.parametrize("command", ["track", "evaluate"])
def test_the_error_for_a_network_without_a_card_names_add_model(
    steadymark: Callable[..., Result], tmp_path: Path, command: str
) -> None:
    path = write_network(tmp_path, network(("out", mean_face("ibug68", 1.0))))
    options = {
        "track": ("track", DEMO, "--out", tmp_path / "out", "--model", path),
        "evaluate": ("evaluate", path, "--data", DEMO),
    }[command]
    assert_refused(steadymark(*options), "make a model of it with 'steadymark add-model'")


def test_a_98_point_model_is_scored_on_the_landmarks_of_the_ground_truth(
    steadymark: Callable[..., Result], tmp_path: Path
) -> None:
    path = heatmap1d_network(tmp_path, "wflw98")
    options = ("--name", "mine", "--margin", "1.4", "--rgb", "--pixels", "255", *LICENCE_AND_DATA)
    assert steadymark("add-model", path, *options).exit_code == 0
    folder = tmp_path / "labelled"
    folder.mkdir()
    for number, face in enumerate(demo_faces()[:2]):
        cv2.imwrite(str(folder / f"{number}.png"), face.image)
        rows = "\n".join(f"{x + 1} {y + 1}" for x, y in face.truth)
        text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
        (folder / f"{number}.pts").write_text(text)
    result = steadymark("evaluate", "mine", "--data", folder, "--json", tmp_path / "s.json")
    assert result.exit_code == 0, result.output
    assert "mine: 68 of 98 landmarks, as in the truth" in result.output
    row = next(line for line in result.output.splitlines() if "NRMSE, % of outer-eye" in line)
    assert float(row.split()[-1]) < 5
