"""Files for the public host: workflows, issue forms, pre-commit hooks. All are valid YAML."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
YAML_FILES = [
    *WORKFLOWS,
    *FORMS,
    ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml",
    ROOT / ".pre-commit-config.yaml",
    ROOT / "CITATION.cff",
    ROOT / "packaging" / "docker" / "compose.yaml",
]


def load(path: Path) -> Any:
    """The content of a YAML file in which no key is written twice."""

    class UniqueKeys(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML is not typed
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
            assert len(keys) == len(set(keys)), f"{path.name} repeats a key: {keys}"
            mapping: dict[Any, Any] = super().construct_mapping(node, deep)
            return mapping

    return yaml.load(path.read_text(encoding="utf-8"), UniqueKeys)


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in load(workflow)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_yaml_is_parsed_to_a_mapping(path: Path) -> None:
    content = load(path)
    assert isinstance(content, dict)
    assert content


def test_the_tests_run_on_three_systems_and_three_pythons() -> None:
    matrix = load(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]["tests"]["strategy"][
        "matrix"
    ]
    assert [name.split("-")[0] for name in matrix["system"]] == ["ubuntu", "windows", "macos"]
    assert len(matrix["python"]) == 3
    with (ROOT / "pyproject.toml").open("rb") as file:
        oldest = tomllib.load(file)["project"]["requires-python"].removeprefix(">=")
    assert matrix["python"][0] == oldest


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_runs_what_exists(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}
    for step in steps(path):
        assert ("run" in step) != ("uses" in step), step
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
        for name in re.findall(r"\bpackaging/\S+", step.get("run", "")):
            assert (ROOT / name).exists(), name


def test_the_checks_of_the_gate_are_those_of_the_workflow_and_the_hooks() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    workflow = " ".join(step.get("run", "") for step in steps(WORKFLOWS[1]))
    assert WORKFLOWS[1].name == "lint.yml"
    hooks = {hook["entry"] for hook in load(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]}
    for tool in ("ruff check", "ruff format", "mypy", "lint-imports"):
        assert tool in gate
        assert tool in workflow
        assert any(tool in entry for entry in hooks)


def test_each_hook_is_a_program_of_the_extra_dev() -> None:
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        words = [word for word in shlex.split(hook["entry"]) if word != "env" and "=" not in word]
        assert shutil.which(words[0]), f"{words[0]} is not installed by the extra dev"
        assert hook["language"] == "system"


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_ask_for_the_report_of_doctor(path: Path) -> None:
    form = load(path)
    assert form["name"]
    assert form["description"]
    ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
    assert len(ids) == len(set(ids))
    (asked,) = (part for part in form["body"] if part.get("id") == "doctor")
    assert "steadymark doctor" in asked["attributes"]["label"]
    for part in form["body"]:
        assert part["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes")
        assert part["attributes"]["value" if part["type"] == "markdown" else "label"]
