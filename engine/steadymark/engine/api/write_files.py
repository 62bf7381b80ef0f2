"""Writing of tables and annotated videos, and conversion to pandas."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.face_rows import NOBODY, FaceRows, image_names_of, results_of
from steadymark.engine.attributes.attribute_registry import (
    attribute_columns,
    attribute_slices,
    checked_drawings,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.protocols import more_paths
from steadymark.engine.core.types import HEAD_POSE, SourceInfo, TrackResult
from steadymark.engine.output.csv.columns import BOX, IMAGE, numbered
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.sources import open_source
from steadymark.models.face.schema import load_schema, nameless_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from steadymark.engine.core.protocols import Sink
    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.output.csv.native_csv import Header


def write_table(
    rows: FaceRows,
    path: str | Path,
    style: str,
    *,
    schema: str,
    camera: Intrinsics | None,
    header: Header,
) -> None:
    """Write a table; see `VideoLandmarks.to_csv`."""
    if TABLE_FORMATS.find(style).animation and not _has_poses(rows):
        raise UsageError(
            "{style} needs head poses, which these landmarks do not have: say the size of the "
            "pictures (image_size, or --size WIDTHxHEIGHT)",
            style=style,
        )
    by_index = load_schema(schema) if schema else nameless_schema(rows.xy.shape[1])
    sink = TABLE_FORMATS.find(style).sink(Path(path), header, by_index)
    results = results_of(rows, schema, camera, header.settings)
    _write(sink, results, image_names_of(rows))


def _has_poses(rows: FaceRows) -> bool:
    """Return whether a face has a head pose, or there is no face at all."""
    poses = rows.attributes[:, attribute_slices()[HEAD_POSE]]
    return bool((rows.face_id == NOBODY).all() or np.isfinite(poses).any())


def write_video(
    rows: FaceRows,
    path: str | Path,
    *,
    source: str,
    schema: str,
    camera: Intrinsics | None,
    drawings: Sequence[str],
) -> None:
    """Write an annotated video; see `VideoLandmarks.save_video`."""
    if not source:
        raise UsageError(
            "these landmarks come from a table, which holds no pictures: pass the video as source"
        )
    if Path(path).resolve() == Path(source).resolve():
        raise UsageError("{path} is the video itself: choose another name", path=path)
    options = DrawOptions(attributes=checked_drawings(drawings), schema=schema)
    original = source if Path(source).is_file() else None
    results = results_of(rows, schema, camera)
    _write(AnnotatedVideoSink(path, original, options), _with_images(results, source))


def _with_images(results: Sequence[TrackResult], source: str) -> Iterator[TrackResult]:
    """Yield the results of the frames with their images."""
    by_index = {each.frame.index: each for each in results}
    last = max(by_index, default=-1)
    opened = open_source(source)
    try:
        for frame in opened.frames():
            if frame.index > last:
                return
            if frame.index in by_index:
                yield TrackResult(frame, by_index[frame.index].faces)
    finally:
        opened.close()


def _write(
    sink: Sink,
    results: Iterator[TrackResult] | list[TrackResult],
    image_names: tuple[str, ...] = (),
) -> None:
    """Write all results; after an error, no file is left."""
    sink.open(SourceInfo("", "", 0, 0, None, None, live=False, image_names=image_names))
    written = False
    try:
        for result in results:
            sink.write(result)
        written = True
    finally:
        sink.close(complete=written)
        if not written:
            for path in (sink.path, *more_paths(sink)):
                with contextlib.suppress(OSError):
                    Path(path).unlink()


def data_frame(rows: FaceRows) -> pd.DataFrame:
    """Return a data frame; see `VideoLandmarks.to_pandas`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError(
            "to_pandas needs pandas, which is not installed: pip install pandas"
        ) from error
    k = rows.xy.shape[1]
    ids = pd.array(rows.face_id, dtype="Int64")
    ids[rows.face_id == NOBODY] = pd.NA
    columns: dict[str, Any] = {
        "frame": rows.frame,
        **({IMAGE: rows.image.astype(object)} if (rows.image != "").any() else {}),
        "face_id": ids,
        "timestamp_s": rows.timestamp_s,
        "state": rows.state.astype(object),
        "score": rows.score,
        **dict(zip(BOX, rows.box.T, strict=True)),
        **dict(zip((c.name for c in attribute_columns()), rows.attributes.T, strict=True)),
    }
    for prefix, points in (("", rows.xy), ("raw_", rows.raw_xy)):
        for axis, name in enumerate("xy"):
            columns.update(zip(numbered(f"{prefix}{name}", k), points[..., axis].T, strict=True))
    columns.update(zip(numbered("score", k), rows.point_score.T, strict=True))
    return pd.DataFrame(columns)
