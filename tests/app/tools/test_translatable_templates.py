"""Every message that the window can show is a literal template, so that it can be translated."""

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

    # their ValueErrors report wrong calls to programmers and are never shown to users
PROGRAMMER_ERRORS = {
    "steadymark.engine.metrics.accuracy",
    "steadymark.engine.metrics.accuracy_scores",
    "steadymark.engine.metrics.tracker_tables",
    "steadymark.engine.output.csv.native_csv",
    "steadymark.engine.output.csv.row_parsing",
    "steadymark.engine.streaming.targets",
    "steadymark.engine.sources.video.video_index",
    "steadymark.engine.tracking.tracker",
    "steadymark.engine.core.pupils",
    "steadymark.engine.core.types",
    "steadymark.models.face.schema",
    "steadymark.models.face.schema_conversion",
}
ROOT = Path(__file__).resolve().parents[3]
MESSAGE_FUNCTIONS = {
    "message_posted.emit",
    "message_posted",
    "messages.show_message",
    "_show_fault",
    "_fault",
    "_on_fault",
}


def calls(file: Path) -> Iterator[ast.Call]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def errors_as_plain_text(file: Path) -> list[str]:
    """Return the places where a caught SteadymarkError becomes plain text, which stays English."""
    own_errors = {"SteadymarkError", *(kind.__name__ for kind in SteadymarkError.__subclasses__())}
    return [
        f"{file.name}, line {handler.lineno}"
        for handler in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        for node in ast.walk(handler)
        if _becomes_text(node, handler.name)
        and own_errors & {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
    ]


def _becomes_text(node: ast.AST, name: str | None) -> bool:
    match node:
        case ast.Call(func=ast.Name("str"), args=[ast.Name(used)]):
            return used == name
        case ast.FormattedValue(value=ast.Name(used)):
            return used == name
    return False


def test_every_message_is_a_literal_with_all_fields_that_it_names() -> None:
    uses = all_template_uses()
    assert len(uses) > 200
    assert [one.problem for one in uses if one.problem] == []


def test_untranslated_messages_also_have_all_fields_that_they_name() -> None:
    parts = (ROOT / part / "steadymark" for part in ("app", "engine", "models"))
    files = [file for part in parts for file in part.rglob("*.py") if file.name != "errors.py"]
    uses = [one for file in files for one in templates_in(file.name, file) if one.fields]
    assert len({one.module for one in uses}) > 40
    assert [one.problem for one in uses if one.problem] == []


def test_the_checked_modules_are_those_that_the_window_imports() -> None:
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


def test_no_error_becomes_plain_text_before_the_window_shows_it() -> None:
    assert [
        place for file in shown_modules().values() for place in errors_as_plain_text(file)
    ] == []


def test_no_untranslated_text_is_shown_as_a_message() -> None:
    plain = [
        f"{module}, line {call.lineno}"
        for module, file in shown_modules().items()
        for call in calls(file)
        if ast.unparse(call.func).endswith(tuple(MESSAGE_FUNCTIONS))
        and any(isinstance(arg, ast.JoinedStr) or _is_text(arg) for arg in call.args)
    ]
    assert plain == []


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def test_errors_that_users_read_are_not_plain_value_errors() -> None:
    modules = {
        module
        for module, file in shown_modules().items()
        for call in calls(file)
        if ast.unparse(call.func) == "ValueError" and call.args
    }
    assert modules - PROGRAMMER_ERRORS == set(), "if a user can read it, raise a ContentError"
    assert PROGRAMMER_ERRORS - modules == set()


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
def test_a_message_that_is_not_a_literal_is_found(tmp_path: Path, line: str, fault: str) -> None:
    file = tmp_path / "made.py"
    file.write_text(f"def one(path, words, fields):\n    {line}\n", encoding="utf-8")
    (uses,) = templates_in("made", file)
    assert fault in uses.problem
    assert bool(uses.problem) == bool(fault)


def test_both_templates_of_a_counted_text_are_found(tmp_path: Path) -> None:
    file = tmp_path / "made.py"
    inner = 'UserText.counted("1 frame of {name}", "{count} frames of {name}", count=n, name=a)'
    for line in (f"note = {inner}", f"raise SourceError({inner})"):
        file.write_text(f"def one(n, a):\n    {line}\n", encoding="utf-8")
        uses = list(templates_in("made", file))
        assert [u.template for u in uses] == ["1 frame of {name}", "{count} frames of {name}"]
        assert [u.problem for u in uses] == ["", ""]
    file.write_text('UserText.counted("1 frame", "{frames} frames", count=n)', encoding="utf-8")
    one, many = templates_in("made", file)
    assert one.problem == ""
    assert "has ['frames'], given are ['count']" in many.problem


def test_an_error_that_becomes_plain_text_is_found(tmp_path: Path) -> None:
    file = tmp_path / "made.py"
    for use, found in (("str(error)", 1), ('f"no: {error}"', 1), ("error.sentence", 0)):
        body = f"try:\n    pass\nexcept SteadymarkError as error:\n    tell({use})\n"
        file.write_text(body, encoding="utf-8")
        assert len(errors_as_plain_text(file)) == found


def test_templates_are_unique_and_not_empty() -> None:
    found = templates()
    assert len(set(found)) == len(found)
    assert "{path} does not exist: check the name and the folder" in found
    assert "{first}; {other}" in found
    assert "{why}" not in found
    assert "" not in found
