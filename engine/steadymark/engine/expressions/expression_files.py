"""Files of expression settings: JSON that holds what differs from the measured expressions.

```json
{"steadymark_expressions": 1, "name": "Cartoon", "mirrored": true,
 "shapes": {"jawOpen": {"gain": 1.5, "dead_zone": 0.05, "curve": 0.8}}}
```
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.errors import UsageError
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import (
    PARAMETERS,
    UNCHANGED,
    ExpressionSettings,
    ShapeSettings,
)
from steadymark.engine.output.output_paths import replacing
from steadymark.models.errors import ContentError

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT = "steadymark_expressions"
_FIELDS = (_FORMAT, "name", "mirrored", "shapes")
LONGEST_NAME = 60  # characters
_LARGEST_FILE = 1 << 20  # bytes; a file with all shapes has 5 kB


@dataclass(frozen=True, slots=True)
class NamedExpressions:
    """Expression settings with the name that the user gave them."""

    name: str
    settings: ExpressionSettings


def checked_name(name: str) -> str:
    """Return the name of expression settings without needless spaces.

    Raises:
        UsageError: The name is empty, too long, or not printable.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise UsageError(
            "the name of expression settings has 1 to {most} printable characters",
            most=LONGEST_NAME,
        )
    return name


def expression_values(named: NamedExpressions) -> dict[str, object]:
    """Return the contents of a file with these settings, as values of JSON.

    Raises:
        UsageError: The name is not valid.
    """
    settings = named.settings
    shapes = {
        name: asdict(shape)
        for name, shape in zip(SHAPES, settings.shapes, strict=True)
        if shape != UNCHANGED
    }
    return {
        _FORMAT: 1,
        "name": checked_name(named.name),
        "mirrored": settings.mirrored,
        "shapes": shapes,
    }


def write_expressions(path: Path, named: NamedExpressions) -> None:
    """Write settings into a file; an existing one stays as it is if that fails.

    Raises:
        SinkError: The file cannot be written.
        UsageError: The name is not valid.
    """
    text = json.dumps(expression_values(named), indent=2, ensure_ascii=False) + "\n"
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8")


def read_expressions(path: Path) -> NamedExpressions:
    """Read a file of expression settings and check every value.

    Raises:
        UsageError: The file cannot be read, is no such file, or has a value that is not valid.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ContentError("it is too large")
        return expressions_of(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason: object = error.strerror or error
    except UsageError as error:
        reason = error
    except (ValueError, RecursionError) as error:  # of which ContentError is one
        reason = error if isinstance(error, ContentError) else f"{type(error).__name__}: {error}"
    raise UsageError(
        "{path} holds no expression settings ({reason}): correct it, or choose another file",
        path=path,
        reason=reason,
    )


def expressions_of(data: Any) -> NamedExpressions:
    """Return the settings from the contents of a file, see `expression_values`.

    Raises:
        ContentError: The values are not those of expression settings.
        UsageError: The name is not valid.
    """
    if not isinstance(data, dict) or data.get(_FORMAT) != 1:
        raise ContentError("it lacks '{name}': 1", name=_FORMAT)
    unknown = [key for key in data if key not in _FIELDS]
    if unknown:
        raise ContentError("'{name}' is unknown", name=unknown[0])
    name, mirrored = data.get("name"), data.get("mirrored", False)
    if not isinstance(name, str):
        raise ContentError("it has no name")
    if not isinstance(mirrored, bool):
        raise ContentError("'mirrored' is neither true nor false")
    settings = ExpressionSettings(_shapes(data.get("shapes", {})), mirrored)
    return NamedExpressions(checked_name(name), settings)


def _shapes(shapes: Any) -> tuple[ShapeSettings, ...]:
    if not isinstance(shapes, dict):
        raise ContentError("'shapes' is no object with the names of shapes")
    unknown = [name for name in shapes if name not in SHAPES]
    if unknown:
        raise ContentError("there is no shape '{name}'", name=unknown[0])
    return tuple(_shape(each, shapes[each]) if each in shapes else UNCHANGED for each in SHAPES)


def _shape(name: str, values: Any) -> ShapeSettings:
    known = [parameter.name for parameter in PARAMETERS]
    if not isinstance(values, dict):
        raise ContentError("'{name}' is no object with {known}", name=name, known=", ".join(known))
    for key, value in values.items():
        if key not in known:
            raise ContentError("'{name}' has an unknown '{key}'", name=name, key=key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ContentError("the {key} of '{name}' is no number", key=key, name=name)
    try:
        return ShapeSettings(**{key: _number(value) for key, value in values.items()})
    except UsageError as error:
        raise ContentError("'{name}': {fault}", name=name, fault=error) from error


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:  # an integer of hundreds of digits
        raise ContentError("a number is too large") from error
