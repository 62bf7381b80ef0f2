"""Exports of reviewed tables: one row for a face and frame, or one row for a frame."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.csv.columns import BOX, FORMAT, IMAGE, MAGIC, NAME, REVIEW, numbered
from steadymark.engine.output.output_paths import replacing
from steadymark.engine.review.person_track import with_left_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.review.reviewed_table import ReviewedTable

    Values = NDArray[Any]

PARQUET = ".parquet"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_PER_FRAME = ("frame", IMAGE, "timestamp_s")  # columns that all faces of a frame share


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is exported of a reviewed table, and how.

    Attributes:
        wide: One row for a frame, with columns for each person, instead of one for each face.
        drop_excluded: Leave excluded rows out, instead of marking them.
        start_s: Start of the exported part in seconds.
        end_s: End of the exported part; None for the end of the video.
        persons: Numbers of the persons to export; empty for all.
    """

    wide: bool = False
    drop_excluded: bool = False
    start_s: float = 0.0
    end_s: float | None = None
    persons: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class ExportColumn:
    """A column: its values, (N,), and the number of decimals; None for text and whole numbers."""

    values: Values
    decimals: int | None = None

    def texts(self) -> list[str]:
        """Return the values as text; unknown numbers are `nan`."""
        if self.decimals is None:
            return [str(value) for value in self.values.tolist()]
        form = f"%.{self.decimals}f"
        return [form % value for value in self.values.tolist()]


def export_reviewed(table: ReviewedTable, path: Path, options: ExportOptions | None = None) -> int:
    """Write a reviewed table.

    The name of the file says its format: `.parquet` for Parquet (it needs pyarrow), otherwise CSV.
    A CSV file with one row for each face can be read like any table of Steadymark.

    Args:
        table: The reviewed table.
        path: The file; an existing one is replaced.
        options: What is exported; None takes the defaults.

    Returns:
        The number of rows.

    Raises:
        UsageError: Parquet was asked for and pyarrow is not installed, or no row is left.
        SinkError: The file cannot be written.
    """
    chosen = options or ExportOptions()
    part = selected(table, chosen)
    columns = wide_columns(part) if chosen.wide else long_columns(part)
    with replacing(path) as new:
        if path.suffix.lower() == PARQUET:
            _write_parquet(new, columns)
        else:
            _write_csv(new, [] if chosen.wide else _head(part), columns)
    return len(next(iter(columns.values())).values)


def person_files(
    table: ReviewedTable, target: Path, options: ExportOptions
) -> dict[Path, ExportOptions]:
    """Return the file of each person, such as `talk.Ada.csv`, and what is exported into it.

    Args:
        table: The reviewed table.
        target: The file of all persons, `talk.csv`.
        options: What is exported; if it names persons, only these have files.
    """
    there = np.unique(table.person[table.person >= 0]).tolist()
    files: dict[Path, ExportOptions] = {}
    for person in there:
        if options.persons and person not in options.persons:
            continue
        called = str(table.name[np.argmax(table.person == person)])
        name = _NOT_IN_NAMES.sub("_", called).strip("_.") or str(person)
        path = target.with_name(f"{target.stem}.{name}{target.suffix}")
        if path in files:
            path = target.with_name(f"{target.stem}.{name}_{person}{target.suffix}")
        files[path] = replace(options, persons=frozenset({person}))
    return files


def long_columns(table: ReviewedTable) -> dict[str, ExportColumn]:
    """Return the columns of native tables, and after them person, name, corrected and excluded."""
    rows = table.table
    k = rows.xy_px.shape[1]
    columns = {"frame": ExportColumn(rows.frame)}
    if (rows.image != "").any():
        columns[IMAGE] = ExportColumn(rows.image)
    nobody = rows.face_id < 0
    columns |= {
        "face_id": ExportColumn(np.where(nobody, np.nan, rows.face_id), 0),
        "timestamp_s": ExportColumn(rows.timestamp_s, 6),
        "state": ExportColumn(rows.state),
        "score": ExportColumn(rows.score, 4),
    }
    columns |= {name: ExportColumn(rows.box[:, i], 3) for i, name in enumerate(BOX)}
    for i, column in enumerate(attribute_columns()):
        columns[column.name] = ExportColumn(rows.attributes[:, i], column.decimals)
    for prefix, points in (("", rows.xy_px), ("raw_", rows.raw_xy_px)):
        for axis, name in enumerate("xy"):
            for i, each in enumerate(numbered(prefix + name, k)):
                columns[each] = ExportColumn(points[:, i, axis], 3)
    for i, name in enumerate(numbered("score", k)):
        columns[name] = ExportColumn(rows.point_score[:, i], 4)
    review = (
        ExportColumn(np.where(nobody, np.nan, table.person), 0),
        ExportColumn(table.name),
        ExportColumn(table.corrected.astype(np.int64)),
        ExportColumn(table.excluded.astype(np.int64)),
    )
    return columns | dict(zip(REVIEW, review, strict=True))


def wide_columns(table: ReviewedTable) -> dict[str, ExportColumn]:
    """Return one row for each frame, with the columns `NAME_column` for each person.

    Raises:
        UsageError: Two persons have the same name, or a person has two faces in a frame.
    """
    long = long_columns(table)
    frames, first, place = np.unique(table.table.frame, return_index=True, return_inverse=True)
    wide = {
        name: ExportColumn(long[name].values[first], long[name].decimals)
        for name in _PER_FRAME
        if name in long
    }
    for person in np.unique(table.person[table.person >= 0]).tolist():
        rows = np.flatnonzero(table.person == person)
        label = "_".join(str(table.name[rows[0]]).split())
        if len(np.unique(place[rows])) < len(rows):
            raise UsageError(
                "person {name} has two faces in a frame: undo the merge, or export one row for "
                "each face",
                name=label,
            )
        for name, column in long.items():
            if name in _PER_FRAME or name in ("person", NAME):
                continue
            wide[f"{label}_{name}"] = _spread(column, rows, place[rows], len(frames))
    return wide


def _spread(
    column: ExportColumn, rows: NDArray[np.int64], place: NDArray[np.int64], frames: int
) -> ExportColumn:
    """Put the values of one person into an array with one value for each frame."""
    values = column.values[rows]
    if values.dtype.kind == "U":
        out = np.full(frames, "", values.dtype)
        out[place] = values
        return ExportColumn(out)
    numbers = np.full(frames, np.nan)
    numbers[place] = values
    return ExportColumn(numbers, column.decimals or 0)


def selected(table: ReviewedTable, options: ExportOptions) -> ReviewedTable:
    """Return the rows that are exported; the header tells the frames that have none of them.

    Args:
        table: The reviewed table.
        options: What is exported.

    Raises:
        UsageError: No row is left.
    """
    times = table.table.timestamp_s
    if not len(times):
        raise UsageError("nothing can be exported: the table has no rows")
    keep = times >= options.start_s
    if options.end_s is not None:
        keep &= times <= options.end_s
    if options.drop_excluded:
        keep &= ~table.excluded
    if options.persons:
        keep &= np.isin(table.person, sorted(options.persons))
    if not keep.any():
        raise UsageError("nothing is left to export: everything is excluded or outside the part")
    part = table.select(keep)
    header = with_left_out(table.table.header, table.table.frame, part.table.frame)
    return replace(part, table=replace(part.table, header=header))


def _head(table: ReviewedTable) -> list[str]:
    text = json.dumps(table.table.header, ensure_ascii=False, default=str)
    return [f"{MAGIC} {FORMAT}", f"# {text}"]


def _write_csv(path: Path, head: Sequence[str], columns: dict[str, ExportColumn]) -> None:
    texts: Iterable[Sequence[str]] = zip(
        *(column.texts() for column in columns.values()), strict=True
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in head)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(texts)


def _write_parquet(path: Path, columns: dict[str, ExportColumn]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: pip install pyarrow, or name a file "
            "that ends in .csv"
        ) from error
    pq.write_table(pa.table({name: column.values for name, column in columns.items()}), path)
