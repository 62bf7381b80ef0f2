"""Finding faults in a landmark file, for `steadymark check FILE`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.recording.columns import (
    Head,
    LandmarkFileError,
    column_faults,
    read_head,
    unknown_columns,
)
from steadymark.engine.recording.row_checks import Fault, row_faults
from steadymark.engine.recording.rows import bad_fields, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from steadymark.engine.recording.rows import Numbers


class Severity(StrEnum):
    """error: the file is wrong. warning: it may be meant so."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. line: counted from 1; None where the file as a whole is meant."""

    severity: Severity
    line: int | None
    text: str


def check_csv(path: str | Path, *, most: int = 50) -> tuple[Finding, ...]:
    """Check a landmark file of either style; a valid one has no findings.

    Lost rows, and the box of a face, may be NaN; frames that are missing are a warning, since a
    live source leaves out what it could not process. At most `most` findings come back, in the
    order of the file, and one more that counts the rest.

    Raises:
        LandmarkFileError: the file cannot be opened.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise LandmarkFileError(f"cannot read {path}: {error}") from error
    found = sorted(_findings(path, data), key=lambda finding: finding.line or 0)
    if len(found) <= most:
        return tuple(found)
    left = found[most:]
    worst = Severity.ERROR if any(f.severity is Severity.ERROR for f in left) else Severity.WARNING
    return (*found[:most], Finding(worst, None, f"and {len(left)} more findings"))


def _findings(path: Path, data: bytes) -> Iterator[Finding]:
    yield from _name_findings(path)
    lines = data.decode("utf-8-sig", "replace").split("\n")
    if lines[-1]:
        yield _error(len(lines), "the file ends within a line: it was cut off")
    lines = lines[:-1]  # empty, or the end of a row that is not whole
    try:
        rest = iter(lines)
        head = read_head(rest)
    except LandmarkFileError as error:
        yield _error(None, str(error))
        return
    faults = column_faults(head)
    yield from (_error(head.lines, fault) for fault in faults)
    yield from (_error(head.lines, f"column '{name}' is unknown") for name in unknown_columns(head))
    whole: dict[int, str] = {}
    for number, line in enumerate(rest, start=head.lines + 1):
        if (count := line.count(",") + 1) != len(head.names):
            yield _error(number, f"{count} fields, but {len(head.names)} columns")
        else:
            whole[number] = line
    numbers, unreadable = _numbers(whole, head)
    yield from unreadable
    if not faults:
        kept = np.array(sorted(whole), np.int64)
        yield from _from_rows(row_faults(numbers, head), kept)


def _name_findings(path: Path) -> Iterator[Finding]:
    if path.suffix == ".part":
        yield Finding(Severity.WARNING, None, "'.part': being written, or the program was killed")
    elif path.stem.endswith(".partial"):
        yield Finding(Severity.WARNING, None, "'.partial': the recording stopped before its end")


def _numbers(whole: dict[int, str], head: Head) -> tuple[Numbers, list[Finding]]:
    """Parse the rows; those that are not numbers are taken out of `whole` and reported."""
    if not whole:
        return np.empty((0, len(head.names))), []
    try:
        return parse(whole.values(), head), []
    except ValueError as error:
        reason = str(error)  # now row by row, which is slow but finds the place
    found = []
    for number, line in list(whole.items()):
        if faults := bad_fields(line.split(","), head):
            found += [_error(number, fault) for fault in faults]
            del whole[number]
    if not found:
        return np.empty((0, len(head.names))), [_error(None, reason)]
    numbers, more = _numbers(whole, head)
    return numbers, found + more


def _from_rows(faults: Iterable[Fault], line_of: NDArray[np.int64]) -> list[Finding]:
    return [
        Finding(Severity.WARNING if mild else Severity.ERROR, int(line_of[row]), text)
        for rows, text, mild in faults
        for row in rows
    ]


def _error(line: int | None, text: str) -> Finding:
    return Finding(Severity.ERROR, line, text)
