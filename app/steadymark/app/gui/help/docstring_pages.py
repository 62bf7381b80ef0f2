"""The docstrings of the Python reference, as the manual shows them without mkdocstrings."""

from __future__ import annotations

import inspect
import re
import textwrap
from pkgutil import resolve_name

_WIDTH = 92  # of a signature, in characters
_MARKER = re.compile(r"^::: (\S+)$", re.MULTILINE)


def with_docstrings(markdown: str) -> str:
    """Return a page with a section for each line `::: MODULE.NAME`: signature and docstring.

    Args:
        markdown: The Markdown text of a page; one without such lines is returned as it is.

    Raises:
        ImportError: A line names no module.
        AttributeError: A line names nothing in its module.
    """
    return _MARKER.sub(lambda found: _section(found[1]), markdown)


def _section(path: str) -> str:
    value, name = resolve_name(path), path.rpartition(".")[2]
    if inspect.ismodule(value):
        functions = (getattr(value, each) for each in value.__all__)
        return "\n\n".join(_described(each.__name__, each) for each in functions)
    members = vars(value).items() if inspect.isclass(value) else ()
    methods = [(each, member) for each, member in members if _is_public(each, member)]
    described = [_described(name, value)]
    described += [_described(f"{name}.{each}", member) for each, member in methods]
    return "\n\n".join(described)


def _is_public(name: str, member: object) -> bool:
    kinds = property, classmethod, staticmethod
    return name[0] != "_" and (inspect.isfunction(member) or isinstance(member, kinds))


def _described(name: str, value: object) -> str:
    """Return the heading of a function, class, method or property, with its documentation."""
    value = inspect.unwrap(value) if callable(value) else getattr(value, "__func__", value)
    signature = ""
    if callable(value) and not (inspect.isclass(value) and issubclass(value, Exception)):
        plain = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value)))
        line = name.rpartition(".")[2] + plain
        wrapped = textwrap.wrap(line, _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        signature = "\n".join(wrapped) + "\n\n"
    return f"### {name}\n\n```\n{signature}{inspect.getdoc(value) or ''}\n```"
