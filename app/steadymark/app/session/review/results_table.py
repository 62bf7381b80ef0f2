"""The results of the open recording as a landmark table, as it would be read from its export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.session.recording.face_rows import STATES, FaceRows
from steadymark.app.session.recording.results import FrameStatus
from steadymark.engine.attributes.attribute_registry import attribute_columns
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.face_spans import NOBODY
from steadymark.engine.output.csv.landmark_table import LandmarkTable
from steadymark.models.face.schema import SCHEMA_OF_UNNAMED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results

_STYLE = "native"


def table_of_faces(
    results: Results, rows: FaceRows, header: Mapping[str, object] | None = None
) -> LandmarkTable:
    """Return a table with one row for each of these rows, in the same order.

    Args:
        results: The results.
        rows: Some of their rows.
        header: The header of the table; the schema is added unless it is the usual one.

    Returns:
        The table. Landmarks are not copied.
    """
    lost = ~np.isfinite(rows.raw[:, 0, 0])
    return LandmarkTable(
        header={**(header or {}), **_schema(results.schema.name)},
        style=_STYLE,
        frame=rows.frame,
        face_id=rows.face_id.astype(np.int64),
        timestamp_s=results.times_s[rows.frame],
        state=np.array(STATES, np.str_)[rows.state],
        score=np.where(lost, np.nan, rows.score).astype(np.float32),
        box=rows.box.astype(np.float32),
        attributes=rows.attributes,
        xy_px=rows.stabilized,
        raw_xy_px=rows.raw,
        point_score=rows.point_score,
        image=np.zeros(len(rows), np.str_),
    )


def whole_table(
    results: Results, header: Mapping[str, object], image_names: Sequence[str] = ()
) -> LandmarkTable:
    """Return the table that is read from an export of these results.

    It has rows of frames without a face, and numbers are rounded as in the file.

    Args:
        results: The results, which must not change meanwhile; see `Results.snapshot`.
        header: The header of the table.
        image_names: The names of the files of an image sequence.

    Returns:
        The table, by frame and face.
    """
    rows = results.rows()
    tracked = np.flatnonzero(results.frame_status() == FrameStatus.TRACKED)
    empty = np.setdiff1d(tracked, rows.frame)
    table = table_of_faces(results, rows, header)
    frame = np.concatenate((table.frame, empty))
    face_id = np.concatenate((table.face_id, np.full(len(empty), NOBODY)))
    order = np.lexsort((face_id, frame))

    def values(name: str, decimals: int | Sequence[int]) -> Any:
        return _rounded(_padded(getattr(table, name), len(empty))[order], decimals)

    return LandmarkTable(
        header=table.header,
        style=_STYLE,
        frame=frame[order],
        face_id=face_id[order],
        timestamp_s=np.round(results.times_s[frame[order]], 6),
        state=np.concatenate((table.state, np.full(len(empty), FaceState.LOST)))[order],
        score=values("score", 4),
        box=values("box", 3),
        attributes=values("attributes", [column.decimals for column in attribute_columns()]),
        xy_px=values("xy_px", 3),
        raw_xy_px=values("raw_xy_px", 3),
        point_score=values("point_score", 4),
        image=_images(frame[order], image_names),
    )


def _images(frame: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.str_]:
    """Return the name of the file of each frame; empty names for a video."""
    return np.array(names, np.str_)[frame] if names else np.zeros(len(frame), np.str_)


def _schema(name: str) -> dict[str, str]:
    return {} if name == SCHEMA_OF_UNNAMED else {"schema": name}


def _rounded(values: NDArray[Any], decimals: int | Sequence[int]) -> NDArray[Any]:
    """Return values as they are read from a table; for a sequence, it gives those of columns.

    The products of 32-bit values and powers of ten are exact in 64 bits.
    """
    exact = values.astype(np.float64)
    if isinstance(decimals, int):
        return np.asarray(np.round(exact, decimals), values.dtype)
    columns = [np.round(exact[:, i], count) for i, count in enumerate(decimals)]
    return np.stack(columns, 1).astype(values.dtype) if columns else values


def _padded(values: NDArray[np.floating], more: int) -> NDArray[np.floating]:
    """Return values with rows of NaN below."""
    return np.concatenate((values, np.full((more, *values.shape[1:]), np.nan, values.dtype)))
