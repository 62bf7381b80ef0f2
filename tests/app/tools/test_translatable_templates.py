"""Every sentence that the window can show is a literal template, so that it can be translated."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steadymark.models.errors import SteadymarkError
from tools.translatable_templates import (
    NOT_SHOWN,
    all_template_uses,
    shown_modules,
    templates,
    templates_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# whose ValueErrors tell a programmer what a call lacks; none is quoted to users
CONTRACTS = {
    "steadymark.engine.metrics.accuracy",
    "steadymark.engine.metrics.accuracy_scores",
    "steadymark.engine.metrics.tracker_tables",
    "steadymark.engine.output.csv.native_csv",
    "steadymark.engine.output.csv.row_parsing",
    "steadymark.engine.streaming.targets",
    "steadymark.engine.sources.video.video_index",
    "steadymark.engine.tracking.tracker",
    "steadymark.engine.core.types",
    "steadymark.models.choice_registry",
    "steadymark.models.face.schema",
    "steadymark.models.face.schema_conversion",
}
ROOT = Path(__file__).resolve().parents[3]
TELLING = {"told.emit", "told", "messages.tell", "_tell", "_fault", "_on_fault"}


def calls(file: Path) -> Iterator[ast.Call]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def flattened(file: Path) -> list[str]:
    """Places where a fault of ours that was caught becomes a plain text, which stays English."""
    ours = {"SteadymarkError", *(kind.__name__ for kind in SteadymarkError.__subclasses__())}
    return [
        f"{file.name}, line {handler.lineno}"
        for handler in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        for node in ast.walk(handler)
        if _is_made_text(node, handler.name)
        and ours & {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
    ]


def _is_made_text(node: ast.AST, name: str | None) -> bool:
    match node:
        case ast.Call(func=ast.Name("str"), args=[ast.Name(used)]):
            return used == name
        case ast.FormattedValue(value=ast.Name(used)):
            return used == name
    return False


def test_every_sentence_is_a_literal_with_the_fields_that_it_names() -> None:
    told = all_template_uses()
    assert len(told) > 200
    assert [one.fault for one in told if one.fault] == []


def test_english_sentences_have_the_fields_that_they_name_too() -> None:
    parts = (ROOT / part / "steadymark" for part in ("app", "engine", "models"))
    files = [file for part in parts for file in part.rglob("*.py") if file.name != "errors.py"]
    told = [one for file in files for one in templates_in(file.name, file) if one.fields]
    assert len({one.module for one in told}) > 40
    assert [one.fault for one in told if one.fault] == []


def test_the_border_is_what_the_window_imports() -> None:
    shown = shown_modules()
    for name in (
        "steadymark.app.session.presets",
        "steadymark.engine.pipeline.job",
        "steadymark.engine.sources.video.container",
        "steadymark.models.runtime.zoo",
    ):
        assert name in shown
    english = (
        *("app.cli", "engine.bench", "engine.batch.dask_cluster"),
        *("models.training", "models.datasets"),
    )
    assert [n for n in shown if n.removeprefix("steadymark.").startswith(english)] == []
    assert not NOT_SHOWN & set(shown)


def test_no_fault_is_made_a_plain_text_on_its_way_to_the_window() -> None:
    assert [place for file in shown_modules().values() for place in flattened(file)] == []


def test_nothing_is_told_that_is_not_translated() -> None:
    plain = [
        f"{module}, line {call.lineno}"
        for module, file in shown_modules().items()
        for call in calls(file)
        if ast.unparse(call.func).endswith(tuple(TELLING))
        and any(isinstance(arg, ast.JoinedStr) or _is_text(arg) for arg in call.args)
    ]
    assert plain == []


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def test_reasons_that_users_read_are_no_plain_value_errors() -> None:
    made = {
        module
        for module, file in shown_modules().items()
        for call in calls(file)
        if ast.unparse(call.func) == "ValueError" and call.args
    }
    assert made - CONTRACTS == set(), "if a user can read it, raise a ContentError"
    assert CONTRACTS - made == set()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('raise SourceError("{path} is empty", path=path)', ""),
        ('raise SourceError("no input")', ""),
        ('raise SourceError(f"{path} is empty")', "no literal"),
        ('raise SourceError("{path} is empty".format(path=path))', "no literal"),
        ("raise SourceError(words)", "no literal"),
        ("raise errors.SourceError(words)", "no literal"),
        ("raise SourceError()", "no literal"),
        ('note = UserText(f"{count} frames")', "no literal"),
        ('raise SourceError("{path} is empty")', r"has ['path'], given are []"),
        ('raise SourceError("{path} is empty", file=path)', r"has ['path'], given are ['file']"),
        ('raise SourceError("{path} is empty", **fields)', r"given are ['**']"),
    ],
)
def test_a_site_that_goes_around_is_found(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "made.py"
    file.write_text(f"def one(path, words, fields):\n    {line}\n", encoding="utf-8")
    (told,) = templates_in("made", file)
    assert fault in told.fault
    assert bool(told.fault) == bool(fault)


def test_a_fault_that_becomes_a_plain_text_is_found(tmp_path: Path) -> None:
    file = tmp_path / "made.py"
    for use, found in (("str(error)", 1), ('f"no: {error}"', 1), ("error.sentence", 0)):
        body = f"try:\n    pass\nexcept SteadymarkError as error:\n    tell({use})\n"
        file.write_text(body, encoding="utf-8")
        assert len(flattened(file)) == found


def test_templates_are_there_once_and_hold_words_or_signs() -> None:
    found = templates()
    assert len(set(found)) == len(found)
    assert "{path} does not exist: check the name and the folder" in found
    assert "{first}; {other}" in found
    assert "{why}" not in found
    assert "" not in found
