"""`--help` groups the options of commands that have many, and fits 80 columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.cli.help_groups import FACES, INPUT, OUTPUT, help_groups

GROUPED = {
    ("track",): ["Input", "Faces", "Stabilizer", "Output", "Live", "Computer"],
    ("evaluate",): ["Input", "Faces", "Stabilizer", "Output", "Computer"],
    ("smooth",): ["Input", "Stabilizer", "Output"],
    ("add-model",): ["Model", "Network"],
    ("bench", "stability"): ["Scenes", "Model", "Output", "Computer"],
    ("bench", "ablation"): ["Scenes", "Model", "Output", "Computer"],
    ("bench", "detector"): ["Input", "Faces", "Output"],
    ("bench", "light"): ["Input", "Model", "Stabilizer", "Output", "Computer"],
}


def help_text(*command: str) -> str:
    result = CliRunner().invoke(
        cli.app, [*command, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}
    )
    assert result.exit_code == 0, result.output
    return result.output


def options_of(command: tuple[str, ...]) -> set[str]:
    """Every long option that a command knows."""
    found = get_command(cli.app)
    for name in command:
        found = found.commands[name]  # type: ignore[attr-defined]
    return {o for p in found.params for o in (*p.opts, *p.secondary_opts) if o.startswith("--")}


@pytest.mark.parametrize(("command", "groups"), GROUPED.items(), ids=" ".join)
def test_help_shows_every_option_in_a_group(command: tuple[str, ...], groups: list[str]) -> None:
    text = help_text(*command)
    assert [
        g for g in re.findall(r"╭─ (\w+) ─", text) if g not in ("Arguments", "Options")
    ] == groups
    rest = re.search(r"╭─ Options ─.*?╰", text, re.DOTALL)
    assert rest is not None
    assert re.findall(r"--[\w-]+", rest[0]) == ["--help"]


@pytest.mark.parametrize("command", GROUPED, ids=" ".join)
def test_help_shows_every_option_in_full_at_80_columns(command: tuple[str, ...]) -> None:
    text = help_text(*command)
    assert max(map(len, text.splitlines())) <= 80
    assert options_of(command) <= set(re.findall(r"--[\w-]+", text))


def test_an_option_without_a_group_is_refused() -> None:
    def command(
        one: Annotated[int, typer.Option()] = 1, two: Annotated[int, typer.Option()] = 2
    ) -> None:
        pass

    with pytest.raises(ValueError, match=r"command in no group, or unknown: \{'two'\}"):
        help_groups({INPUT: "one"})(command)
    with pytest.raises(ValueError, match=r"unknown: \{'three'\}"):
        help_groups({INPUT: "one two", OUTPUT: "three"})(command)


def test_a_grouped_command_is_called_with_its_arguments() -> None:
    app, calls = typer.Typer(), []

    @app.command()
    @help_groups({FACES: "second", OUTPUT: "first"})
    def command(
        file: Annotated[Path, typer.Argument()],
        first: Annotated[int, typer.Option()],
        second: Annotated[str, typer.Option("--other")] = "b",
    ) -> None:
        calls.append((file, first, second))

    assert CliRunner().invoke(app, ["a", "--first", "3"]).exit_code == 0
    assert calls == [(Path("a"), 3, "b")]
