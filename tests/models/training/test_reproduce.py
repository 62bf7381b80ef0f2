"""Recipes of the shipped models, and `steadymark-train reproduce`."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.models.errors import DataError
from steadymark.models.runtime.zoo import list_models, weights_folder, without_followers
from steadymark.models.training import reproduce as module
from steadymark.models.training.cli import app
from steadymark.models.training.registry import altered, find_system, system_of
from steadymark.models.training.reproduce import (
    largest_difference,
    read_recipe,
    recipe_names,
    reproduce,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMS = {
    "flow-cell": "flow-cell",
    "dan": "dan",
    "local_global": "local_global",
    "heatmap1d": "heatmap1d",
    "heatmap1d-tracker": "heatmap1d-tracker",
    "stabilize": "stabilizer",
    "face-net": "face-net",
    "pupils": "pupils",
}

NOT_SHIPPED = {"heatmap1d-base"}  # recipes of models that users make themselves


def folders(root: Path) -> dict[str, Path]:
    return {name: root / name for name in ("data", "runs", "weights", "out")}


def options(arguments: Sequence[str], name: str) -> list[str]:
    return [value for option, value in pairwise(arguments) if option == name]


def test_every_shipped_model_has_a_recipe() -> None:
    shipped = {card.name for card in without_followers(list_models())}
    assert shipped == set(recipe_names()) - NOT_SHIPPED
    for name in recipe_names():
        assert set(read_recipe(name).parents) <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_the_commands_of_a_recipe_are_understood_and_end_with_the_model(
    name: str, tmp_path: Path
) -> None:
    commands = read_recipe(name).arguments(folders(tmp_path))
    for command, *rest in commands:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
        if command in SYSTEMS:
            assert altered(find_system(SYSTEMS[command], "lite"), options(rest, "--set"))
            assert int(options(rest, "--steps")[0]) > 0
    if commands[-1][0] in ("calibrate-scores", "pupil-scores"):
        assert str(tmp_path / "out" / f"{name}.onnx") in commands.pop()
    assert commands[-1][0] == "export"
    assert options(commands[-1], "--name") == [name]
    assert options(commands[-1], "--out") == [str(tmp_path / "out")]


@pytest.mark.parametrize("name", ["dan-lite", "local_global-lite", "flow-cell"])
def test_a_recipe_trains_what_the_card_of_the_shipped_model_says(name: str, tmp_path: Path) -> None:
    card = json.loads((weights_folder() / f"{name}.json").read_text("utf-8"))["recipe"]
    (training, *rest), _ = read_recipe(name).arguments(folders(tmp_path))
    system = altered(find_system(SYSTEMS[training], card["preset"]), options(rest, "--set"))
    assert options(rest, "--steps") == [str(card["steps"])]
    assert options(rest, "--seed") == [str(card["seed"])]
    ours, theirs = system.describe(), system_of(card).describe()
    if name == "flow-cell":  # its recipe names the files of the detectors
        for recipe in (ours, theirs):
            recipe["bank"]["detectors"] = [Path(d).stem for d in recipe["bank"]["detectors"]]
    assert json.dumps(ours) == json.dumps(theirs)


def run_commands(monkeypatch: pytest.MonkeyPatch, fails: str = "") -> list[list[str]]:
    """Replace the runs of commands by notes of their arguments; `fails` ends with exit code 2."""
    ran: list[list[str]] = []

    def run(program: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        assert not check
        ran.append(program[3:])
        if program[3] == "export":
            out, name = options(program, "--out")[0], options(program, "--name")[0]
            Path(out).mkdir(parents=True, exist_ok=True)
            shutil.copy(weights_folder() / f"{name}.onnx", out)
        return subprocess.CompletedProcess(program, 2 if program[3] == fails else 0)

    monkeypatch.setattr(subprocess, "run", run)
    return ran


def test_parents_are_the_shipped_models_or_are_made_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run_commands(monkeypatch)
    reproduce("flow-cell", tmp_path, tmp_path / "a", with_parents=False, tell=list[str]().append)
    assert [arguments[0] for arguments in ran] == ["flow-cell", "export"]
    assert str(weights_folder() / "dan-lite.onnx") in " ".join(ran[0])
    ran.clear()
    monkeypatch.setattr(module, "read_recipe", short_recipe)
    reproduce("flow-cell", tmp_path, tmp_path / "b", with_parents=True, tell=list[str]().append)
    made = [options(arguments, "--name")[0] for arguments in ran if arguments[0] == "export"]
    assert made == ["heatmap1d-lite", "dan-lite", "flow-cell"]
    assert str(tmp_path / "b" / "dan-lite.onnx") in " ".join(ran[-2])


def short_recipe(name: str) -> module.Recipe:
    """Return the recipe, without the teachers of heatmap1d-lite, which are not shipped."""
    recipe = read_recipe(name)
    commands = tuple(c for c in recipe.commands if "teachers" not in c or name == "flow-cell")
    return module.Recipe(name, recipe.about, recipe.parents, commands)


def test_an_interrupted_training_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, told = run_commands(monkeypatch), list[str]()
    (tmp_path / "runs" / "dan-lite").mkdir(parents=True)
    (tmp_path / "runs" / "dan-lite" / "last.pt").touch()
    file = reproduce("dan-lite", tmp_path, tmp_path, with_parents=False, tell=told.append)
    assert [arguments.count("--resume") for arguments in ran] == [1, 0]
    assert told[0].startswith(f"steadymark-train dan --data {tmp_path} ")
    assert largest_difference(file, weights_folder() / "dan-lite.onnx") == 0
    assert largest_difference(file, weights_folder() / "flow-cell.onnx") == float("inf")


def test_a_failed_command_ends_the_reproduction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run_commands(monkeypatch, fails="dan")
    with pytest.raises(DataError, match="'steadymark-train dan' of the recipe of dan-lite failed"):
        reproduce("dan-lite", tmp_path, tmp_path, with_parents=False, tell=list[str]().append)
    assert len(ran) == 1


def test_the_command_tells_what_runs_and_how_the_result_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_commands(monkeypatch)
    arguments = ["reproduce", "dan-lite", "--data", str(tmp_path), "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "The Deep Alignment Network" in result.output
    assert "largest difference from the shipped weights: 0.0e+00" in result.output


def test_an_unknown_model_has_no_recipe() -> None:
    with pytest.raises(ValueError, match="no recipe of 'x': choose one of dan-lite, face_net"):
        read_recipe("x")


def test_a_recipe_of_two_networks_names_the_second_as_the_follower(tmp_path: Path) -> None:
    first, second, *exports = read_recipe("local_global-3d").arguments(folders(tmp_path))
    assert options(second, "--start") == [f"{options(first, '--out')[0]}/last.pt"]
    shares = {s for s in options(first, "--set") + options(second, "--set") if "wide_share" in s}
    assert shares == {"augment.wide_share=1.0", "augment.wide_share=0.0"}
    assert [options(each, "--follower") for each in exports] == [[], ["local_global-3d-follower"]]
    assert options(exports[0], "--name") == ["local_global-3d-follower"]


def test_a_model_that_is_not_shipped_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(name: str, *_: object, **__: object) -> Path:
        return tmp_path / f"{name}.onnx"

    monkeypatch.setattr(module, "reproduce", made)
    arguments = ["reproduce", "heatmap1d-base", "--data", str(tmp_path), "--out", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "no weights to compare with" in result.output
