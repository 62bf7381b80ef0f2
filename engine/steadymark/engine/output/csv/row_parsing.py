"""Parsing the rows of a landmark file into numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.columns import IMAGE, TEXTS, CsvStyle, TableHead
from steadymark.engine.output.csv.table_dialect import text_of
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from numpy.typing import NDArray

Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
STATES = tuple(FaceState)
LARGEST = 2.0**53  # whole numbers up to here are exact in float64
_LONGEST_LINE = 1 << 22  # characters: more than 10⁵ landmarks
_CODES = {str(state): float(i) for i, state in enumerate(STATES)}


def open_text(path: Path) -> TextIO:
    """Open a landmark file as UTF-8 text and skip a byte order mark.

    Invalid UTF-8 is replaced, so that parsing reports it as a field that is not a number.

    Args:
        path: The file.

    Returns:
        The open file.

    Raises:
        LandmarkFileError: The file cannot be opened.
    """
    try:
        return path.open(encoding="utf-8-sig", errors="replace")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise LandmarkFileError(
            "cannot read {path}: {error}", path=path, error=os_reason(error)
        ) from error


def lines_of(file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; a file without line breaks does not fill the memory.

    Args:
        file: The open file.

    Yields:
        The lines.

    Raises:
        LandmarkFileError: A line is too long.
    """
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise LandmarkFileError("line {number} is longer than any row can be", number=number)
        yield line


def parse(
    lines: Iterable[str], head: TableHead, image_names: dict[str, float] | None = None
) -> Numbers:
    """Parse rows into numbers; empty lines are skipped.

    Args:
        lines: The rows.
        head: The head of the table.
        image_names: Receives the names in the column `image` with their numbers, in order.

    Returns:
        (N, C) float64; a state is given by its index in `STATES`, the name of an image file by its
        number in `image_names`.

    Raises:
        ValueError: A line has another number of fields, or a field is not a number.
    """
    known = {} if image_names is None else image_names

    def image_number(text: str) -> float:
        return known.setdefault(text_of(text), float(len(known)))

    converters: dict[int | str, Callable[[str], float]]
    converters = {i: _code for i, name in enumerate(head.names) if is_state(head, name)}
    converters |= {i: _ignored for i, name in enumerate(head.names) if is_text(head, name)}
    converters |= {i: image_number for i, name in enumerate(head.names) if is_image(head, name)}
    return np.loadtxt(lines, delimiter=",", comments=None, ndmin=2, converters=converters)


def is_state(head: TableHead, name: str) -> bool:
    """Return whether a column holds states instead of numbers."""
    return head.style is CsvStyle.NATIVE and name == "state"


def is_image(head: TableHead, name: str) -> bool:
    """Return whether a column holds names of image files instead of numbers."""
    return head.style is CsvStyle.NATIVE and name == IMAGE


def is_text(head: TableHead, name: str) -> bool:
    """Return whether a column holds texts instead of numbers."""
    return head.style is CsvStyle.NATIVE and name in TEXTS


def bad_fields(fields: Sequence[str], head: TableHead) -> list[UserText]:
    """Describe the fields of a row that cannot be parsed.

    Args:
        fields: The fields, one per column.
        head: The head of the table.

    Returns:
        One description per invalid field.
    """
    faults = []
    for name, text in zip(head.names, fields, strict=True):
        if is_text(head, name):
            continue
        state = is_state(head, name)
        reader: Callable[[str], float] = _code if state else _number
        try:
            reader(text)
        except (KeyError, ValueError):
            given = text.strip()[:40]
            faults.append(
                UserText(
                    "column '{name}': '{given}' is not a state ({states})",
                    name=name,
                    given=given,
                    states=", ".join(STATES),
                )
                if state
                else UserText("column '{name}': '{given}' is not a number", name=name, given=given)
            )
    return faults


def field_count_fault(number: int, count: int, columns: int) -> UserText:
    """Describe a row that has more or fewer fields than there are columns."""
    return UserText.counted(
        "line {number} has 1 field, but there are {columns} columns",
        "line {number} has {count} fields, but there are {columns} columns",
        number=number,
        count=count,
        columns=columns,
    )


def os_reason(error: OSError | ValueError) -> object:
    """Return why a file cannot be opened, in the words of the system."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return UserText("its name is not valid")  # it contains a NUL


def state_codes(numbers: Numbers, head: TableHead) -> NDArray[np.int64]:
    """Return the state of each row; OpenFace's success is mapped to tracked or lost.

    Args:
        numbers: (N, C) values.
        head: The head of the table.

    Returns:
        (N,) indices in `STATES`.
    """
    if head.style is CsvStyle.NATIVE:
        return numbers[:, head.names.index("state")].astype(np.int64)
    good = numbers[:, head.names.index("success")] == 1
    return np.where(good, STATES.index(FaceState.TRACKED), STATES.index(FaceState.LOST))


def _code(text: str) -> float:
    code = _CODES.get(text.strip())
    if code is None:
        raise ValueError(f"unknown state {text!r}")
    return code


def _ignored(text: str) -> float:
    """Return 0 for a text that no value of the table is made of."""
    del text
    return 0.0


def _number(text: str) -> float:
    """Parse a number as NumPy does: ASCII only, without underscores."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)
