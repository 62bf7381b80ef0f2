"""Reading of landmark tables in every registered format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.table_formats import TABLE_FORMATS

if TYPE_CHECKING:
    from steadymark.engine.output.csv.landmark_table import LandmarkTable


def read_table(path: str | Path) -> LandmarkTable:
    """Read a landmark table in any format; see `read_landmarks` for CSV files.

    Args:
        path: The file.

    Returns:
        The table.

    Raises:
        LandmarkFileError: The file is not a valid landmark table.
    """
    table = read_by_format(Path(path))
    return read_landmarks(path) if table is None else table


def read_by_format(path: Path) -> LandmarkTable | None:
    """Return the table if a format has its own reader for the file, otherwise None."""
    for found in TABLE_FORMATS.all():
        if found.read is not None and (table := found.read(path)) is not None:
            return table
    return None
