"""A command is imported when it is used, and not with the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import sys
from steadymark.app.cli.main import app
try:
    app(sys.argv[2:])
except SystemExit as end:
    assert not end.code
    imported = set(sys.argv[1].split(",")) & set(sys.modules)
    sys.exit(f"imported {imported}" if imported else 0)
"""
CLI = "steadymark.app.cli"


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], ["numpy", "cv2", f"{CLI}.commands.track"]),
        (["spans", "--help"], ["av", "onnxruntime", f"{CLI}.commands.track"]),
        (["track", "--help"], ["av", "onnxruntime", f"{CLI}.commands.evaluate"]),
        (["bench", "speed", "--help"], [f"{CLI}.bench.scene_commands", f"{CLI}.commands.track"]),
    ],
    ids=lambda words: words[0],
)
def test_a_command_does_not_import_what_others_need(
    arguments: list[str], unwanted: list[str]
) -> None:
    paths = ":".join(str(ROOT / part) for part in ("app", "engine", "models"))
    done = subprocess.run(
        [sys.executable, "-c", RUN, ",".join(unwanted), *arguments],
        env={"PYTHONPATH": paths, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_an_unknown_command_is_refused_with_a_sentence() -> None:
    from typer.testing import CliRunner

    from steadymark.app.cli.main import app

    result = CliRunner().invoke(app, ["trak"])
    assert result.exit_code == 2
    assert "No such command 'trak'" in result.output
