"""Runs the recipe of a shipped model: the trainings, from the data to the file and its card."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import DataError
from steadymark.models.runtime.onnx_weights import read_weights
from steadymark.models.runtime.zoo import weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECIPES = Path(__file__).parent / "recipes"
_NOT_RESUMED = ("export", "average", "face-score", "calibrate-scores", "pupil-scores")  # minutes


@dataclass(frozen=True, slots=True)
class Recipe:
    """The commands that make a shipped model.

    Attributes:
        name: Name of the model.
        about: What the model is.
        parents: Names of the models that the commands need.
        commands: Arguments of `steadymark-train`, one text per run. {data} stands for the data
            folder, {runs} for the folder of the runs, {weights} for the folder of the parents, and
            {out} for the folder of the result.
    """

    name: str
    about: str
    parents: tuple[str, ...]
    commands: tuple[str, ...]

    def arguments(self, folders: Mapping[str, Path]) -> list[list[str]]:
        """Return the arguments of each command.

        Args:
            folders: The folder that each placeholder stands for.
        """
        texts = {name: str(folder) for name, folder in folders.items()}
        return [
            [part.format_map(texts) for part in shlex.split(command)] for command in self.commands
        ]


def recipe_names() -> tuple[str, ...]:
    """Return the names of the models that have a recipe, sorted."""
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def read_recipe(name: str) -> Recipe:
    """Read the recipe of a shipped model.

    Args:
        name: Name of the model.

    Raises:
        ValueError: There is no recipe of that name.
    """
    if name not in recipe_names():
        raise ValueError(f"no recipe of '{name}': choose one of {', '.join(recipe_names())}")
    content = tomllib.loads((RECIPES / f"{name}.toml").read_text(encoding="utf-8"))
    return Recipe(name, content["about"], tuple(content["parents"]), tuple(content["commands"]))


def reproduce(
    name: str, data: Path, out: Path, *, with_parents: bool, tell: Callable[[str], None]
) -> Path:
    """Make a shipped model again. An interrupted reproduction continues where it stopped.

    Args:
        name: Name of the model.
        data: The data folder.
        out: Folder for the models; the runs are in its folder `runs`.
        with_parents: Make the models that this one needs, too, instead of using the shipped ones.
        tell: Called with each command before it runs.

    Returns:
        Path of the ONNX file.

    Raises:
        ValueError: There is no recipe of that name.
        DataError: A command failed.
    """
    recipe = read_recipe(name)
    if with_parents:
        for parent in recipe.parents:
            reproduce(parent, data, out, with_parents=True, tell=tell)
    weights = out if with_parents else weights_folder()
    folders = {"data": data, "runs": out / "runs", "weights": weights, "out": out}
    for arguments in recipe.arguments(folders):
        again = [*arguments, *_resumed(arguments)]
        tell(f"steadymark-train {shlex.join(again)}")
        program = [sys.executable, "-m", "steadymark.models.training.cli", *again]
        if subprocess.run(program, check=False).returncode:
            raise DataError(f"'steadymark-train {arguments[0]}' of the recipe of {name} failed")
    return out / f"{name}.onnx"


def _resumed(arguments: list[str]) -> list[str]:
    """Return the option that continues a training whose folder has a checkpoint."""
    if arguments[0] in _NOT_RESUMED:
        return []
    run = Path(arguments[arguments.index("--out") + 1])
    return ["--resume"] if (run / "last.pt").is_file() else []


def largest_difference(file: Path, shipped: Path) -> float:
    """Return the largest difference of a weight of two networks, as a share of its tensor's scale.

    Args:
        file: ONNX file of the one network.
        shipped: ONNX file of the other.

    Returns:
        The greatest |a - b| / max|b| over all tensors; infinity if the networks differ in size.
    """
    ours, theirs = (read_weights(path.read_bytes()) for path in (file, shipped))
    if {n: a.shape for n, a in ours.items()} != {n: b.shape for n, b in theirs.items()}:
        return float("inf")
    return max(
        float(np.abs(ours[n] - theirs[n]).max() / max(float(np.abs(theirs[n]).max()), 1e-12))
        for n in ours
    )
