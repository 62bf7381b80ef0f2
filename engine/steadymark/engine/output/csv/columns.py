"""The columns of landmark files, and the lines above the first row."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES, attribute_columns
from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.output.csv.table_dialect import (
    DELIMITERS,
    TableDialect,
    dialect_of,
    split_fields,
)
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = "# steadymark-csv"
FORMAT = 1
BOX = ("box_left", "box_top", "box_width", "box_height")
IMAGE = "image"  # the column of image files' names, which tables of videos do not have
NAME = "name"  # the column of persons' names, which only reviewed tables have
TEXTS = (IMAGE, NAME)
REVIEW = ("person", NAME, "corrected", "excluded")  # columns that reviewed tables have, too
_NATIVE_FIRST = ("frame", "face_id", "timestamp_s", "state", "score", *BOX)
_NATIVE_POINTS = ("x", "y", "raw_x", "raw_y", "score")
_OPENFACE_FIRST = ("frame", "face_id", "timestamp", "confidence", "success")
_OPTIONAL = {"face_id"}  # early versions of OpenFace track one face and have no such column
_NUMBERED = re.compile(r"(.+)_(0|[1-9][0-9]{0,5})", re.ASCII)


class CsvStyle(StrEnum):
    """Style of a landmark file."""

    NATIVE = "native"
    OPENFACE = "openface"


@dataclass(frozen=True, slots=True)
class TableHead:
    """The lines above the first row.

    Attributes:
        style: Style of the file.
        header: The writer's header; empty in OpenFace files, and in files that lost it.
        names: The columns from left to right.
        lines: Number of lines above the first row.
        points: Number of landmarks K.
        dialect: How the rows are saved; None if they are as Steadymark writes them.
    """

    style: CsvStyle
    header: dict[str, object]
    names: tuple[str, ...]
    lines: int
    points: int
    dialect: TableDialect | None = None


def numbered(prefix: str, points: int) -> tuple[str, ...]:
    """Return the names prefix_0 to prefix_(points - 1)."""
    return tuple(f"{prefix}_{i}" for i in range(points))


def native_columns(points: int, *, images: bool = False) -> tuple[str, ...]:
    """Return the columns of Steadymark's files.

    Args:
        points: Number of landmarks.
        images: Whether the rows name image files.

    Returns:
        The names of the columns.
    """
    attributes = tuple(column.name for column in attribute_columns())
    landmarks = tuple(name for prefix in _NATIVE_POINTS for name in numbered(prefix, points))
    first = (_NATIVE_FIRST[0], IMAGE, *_NATIVE_FIRST[1:]) if images else _NATIVE_FIRST
    return first + attributes + landmarks


def openface_columns(points: int) -> tuple[str, ...]:
    """Return the columns of OpenFace's files that Steadymark writes, for a number of landmarks."""
    attributes = tuple(c.name for c in attribute_columns() if c.openface_decimals is not None)
    return _OPENFACE_FIRST + attributes + numbered("x", points) + numbered("y", points)


def read_head(lines: Iterator[str]) -> TableHead:
    """Read the lines above the first row, also of tables that another program saved again.

    Args:
        lines: The lines of the file; the header lines are consumed.

    Returns:
        The head of the table.

    Raises:
        LandmarkFileError: The file is not a landmark file.
    """
    first = next(lines, "")
    if not first.strip():
        raise LandmarkFileError("line 1: the file is empty or starts with an empty line")
    if "\0" in first:
        raise LandmarkFileError("line 1: the file is not UTF-8: save it as 'CSV UTF-8'")
    if first.lstrip('"').startswith(MAGIC):
        return _native_head(first, lines)
    dialect, names = dialect_of(first, TEXTS)
    if {"frame", "timestamp_s"} <= set(names):
        return TableHead(CsvStyle.NATIVE, {}, names, 1, _points(names, _NATIVE_POINTS), dialect)
    if {"frame", "timestamp"} <= set(names):
        return TableHead(CsvStyle.OPENFACE, {}, names, 1, _points(names, ("x", "y")), dialect)
    raise LandmarkFileError(
        "line 1: neither a Steadymark file ('{magic} {format}') nor the names of its columns "
        "('frame,face_id,timestamp_s,…') or of OpenFace's ('frame, face_id, timestamp, …'): "
        "save the table as CSV with the names of its columns in the first line",
        magic=MAGIC,
        format=FORMAT,
    )


def column_faults(head: TableHead) -> tuple[UserText, ...]:
    """Return what is wrong with the columns; additional columns are allowed.

    A table without any column of an attribute is valid: older files, and files from before a
    plug-in was added have none. OpenFace's options decide which columns its files have, so that
    only the landmarks are needed.

    Args:
        head: The head of the table.

    Returns:
        One short description per fault.
    """
    native = head.style is CsvStyle.NATIVE
    needed = native_columns(head.points) if native else openface_columns(head.points)
    absent: set[str] = set()
    for attribute in ATTRIBUTES.all():
        names = {column.name for column in attribute.columns}
        if not native or names.isdisjoint(head.names):
            absent |= names
    needed = tuple(name for name in needed if name not in absent)
    counts = Counter(head.names)
    faults = [] if head.points else [UserText("there are no landmark columns (x_0, y_0, …)")]
    faults += [
        UserText("column '{name}' is missing", name=name)
        for name in needed
        if not counts[name] and (native or name not in _OPTIONAL)
    ]
    faults += [
        UserText("column '{name}' appears {count} times", name=name, count=count)
        for name, count in counts.items()
        if count > 1
    ]
    return tuple(faults)


def unknown_columns(head: TableHead) -> tuple[str, ...]:
    """Return columns that are not part of the format; always empty for OpenFace's files."""
    if head.style is CsvStyle.OPENFACE:
        return ()
    known = {*native_columns(head.points, images=True), *REVIEW}
    return tuple(name for name in head.names if name not in known)


def _native_head(first: str, lines: Iterator[str]) -> TableHead:
    marked = first.strip().rstrip("".join(DELIMITERS)).strip('"')
    version = marked[len(MAGIC) :].strip()
    if version != str(FORMAT):
        raise LandmarkFileError(
            "line 1: this program reads format {format}, not format '{version}': "
            "use a newer Steadymark",
            version=version,
            format=FORMAT,
        )
    second = next(lines, "")
    written_here = marked == first.strip() and second.startswith("#")
    header = _json(second) if written_here else _facts_left(second)
    columns = next(lines, "")
    found, names = dialect_of(columns, TEXTS)
    dialect: TableDialect | None = found
    if written_here and found.delimiter == "," and '"' not in columns and not found.texts:
        dialect, names = None, tuple(name.strip() for name in columns.split(","))
    return TableHead(CsvStyle.NATIVE, header, names, 3, _points(names, _NATIVE_POINTS), dialect)


def _json(line: str) -> dict[str, object]:
    try:
        header = json.loads(line.removeprefix("#"))
    except (ValueError, RecursionError) as error:
        raise LandmarkFileError("line 2: the header is not '# ' and JSON") from error
    if not isinstance(header, dict):
        raise LandmarkFileError("line 2: the header is not a JSON object")
    return header


def _facts_left(line: str) -> dict[str, object]:
    """Return the header that a spreadsheet split into cells; empty if it is not JSON any more."""
    for delimiter in DELIMITERS:
        cells = [cell.strip() for cell in split_fields(line, delimiter)]
        try:
            return _json(",".join(cells).rstrip(","))
        except LandmarkFileError:
            continue
    return {}


def _points(names: tuple[str, ...], prefixes: tuple[str, ...]) -> int:
    """Return the largest K of the prefixes, so that a missing column does not reduce K."""
    found = Counter(m[1] for n in set(names) if (m := _NUMBERED.fullmatch(n)))
    return max(found[p] for p in prefixes)
