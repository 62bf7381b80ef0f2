"""Reading of Steadymark's and OpenFace's landmark files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns, attribute_slices
from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.core.types import HEAD_POSE, FaceState
from steadymark.engine.output.csv.columns import (
    BOX,
    CsvStyle,
    TableHead,
    column_faults,
    numbered,
    read_head,
)
from steadymark.engine.output.csv.row_parsing import (
    LARGEST,
    STATES,
    Numbers,
    bad_fields,
    field_count_fault,
    is_image,
    lines_of,
    open_text,
    parse,
    state_codes,
)
from steadymark.engine.output.csv.table_dialect import plain_rows
from steadymark.models.face.schema import SCHEMA_OF_UNNAMED, load_schema, schema_names
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Scores


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkTable:
    """A landmark file with one row per face and frame (N rows, K landmarks).

    Values that the file does not contain are NaN. Landmarks and attributes of a lost face are NaN.

    Attributes:
        header: The writer's header; empty for OpenFace.
        style: Name of the file's format, see `TABLE_FORMATS`.
        frame: (N,) int64, 0-based in both styles.
        face_id: (N,) int64, -1 in a row without a face.
        timestamp_s: (N,) float64, seconds.
        state: (N,) str, see `FaceState`.
        score: (N,) float32, face score.
        box: (N, 4) float32, left, top, width and height in pixels.
        attributes: (N, C) float64, values of all attributes, see `attribute_registry`.
        xy_px: (N, K, 2) float32, stabilized landmarks in pixels.
        raw_xy_px: (N, K, 2) float32, landmarks from the network in pixels.
        point_score: (N, K) float32, landmark scores.
        image: (N,) str, name of the image file; empty if the table names none.
    """

    header: dict[str, object]
    style: str
    frame: NDArray[np.int64]
    face_id: NDArray[np.int64]
    timestamp_s: NDArray[np.float64]
    state: NDArray[np.str_]
    score: Scores
    box: NDArray[np.float32]
    attributes: NDArray[np.float64]
    xy_px: NDArray[np.float32]
    raw_xy_px: NDArray[np.float32]
    point_score: Scores
    image: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def schema(self) -> str:
        """Name of the landmark schema; empty if it is unknown.

        A table that names none has `SCHEMA_OF_UNNAMED` if it has that schema's number of landmarks.
        """
        name = self.header.get("schema", SCHEMA_OF_UNNAMED)
        known = name in schema_names() and load_schema(str(name)).count == self.xy_px.shape[1]
        return str(name) if known else ""

    @property
    def pose(self) -> NDArray[np.float64]:
        """(N, 6), position in millimetres and rotation in radians, see `HeadPose`."""
        return self.attributes[:, attribute_slices()[HEAD_POSE]]

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> LandmarkTable:
        """Return the table with some of its rows.

        Args:
            rows: (N,) True for the rows to keep, or the numbers of the rows in their new order.
        """
        columns = {name: getattr(self, name) for name in type(self).__slots__}
        arrays: dict[str, Any] = {
            name: each[rows] for name, each in columns.items() if isinstance(each, np.ndarray)
        }
        return replace(self, **arrays)


def read_landmarks(path: str | Path) -> LandmarkTable:
    """Read a landmark file in either style, with any number of landmarks.

    Of OpenFace's files, the pixel landmarks and the columns of attributes, such as the head pose,
    are read; other columns, such as eye landmarks, are ignored. Values in rows without
    success are replaced by NaN.

    Args:
        path: The file.

    Returns:
        The table.

    Raises:
        LandmarkFileError: The file is not a valid landmark file; the message names the line and
            the column.
    """
    path = Path(path)
    with open_text(path) as file:
        lines = lines_of(file)
        try:
            head = read_head(lines)
            if faults := column_faults(head):
                raise LandmarkFileError(
                    "line {number}: {fault}", number=head.lines, fault=faults[0]
                )
            written = plain_rows(lines, head.dialect)
            first = next((line for line in written if line.strip("\r\n")), None)
            rows = () if first is None else chain((first,), written)
            # NumPy warns if the input has no rows
            names: dict[str, float] = {}
            numbers = parse(rows, head, names) if rows else np.empty((0, len(head.names)))
        except LandmarkFileError as error:
            raise LandmarkFileError("{path}, {fault}", path=path, fault=error) from error
        except (ValueError, OSError) as error:
            unknown = UserText("a row cannot be read as numbers")
            raise LandmarkFileError(
                "{path}, {fault}", path=path, fault=_first_fault(path, unknown)
            ) from error
    if numbers.shape[1] != len(head.names):
        raise LandmarkFileError(
            "{path}, {fault}",
            path=path,
            fault=_first_fault(path, UserText("rows are too short")),
        )
    return _table(path, head, numbers, tuple(names))


def _first_fault(path: Path, otherwise: str) -> str:
    """Return a description of the first row that `parse` cannot read."""
    with open_text(path) as file:
        lines = lines_of(file)
        head = read_head(lines)
        rows = plain_rows(lines, head.dialect)
        for number, line in enumerate(rows, start=head.lines + 1):
            if not line.strip("\r\n"):
                continue
            fields = line.split(",")
            if len(fields) != len(head.names):
                return field_count_fault(number, len(fields), len(head.names))
            if faults := bad_fields(fields, head):
                return UserText("line {number}, {fault}", number=number, fault=faults[0])
    return otherwise


def _table(
    path: Path, head: TableHead, numbers: Numbers, image_names: tuple[str, ...]
) -> LandmarkTable:
    native = head.style is CsvStyle.NATIVE
    states = state_codes(numbers, head)
    lost = states == STATES.index(FaceState.LOST)
    k = head.points

    def columns_or_nan(names: tuple[str, ...]) -> NDArray[np.float32]:
        if not set(names) <= set(head.names):
            return np.full((len(numbers), len(names)), np.nan, np.float32)
        with np.errstate(over="ignore"):
            return _columns(numbers, head, names).astype(np.float32)

    def points(prefix: str) -> NDArray[np.float32]:
        xy = np.stack([columns_or_nan(numbered(prefix + axis, k)) for axis in "xy"], axis=-1)
        xy[lost] = np.nan
        return xy

    attributes = tuple(column.name for column in attribute_columns())
    present = [i for i, name in enumerate(attributes) if name in head.names]
    values: Numbers = np.full((len(numbers), len(attributes)), np.nan)
    values[:, present] = _columns(numbers, head, tuple(attributes[i] for i in present))
    values[lost] = np.nan
    first = 0 if native else 1
    return LandmarkTable(
        header=head.header,
        style=str(head.style),
        frame=_whole(path, head, numbers, "frame", first, empty=None) - first,
        face_id=_whole(path, head, numbers, "face_id", 0, empty=-1),
        timestamp_s=numbers[:, head.names.index("timestamp_s" if native else "timestamp")],
        state=np.array(STATES, np.str_)[states],
        score=columns_or_nan(("score" if native else "confidence",))[:, 0],
        box=columns_or_nan(BOX),
        attributes=values,
        xy_px=points(""),
        raw_xy_px=points("raw_"),
        point_score=columns_or_nan(numbered("score", k)),
        image=_image(head, numbers, image_names),
    )


def _image(head: TableHead, numbers: Numbers, names: tuple[str, ...]) -> NDArray[np.str_]:
    column = next((i for i, name in enumerate(head.names) if is_image(head, name)), None)
    if column is None:
        return np.zeros(len(numbers), np.str_)
    return np.array(names, np.str_)[numbers[:, column].astype(np.int64)]


def _columns(numbers: Numbers, head: TableHead, names: tuple[str, ...]) -> Numbers:
    place = {name: i for i, name in enumerate(head.names)}
    return numbers[:, [place[name] for name in names]]


def _whole(
    path: Path, head: TableHead, numbers: Numbers, name: str, least: int, *, empty: int | None
) -> NDArray[np.int64]:
    """Return a column of whole numbers ≥ `least`.

    NaN is replaced by `empty`. A missing column gives zeros.
    """
    if name not in head.names:
        return np.zeros(len(numbers), np.int64)
    values = numbers[:, head.names.index(name)].copy()
    if empty is not None:
        values[np.isnan(values)] = empty
    valid = (values >= min(least, least if empty is None else empty)) & (values < LARGEST)
    valid[valid] &= values[valid] % 1 == 0
    if not valid.all():
        row = int(np.argmin(valid))
        raise LandmarkFileError(
            "{path}, row {row} below the columns, column '{name}': {value:g} is not a whole number "
            "from {least}",
            path=path,
            row=row + 1,
            name=name,
            value=values[row],
            least=least,
        )
    return values.astype(np.int64)
