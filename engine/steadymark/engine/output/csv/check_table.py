"""Finds errors in a landmark file, for `steadymark check FILE`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.output.csv.columns import (
    TableHead,
    column_faults,
    read_head,
    unknown_columns,
)
from steadymark.engine.output.csv.row_checks import KEYS, RowFault, key_faults, value_faults
from steadymark.engine.output.csv.row_parsing import bad_fields, lines_of, open_text, parse
from steadymark.engine.output.csv.table_dialect import plain_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from steadymark.engine.output.csv.row_parsing import Numbers


_BLOCK = 2000  # lines


class Severity(StrEnum):
    """An error means that the file is invalid; a warning may be intended."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning.

    Attributes:
        severity: Error or warning.
        line: Line number, counted from 1; None if the finding concerns the whole file.
        text: Description.
    """

    severity: Severity
    line: int | None
    text: str


def check_csv(path: str | Path, *, most: int = 50) -> tuple[Finding, ...]:
    """Check a landmark file in Steadymark's or OpenFace's style.

    Rows of lost faces and the box of a face may be NaN. Missing frames are a warning, because a
    live source leaves out frames that could not be processed.

    Args:
        path: The file.
        most: The largest number of findings to return. One more finding gives the number of the
            others.

    Returns:
        The findings in the order of the file; empty if the file is valid.

    Raises:
        LandmarkFileError: The file cannot be opened.
    """
    path = Path(path)
    found = sorted(_findings(path), key=lambda finding: finding.line or 0)
    if len(found) <= most:
        return tuple(found)
    left = found[most:]
    worst = Severity.ERROR if any(f.severity is Severity.ERROR for f in left) else Severity.WARNING
    return (*found[:most], Finding(worst, None, f"and {len(left)} more findings"))


def _findings(path: Path) -> Iterator[Finding]:
    yield from _name_findings(path)
    with open_text(path) as file:
        lines = lines_of(file)
        try:
            head = read_head(lines)
        except LandmarkFileError as error:
            yield _error(None, str(error))
            return
        faults = column_faults(head)
        yield from (_error(head.lines, fault) for fault in faults)
        unknown = unknown_columns(head)
        yield from (_error(head.lines, f"column '{name}' is unknown") for name in unknown)
        try:
            rows = plain_rows(lines, head.dialect)
            yield from _row_findings(rows, head, columns_good=not faults)
        except LandmarkFileError as error:
            yield _error(None, str(error))


def _row_findings(file: Iterator[str], head: TableHead, *, columns_good: bool) -> Iterator[Finding]:
    """Check the rows block by block, so that long files need little memory."""
    keys = [i for i, name in enumerate(head.names) if name in KEYS]
    blocks, lines_of = [np.empty((0, len(keys)))], [np.empty(0, np.int64)]
    number = head.lines
    while block := list(islice(file, _BLOCK)):
        rows, found = _split(block, number + 1, head)
        number += len(block)
        numbers, unreadable = _numbers(rows, head)
        yield from found + unreadable
        if columns_good:
            lines = np.array(list(rows), np.int64)
            yield from _from_rows(value_faults(numbers, head), lines)
            blocks.append(numbers[:, keys])
            lines_of.append(lines)
    if columns_good:
        narrow = replace(head, names=tuple(head.names[i] for i in keys))
        faults = key_faults(np.concatenate(blocks), narrow)
        yield from _from_rows(faults, np.concatenate(lines_of))


def _split(block: list[str], first: int, head: TableHead) -> tuple[dict[int, str], list[Finding]]:
    """Return the lines with the right number of fields, by number, and findings on the others."""
    rows, found = {}, []
    for number, line in enumerate(block, start=first):
        if not line.endswith("\n"):
            found.append(_error(number, "the file ends within this line: it was cut off"))
        elif (count := line.count(",") + 1) != len(head.names):
            fields = "1 field" if count == 1 else f"{count} fields"
            found.append(_error(number, f"{fields}, but {len(head.names)} columns"))
        else:
            rows[number] = line
    return rows, found


def _name_findings(path: Path) -> Iterator[Finding]:
    if path.suffix == ".part":
        yield Finding(Severity.WARNING, None, "'.part': being written, or the program was killed")
    elif path.stem.endswith(".partial"):
        yield Finding(Severity.WARNING, None, "'.partial': the recording stopped before its end")


def _numbers(rows: dict[int, str], head: TableHead) -> tuple[Numbers, list[Finding]]:
    """Parse the rows; rows that cannot be parsed are removed from `rows` and reported."""
    if not rows:
        return np.empty((0, len(head.names))), []
    try:
        return parse(rows.values(), head), []
    except ValueError:
        pass  # check each row alone, which is slow but finds the faulty row
    found = []
    for number, line in list(rows.items()):
        if faults := bad_fields(line.split(","), head):
            found += [_error(number, fault) for fault in faults]
            del rows[number]
    if not found:
        rows.clear()
        return np.empty((0, len(head.names))), [_error(None, "a row cannot be read as numbers")]
    numbers, more = _numbers(rows, head)
    return numbers, found + more


def _from_rows(faults: Iterable[RowFault], line_of: NDArray[np.int64]) -> list[Finding]:
    return [
        Finding(Severity.WARNING if is_warning else Severity.ERROR, int(line_of[row]), text)
        for rows, text, is_warning in faults
        for row in rows
    ]


def _error(line: int | None, text: str) -> Finding:
    return Finding(Severity.ERROR, line, text)
