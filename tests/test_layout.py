"""What must stay true of the tree: one package over three roots, separate imports, small files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [p for part in ("app", "engine", "models") for p in (ROOT / part).rglob("*.py")]


def test_the_package_is_made_in_one_root_and_holds_the_others() -> None:
    made = list(ROOT.glob("*/steadymark/__init__.py"))
    assert made == [ROOT / "engine" / "steadymark" / "__init__.py"]


def test_packaging_does_not_shadow_the_library() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_file_is_longer_than_400_lines() -> None:
    long = {p.name: n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert long == {}


@pytest.mark.parametrize(
    "module",
    [
        "steadymark.app.cli.main",
        "steadymark.app.cli.track_command",
        "steadymark.engine.pipeline.job",
    ],
)
def test_what_a_user_runs_imports_neither_torch_nor_qt(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "bad = {'torch', 'onnx', 'steadymark.models.training', 'PySide6'} & set(sys.modules); "
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    paths = ":".join(str(ROOT / part) for part in ("app", "engine", "models"))
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": paths, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
