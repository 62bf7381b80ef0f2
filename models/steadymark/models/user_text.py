"""What users are told: English sentences that can be told again in another language."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserText(str):
    """`UserText("{path} gives no frames", path="a.mp4")` is "a.mp4 gives no frames".

    One line of printable text, whatever strange names and values it quotes. The template is a
    literal, so that `python -m tools.update_translations` finds it. A field may be a sentence or
    a fault, which is then told in the other language, too.
    """

    __slots__ = ("fields", "template")
    template: str
    fields: dict[str, object]

    def __new__(cls, template: str, /, **fields: object) -> Self:
        plain = {name: _plain(value) for name, value in fields.items()}
        made = super().__new__(cls, fill_template(template, plain))
        made.template, made.fields = template, plain
        return made

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.template, self.fields)


def fill_template(template: str, fields: dict[str, object]) -> str:
    """One line of printable text; a template without fields may hold braces."""
    text = template.format_map(fields) if fields else template
    return "".join(c if c.isprintable() else " " for c in text)


def join_texts(sentences: Iterable[UserText]) -> UserText:
    """One sentence of all; empty where there are none."""
    first, *others = list(sentences) or [NOTHING]
    for other in others:
        first = UserText("{first}; {other}", first=first, other=other)
    return first


def _plain(value: object) -> object:
    """What can go to another process, and be formatted."""
    if isinstance(value, BaseException) and value.args and isinstance(value.args[0], UserText):
        return value.args[0]
    return value if isinstance(value, str | Number) else str(value)


def _again(kind: type[UserText], template: str, fields: dict[str, object]) -> UserText:
    return kind(template, **fields)


NOTHING = UserText("")
