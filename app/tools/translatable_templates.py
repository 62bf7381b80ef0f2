"""The sentences of engine and session that the window can show, found in the sources.

These are the templates of every `UserText(…)`, and of every fault, in all modules that the window
imports: what they say is translated. What only the command line, training and the cluster import
stays English.
"""

from __future__ import annotations

import ast
import importlib
import string
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from steadymark.models.errors import SteadymarkError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOTS = ("steadymark.app", "steadymark.engine", "steadymark.models")
WINDOW = ("steadymark.app.session", "steadymark.app.gui")
NOT_SHOWN = {
    "steadymark.app.gui.application",  # told on the terminal, before there is a window
    "steadymark.models.errors",  # makes sentences of faults, and has none of its own
}


class TemplateUse(NamedTuple):
    """One place where a sentence or a fault is made. template: None where it is no literal."""

    module: str
    line: int
    template: str | None
    fields: frozenset[str]

    @property
    def fault(self) -> str:
        """What keeps it from being translated and filled in; empty where all is well."""
        where = f"{self.module}, line {self.line}"
        if self.template is None:
            return f"{where}: the template is no literal"
        wanted = {name for _, name, _, _ in string.Formatter().parse(self.template) if name}
        if self.fields != wanted:
            return f"{where}: the template has {sorted(wanted)}, given are {sorted(self.fields)}"
        return ""


@cache
def shown_modules() -> dict[str, Path]:
    """Whose sentences the window can show, with their files.

    Raises:
        ImportError: grimp, which is for development, is not here.
    """
    import grimp

    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    own = {name for name in graph.modules if name.startswith(WINDOW)}
    shown = own.union(*map(graph.find_upstream_modules, own)) - NOT_SHOWN
    return {name: _file_of(name) for name in sorted(shown)}


def templates_in(module: str, file: Path) -> Iterator[TemplateUse]:
    """Of one module."""
    makers = {"UserText", *(kind.__name__ for kind in _faults(SteadymarkError))}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in makers:
            template = None
            match node.args:
                case [ast.Constant(value=str(text))]:
                    template = text
            given = frozenset(keyword.arg or "**" for keyword in node.keywords)
            yield TemplateUse(module, node.lineno, template, given)


@cache
def all_template_uses() -> tuple[TemplateUse, ...]:
    """Of all that the window can show."""
    shown = shown_modules()
    for module in shown:
        importlib.import_module(module)  # so that all kinds of faults are known
    return tuple(told for module, file in shown.items() for told in templates_in(module, file))


def templates() -> list[str]:
    """What is to be translated: each once, in order; also how fields are put together."""
    found = {told.template or "" for told in all_template_uses()}
    return sorted(template for template in found if _words(template).strip())


def _words(template: str) -> str:
    """Without the fields."""
    return "".join(words for words, *_ in string.Formatter().parse(template))


def _faults(kind: type[SteadymarkError]) -> Iterator[type[SteadymarkError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from _faults(special)


def _file_of(module: str) -> Path:
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin)
