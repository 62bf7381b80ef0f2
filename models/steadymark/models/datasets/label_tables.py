"""Readers of data sets whose labels are rows of one file: WFLW lists and HRNet tables."""

from __future__ import annotations

import csv
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.datasets.image_loaders import ImageFile
from steadymark.models.datasets.labelled_face import (
    Dataset,
    LabelEntry,
    LabelledFace,
    as_points,
    collect,
)
from steadymark.models.errors import DataError
from steadymark.models.face.schema import USUAL_SCHEMAS, load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_WFLW_POINTS = 98
_WFLW_SHORT = 2 * _WFLW_POINTS + 1  # fields of a line with landmarks and file name
_WFLW_FIELDS = _WFLW_SHORT + 4 + 6  # plus box and attributes
_WFLW_ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
_HRNET_FIRST = ("image_name", "scale", "center_w", "center_h")
_HRNET_UNIT = 200  # size in pixels of a face with scale 1


def read_wflw(table: Path, images: Path) -> Dataset:
    """Read a WFLW list, which has one face per line. Pixels count from 0.

    A line holds 98 landmarks, the box, 6 attributes and the file name. Lines of the lists of test
    subsets may hold only the landmarks and the file name.

    Args:
        table: The list, such as list_98pt_rect_attr_test.txt.
        images: Folder that the file names are relative to.

    Raises:
        DataError: The list cannot be read or is empty, or `images` is not a folder.
    """
    _check_folder(images, table)
    lines = [
        (n, line.split(maxsplit=_WFLW_FIELDS - 1))
        for n, line in enumerate(_read_text(table).splitlines(), 1)
        if line.strip()
    ]
    if not any(len(fields) in (_WFLW_FIELDS, _WFLW_SHORT) for _, fields in lines):
        raise DataError(f"{table} holds no line of WFLW: name one of its list_98pt_….txt")

    def read(number: int, fields: Sequence[str]) -> LabelledFace:
        if len(fields) not in (_WFLW_FIELDS, _WFLW_SHORT):
            raise ValueError(
                f"has {len(fields)} fields, {_WFLW_FIELDS} are expected ({_WFLW_SHORT} without box)"
            )
        box_and_attributes = fields[2 * _WFLW_POINTS : -1]
        flags = zip(_WFLW_ATTRIBUTES, box_and_attributes[4:], strict=False)
        return _face(
            fields[-1].strip(),
            number,
            images,
            _numbers(fields[: 2 * _WFLW_POINTS]).reshape(-1, 2),
            schema="wflw98",
            box=_numbers(box_and_attributes[:4]).astype(np.float32) if box_and_attributes else None,
            attributes=tuple(name for name, value in flags if value != "0"),
        )

    return collect(
        LabelEntry(f"{table}, line {n},", partial(read, n, fields)) for n, fields in lines
    )


def read_hrnet_csv(table: Path, images: Path, schema: str | None = None) -> Dataset:
    """Read a table of HRNet's face alignment, which has one face per row.

    The columns are image_name, scale, center_w, center_h, original_0_x, original_0_y, … Pixels
    count from 0, as in HRNet. The box is the square that scale and centre define.

    Args:
        table: The CSV file.
        images: Folder that the image names are relative to.
        schema: Schema of the landmarks; by default the usual one with that many landmarks.

    Raises:
        DataError: The file is not such a table, or `images` is not a folder.
    """
    _check_folder(images, table)
    rows = _read_rows(table)
    header = tuple(name.strip() for name in rows[0]) if rows else ()
    count = hrnet_points(header)
    if not count:
        raise DataError(
            f"{table} has not the columns of HRNet's tables:"
            f" {', '.join(_HRNET_FIRST)}, original_0_x, original_0_y, …"
        )
    schema = schema or usual_schema(count, table)
    if load_schema(schema).count != count:
        raise DataError(f"{table} has {count} points, {schema} has {load_schema(schema).count}")
    column_of = {name: i for i, name in enumerate(header)}
    columns = [column_of[f"original_{i}_{axis}"] for i in range(count) for axis in "xy"]

    def read(number: int, row: Sequence[str]) -> LabelledFace:
        if len(row) != len(header):
            raise ValueError(f"has {len(row)} fields, {len(header)} are expected")
        scale, x, y = _numbers([row[column_of[name]] for name in _HRNET_FIRST[1:]])
        half = scale * _HRNET_UNIT / 2
        return _face(
            row[column_of["image_name"]].strip(),
            number,
            images,
            _numbers([row[i] for i in columns]).reshape(-1, 2),
            schema=schema,
            box=np.array([x - half, y - half, x + half, y + half], np.float32),
        )

    return collect(
        LabelEntry(f"{table}, line {n},", partial(read, n, row))
        for n, row in enumerate(rows[1:], 2)
        if row
    )


def hrnet_points(header: Sequence[str]) -> int:
    """Return the number of landmarks in the columns of an HRNet table, or 0 for other columns."""
    count = (len(header) - len(_HRNET_FIRST)) // 2
    points = {f"original_{i}_{axis}" for i in range(count) for axis in "xy"}
    return count if count > 0 and {*_HRNET_FIRST, *points} == set(header) else 0


def usual_schema(count: int, table: Path) -> str:
    """Return the schema that most data sets with `count` landmarks use.

    Args:
        count: Number of landmarks.
        table: File that the error message names.

    Raises:
        DataError: No schema is known for this number.
    """
    if count not in USUAL_SCHEMAS:
        raise DataError(f"{table} has {count} points: name their schema")
    return USUAL_SCHEMAS[count]


def _face(
    image: str,
    number: int,
    images: Path,
    points: NDArray[np.float64],
    *,
    schema: str,
    box: NDArray[np.float32] | None,
    attributes: tuple[str, ...] = (),
) -> LabelledFace:
    # a photo may have several faces, so the line number makes the name unique
    return LabelledFace(
        f"{image}:{number}",
        image,
        ImageFile(images / image),
        as_points(points),
        schema,
        box=box,
        attributes=attributes,
    )


def _numbers(fields: Sequence[str]) -> NDArray[np.float64]:
    try:
        return np.array([float(field) for field in fields])
    except ValueError as error:
        raise ValueError(f"holds something that is no number ({error})") from error


def _read_rows(table: Path) -> list[list[str]]:
    try:
        return list(csv.reader(_read_text(table).splitlines()))
    except csv.Error as error:
        raise DataError(f"{table} is no table ({error}): copy it again") from error


def _read_text(table: Path) -> str:
    try:
        return table.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{table} cannot be read ({error}): check the name") from error


def _check_folder(images: Path, table: Path) -> None:
    if not images.is_dir():
        raise DataError(f"the pictures of {table} are not in {images}: name the folder they are in")
