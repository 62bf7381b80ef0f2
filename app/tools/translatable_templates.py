"""The sentences of the engine and the session that the window can show, found in the sources.

They are the templates of every `UserText(…)` and of every error in all modules that the window
imports. Sentences of modules that only the command line, training and the cluster import stay in
English.
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
    from collections.abc import Iterator, Sequence

ROOTS = ("steadymark.app", "steadymark.engine", "steadymark.models")
WINDOW = ("steadymark.app.session", "steadymark.app.gui")
# Packages whose modules a registry imports by name.
REGISTRIES = ("steadymark.engine.attributes", "steadymark.engine.stabilizers")
_COUNT = frozenset({"count"})
NOT_SHOWN = {
    "steadymark.app.gui.application",  # shown on the terminal, before there is a window
    "steadymark.models.errors",  # builds the sentences of errors, and has none of its own
}


class TemplateUse(NamedTuple):
    """One place where a sentence or an error is made; template is None if it is not a literal.

    optional: the fields that the template may leave out.
    """

    module: str
    line: int
    template: str | None
    fields: frozenset[str]
    optional: frozenset[str] = frozenset()

    @property
    def problem(self) -> str:
        """Return why the template cannot be translated and filled in, or an empty string."""
        where = f"{self.module}, line {self.line}"
        if self.template is None:
            return f"{where}: the template is no literal"
        wanted = {name for _, name, _, _ in string.Formatter().parse(self.template) if name}
        if self.fields - self.optional != wanted - self.optional:
            return f"{where}: the template has {sorted(wanted)}, given are {sorted(self.fields)}"
        return ""


@cache
def shown_modules() -> dict[str, Path]:
    """Return the modules whose sentences the window can show, with their files.

    Raises:
        ImportError: grimp, which is a development dependency, is not installed.
    """
    import grimp

    graph = grimp.build_graph(*ROOTS, exclude_type_checking_imports=True, cache_dir=None)
    own = {name for name in graph.modules if name.startswith((*WINDOW, *REGISTRIES))}
    shown = own.union(*map(graph.find_upstream_modules, own))
    registered = {
        name
        for module in shown
        for registry, package in registries(_file_of(module))
        for name in graph.find_children(package)
        if f"\n{registry}.add(" in _file_of(name).read_text(encoding="utf-8")
    }
    shown = shown.union(registered, *map(graph.find_upstream_modules, registered)) - NOT_SHOWN
    return {name: _file_of(name) for name in sorted(shown)}


def registries(file: Path) -> Iterator[tuple[str, str]]:
    """Return the registries in a file, each with the package whose modules add its entries.

    A registry imports the modules by their names, so that the graph of imports does not show them.
    """
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=called, args=[_, ast.Constant(value=str(package)), *_]),
            ) if ast.unparse(called).split("[")[0] == "Registry":
                yield name, package


def templates_in(module: str, file: Path) -> Iterator[TemplateUse]:
    """Return the templates of one module."""
    constructors = {"UserText", *(kind.__name__ for kind in _error_classes(SteadymarkError))}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        fields = frozenset(keyword.arg or "**" for keyword in node.keywords)
        if _is_counted(node):
            for arg, optional in zip(node.args, (_COUNT, frozenset[str]()), strict=False):
                yield TemplateUse(module, node.lineno, _literal([arg]), fields, optional)
        elif ast.unparse(node.func).split(".")[-1] in constructors and not (
            len(node.args) == 1 and _is_counted(node.args[0])
        ):
            yield TemplateUse(module, node.lineno, _literal(node.args), fields)


def _is_counted(node: ast.expr) -> bool:
    """Return whether the node is `UserText.counted(…)`, which has a singular and a plural."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "UserText.counted"


def _literal(args: Sequence[ast.expr]) -> str | None:
    """Return the template if it is the only argument and a literal."""
    match args:
        case [ast.Constant(value=str(text))]:
            return text
    return None


@cache
def all_template_uses() -> tuple[TemplateUse, ...]:
    """Return the templates of all modules that the window can show."""
    shown = shown_modules()
    for module in shown:
        importlib.import_module(module)  # Importing the modules defines all kinds of errors.
    return tuple(use for module, file in shown.items() for use in templates_in(module, file))


def templates() -> list[str]:
    """Return the templates to translate, sorted and without duplicates.

    Templates that consist only of fields are left out.
    """
    found = {use.template or "" for use in all_template_uses()}
    return sorted(template for template in found if _words(template).strip())


def _words(template: str) -> str:
    """Return the template without its fields."""
    return "".join(words for words, *_ in string.Formatter().parse(template))


def _error_classes(kind: type[SteadymarkError]) -> Iterator[type[SteadymarkError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from _error_classes(special)


def _file_of(module: str) -> Path:
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin)
