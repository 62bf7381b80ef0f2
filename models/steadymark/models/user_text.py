"""Messages for users: English sentences that the program can translate later."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class UserText(str):
    """A string that remembers the template and the values it was made from.

    `UserText("{path} gives no frames", path="a.mp4")` is "a.mp4 gives no frames". The text is
    always one line of printable characters, whatever the values contain. The template must be a
    literal, so that `python -m tools.update_translations` finds it. A value may itself be a
    `UserText` or an error with a `UserText` message, which is then translated too.
    """

    __slots__ = ("fields", "template")
    template: str
    fields: dict[str, object]

    def __new__(cls, template: str, /, **fields: object) -> Self:
        plain = {name: _plain(value) for name, value in fields.items()}
        text = super().__new__(cls, fill_template(template, plain))
        text.template, text.fields = template, plain
        return text

    @classmethod
    def counted(cls, one: str, many: str, /, *, count: int, **fields: object) -> Self:
        """Make a text in the singular or the plural.

        `UserText.counted("1 frame", "{count} frames", count=n)`. Both templates must be literals,
        which are translated separately; the singular may leave `{count}` out.

        Args:
            one: The template for exactly one.
            many: The template for any other number.
            count: The number, which is also a field.
            **fields: The values of the other fields.
        """
        return cls(one if count == 1 else many, count=count, **fields)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.template, self.fields)


def fill_template(template: str, fields: dict[str, object]) -> str:
    """Fill in a template and return one line of printable text.

    A template without fields is returned as it is, so it may contain braces.

    Args:
        template: A format string.
        fields: The values for the names in braces.

    Returns:
        The text, with each unprintable character replaced by a space.
    """
    text = template.format_map(fields) if fields else template
    return "".join(c if c.isprintable() else " " for c in text)


def join_texts(sentences: Iterable[UserText]) -> UserText:
    """Join sentences with semicolons.

    Args:
        sentences: The sentences to join.

    Returns:
        One text; it is empty if there are no sentences.
    """
    first, *others = list(sentences) or [NOTHING]
    for other in others:
        first = UserText("{first}; {other}", first=first, other=other)
    return first


def _plain(value: object) -> object:
    """Convert a value to something that can be pickled and formatted."""
    if isinstance(value, BaseException) and value.args and isinstance(value.args[0], UserText):
        return value.args[0]
    return value if isinstance(value, str | Number) else str(value)


def _rebuild(kind: type[UserText], template: str, fields: dict[str, object]) -> UserText:
    return kind(template, **fields)


NOTHING = UserText("")
