"""Tables that another program has saved again: R, pandas, spreadsheets.

Such programs quote texts, write semicolons and decimal commas, leave missing values empty, pad
short lines, add a column of row numbers, or lose the lines above the columns. A table that
Steadymark or OpenFace wrote is read without any of this.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

DELIMITERS = (",", ";", "\t")
_MISSING = frozenset(("", "NA", "N/A", "#N/A", "NULL", "None", "<NA>"))
_NAMELESS = re.compile(r"|Unnamed: [0-9]+", re.ASCII)  # pandas' name of a column without a name
_COMMA = "\ue000"  # stands for a comma within a field of text; no file name contains it
_MAY_NEED_CHANGE = ('"', ",,", "N/A", "NA", "NULL", "None")


@dataclass(frozen=True, slots=True)
class TableDialect:
    """How the rows of a table are saved.

    Attributes:
        delimiter: What separates the fields.
        columns: Number of columns in the file.
        kept: Indices of the columns that have a name.
        texts: Indices of the columns that hold texts.
    """

    delimiter: str
    columns: int
    kept: tuple[int, ...]
    texts: frozenset[int] = frozenset()

    def plain(self, line: str) -> str:
        """Return a row with commas, decimal points and `nan` for missing values.

        A row with a wrong number of fields keeps a wrong number of fields. Commas in texts are
        replaced; see `text_of`.

        Args:
            line: The row as it is in the file.

        Returns:
            The row with the columns that have a name. An empty line stays empty.
        """
        if self._is_plain(line):
            return line
        fields = [field.strip() for field in split_fields(line, self.delimiter)]
        if not any(fields):
            return "\n"
        end = "\n" if line.endswith("\n") else ""
        if len(fields) != self.columns:
            return "," * (len(fields) - self.columns + len(self.kept) - 1) + end
        kept = (self._plain_field(i, fields[i]) for i in self.kept)
        return ",".join(kept) + end

    def _plain_field(self, column: int, field: str) -> str:
        if column in self.texts:
            return field.replace(",", _COMMA)
        return "nan" if field in _MISSING else field.replace(",", ".")

    def _is_plain(self, line: str) -> bool:
        return (
            self.delimiter == ","
            and self.columns == len(self.kept)
            and not any(part in line for part in _MAY_NEED_CHANGE)
            and not line.rstrip().endswith(",")
        )


def text_of(field: str) -> str:
    """Return a text as it is in the file from a field of a row that `TableDialect.plain` made."""
    return field.strip().replace(_COMMA, ",")


def dialect_of(line: str, texts: Collection[str] = ()) -> tuple[TableDialect, tuple[str, ...]]:
    """Return the dialect of a table and the names of its columns.

    Args:
        line: The line that names the columns.
        texts: Names of the columns that hold texts.

    Returns:
        The dialect, and the columns that have a name.
    """
    delimiter = max(DELIMITERS, key=line.count)
    names = tuple(name.strip() for name in split_fields(line, delimiter))
    kept = tuple(i for i, name in enumerate(names) if not _NAMELESS.fullmatch(name))
    of_text = frozenset(i for i, name in enumerate(names) if name in texts)
    return TableDialect(delimiter, len(names), kept, of_text), tuple(names[i] for i in kept)


def split_fields(line: str, delimiter: str = ",") -> list[str]:
    """Return the fields of a line; quoted fields may contain delimiters.

    Args:
        line: The line.
        delimiter: What separates the fields.

    Returns:
        The fields without their quotes.
    """
    line = line.rstrip("\r\n")
    if '"' in line:
        try:
            return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [""])
        except csv.Error:
            pass  # a field that no program writes: the row is reported with its quotes
    return line.split(delimiter)


def plain_rows(lines: Iterable[str], dialect: TableDialect | None) -> Iterator[str]:
    """Yield rows as Steadymark writes them.

    Args:
        lines: The rows of the file.
        dialect: How they are saved; None if they are as Steadymark writes them.

    Returns:
        The rows, one per line.
    """
    return iter(lines) if dialect is None else map(dialect.plain, lines)
