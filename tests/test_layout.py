"""The layout of the repository: one package in three roots, small files and folders."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [p for part in ("app", "engine", "models") for p in (ROOT / part).rglob("*.py")]

ROOTS = ("app", "engine", "models", "tests")
MOST_FILES = 15  # besides `__init__.py`
REPEATED = {
    "__init__.py": "marks a package",
    "conftest.py": "pytest looks for it in each folder",
    "errors.py": "each root's own errors, under the name that every reader expects",
    "cli.py": "each program's own command line",
}


def test_only_one_root_has_the_init_file_of_the_package() -> None:
    found = list(ROOT.glob("*/steadymark/__init__.py"))
    assert found == [ROOT / "engine" / "steadymark" / "__init__.py"]


def test_packaging_does_not_shadow_the_library() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_no_file_is_longer_than_400_lines() -> None:
    too_long = {p.name: n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert too_long == {}


@pytest.mark.parametrize("root", ROOTS)
def test_a_folder_contains_at_most_15_python_files(root: str) -> None:
    folders: dict[str, int] = defaultdict(int)
    for path in (ROOT / root).rglob("*.py"):
        folders[str(path.parent.relative_to(ROOT))] += path.name != "__init__.py"
    assert folders
    assert {folder: count for folder, count in folders.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("root", ROOTS)
def test_no_file_name_is_used_twice_within_a_root(root: str) -> None:
    paths_by_name: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / root).rglob("*.py")):
        if path.name not in REPEATED:
            paths_by_name[path.name].append(str(path.relative_to(ROOT)))
    assert paths_by_name
    assert {name: paths for name, paths in paths_by_name.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("root", ROOTS)
def test_no_class_name_is_used_twice_within_a_root(root: str) -> None:
    paths_by_name: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                paths_by_name[node.name].append(str(path.relative_to(ROOT)))
    assert paths_by_name
    assert {name: paths for name, paths in paths_by_name.items() if len(paths) > 1} == {}


@pytest.mark.parametrize(
    "module",
    [
        "steadymark.app.cli.main",
        "steadymark.app.cli.commands.evaluate",
        "steadymark.app.cli.commands.track",
        "steadymark.app.cli.track_command",
        "steadymark.engine.pipeline.job",
    ],
)
def test_modules_that_users_run_import_neither_torch_nor_qt(module: str) -> None:
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
