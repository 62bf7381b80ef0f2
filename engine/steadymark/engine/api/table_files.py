"""Tables and annotated videos of landmarks: read, written, and handed to pandas."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.estimate_pose import camera_of
from steadymark.engine.api.face_rows import NOBODY, FaceRows, results_of
from steadymark.engine.api.inputs import Array, schema_of
from steadymark.engine.api.smooth_points import after_pauses
from steadymark.engine.api.video_landmarks import VideoLandmarks
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Intrinsics, SourceInfo, TrackResult
from steadymark.engine.metrics.video_ground_truth import read_truth as read_truth_file
from steadymark.engine.output.csv.columns import BOX, POSE, CsvStyle, numbered, read_head
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink, check_schema
from steadymark.engine.output.csv.row_parsing import lines_of, open_text
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.engine.pipeline.job import CSV_STYLES
from steadymark.engine.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from steadymark.engine.core.protocols import Sink

_ANY_CAMERA = Intrinsics(1, 1)  # of poses that are only written


def read_csv(
    path: str | Path,
    *,
    image_size: tuple[int, int] | None = None,
    focal_px: float | None = None,
    schema: str | None = None,
) -> VideoLandmarks:
    """Read a table of landmarks, Steadymark's own or OpenFace's.

    Args:
        path: The file.
        image_size: Width and height of the video's pictures in pixels. Tables do not hold it; with
            it, faces have a `head_pose`, and poses follow when the landmarks are smoothed.
        focal_px: The camera's focal length in pixels; None takes the one in the table's header,
            else OpenFace's guess.
        schema: The numbering of the landmarks; None takes the usual one of so many landmarks.

    Returns:
        The landmarks of the video. Of OpenFace's columns, gaze and action units are passed over.

    Raises:
        LandmarkFileError: The file is not a table of landmarks; the message names line and column.
        UsageError: The schema does not fit, or the size is no size.

    Example:
        >>> import steadymark as sm
        >>> sm.track_video(video, end_s=0.2).to_csv(folder / "demo.csv")
        >>> sm.read_csv(folder / "demo.csv").landmarks.shape
        (6, 1, 68, 2)
    """
    table = read_landmarks(path)
    told = _mapping(table.header.get("settings"))
    header = Header(
        versions={k: str(v) for k, v in _mapping(table.header.get("versions")).items()},
        models={k: str(v) for k, v in _mapping(table.header.get("models")).items()},
        settings=told,
        source_name=str(_mapping(table.header.get("source")).get("name") or ""),
        source_sha256=_text(_mapping(table.header.get("source")).get("sha256")),
    )
    if focal_px is None and isinstance(told.get("focal_px"), int | float):
        focal_px = told["focal_px"]
    camera = None if image_size is None else camera_of(image_size, focal_px)
    return VideoLandmarks(
        _rows(table), schema_of(table.xy_px.shape[1], schema), header, camera=camera
    )


def read_truth(path: str | Path) -> Array:
    """Read the true landmarks of a video, whatever form they have.

    Args:
        path: A table with a row a frame (x_0 … y_67), a table of Steadymark or OpenFace with one
            face, or a folder of .pts files as 300-VW has it.

    Returns:
        (T, K, 2) pixels counted from 0, from frame 0 on; NaN in frames without truth.

    Raises:
        LandmarkFileError: The file is none of these.
        UsageError: It has rows of more than one face in a frame.

    Example:
        >>> import steadymark as sm
        >>> sm.read_truth(video.with_name("demo_truth.csv")).shape
        (300, 68, 2)
    """
    return read_truth_file(Path(path))


def style_of(path: str | Path) -> str:
    """The style of a table, `native` or `openface`.

    Raises:
        LandmarkFileError: The file cannot be read, or is not a table of landmarks.
    """
    with open_text(Path(path)) as file:
        return str(read_head(lines_of(file)).style)


def _rows(table: LandmarkTable) -> FaceRows:
    return FaceRows(
        frame=table.frame,
        timestamp_s=table.timestamp_s,
        face_id=table.face_id,
        state=table.state,
        begins=_begins(table),
        score=table.score.astype(np.float64),
        box=table.box.astype(np.float64),
        pose=table.pose,
        xy=table.xy_px,
        raw_xy=table.raw_xy_px,
        point_score=table.point_score,
    )


def _begins(table: LandmarkTable) -> NDArray[np.bool_]:
    """Frames that came after a pause; scene cuts are not in tables."""
    frames, first, place = np.unique(table.frame, return_index=True, return_inverse=True)
    begins = after_pauses(table.timestamp_s[first])
    begins[: min(1, len(frames))] = False
    return np.asarray(begins[place])


def write_table(video: VideoLandmarks, path: str | Path, style: str) -> None:
    """See `VideoLandmarks.to_csv`."""
    if style not in CSV_STYLES:
        raise UsageError(
            "unknown style '{style}': choose one of {known}",
            style=style,
            known=", ".join(CSV_STYLES),
        )
    sink: Sink
    if style == CsvStyle.OPENFACE:
        check_schema(video.schema)
        sink = OpenFaceCsvSink(path)
    else:
        sink = NativeCsvSink(path, video.header, points=video.rows.xy.shape[1])
    _write(sink, results_of(video.rows, video.camera or _ANY_CAMERA))


def write_video(
    video: VideoLandmarks, path: str | Path, *, source: str | Path | None, axes: bool
) -> None:
    """See `VideoLandmarks.save_video`."""
    given = str(source or video.source)
    if not given:
        raise UsageError(
            "these landmarks come from a table, which holds no pictures: pass the video as source"
        )
    if Path(path).resolve() == Path(given).resolve():
        raise UsageError("{path} is the video itself: choose another name", path=path)
    options = DrawOptions(axes=axes, schema=video.schema or DrawOptions().schema)
    original = given if Path(given).is_file() else None
    _write(AnnotatedVideoSink(path, original, options), _with_pictures(video, given))


def _with_pictures(video: VideoLandmarks, source: str) -> Iterator[TrackResult]:
    """The frames that the rows are of, with their pictures."""
    known = {each.frame.index: each for each in results_of(video.rows, video.camera)}
    last = max(known, default=-1)
    opened = open_source(source)
    try:
        for frame in opened.frames():
            if frame.index > last:
                return
            if frame.index in known:
                yield TrackResult(frame, known[frame.index].faces)
    finally:
        opened.close()


def _write(sink: Sink, results: Iterator[TrackResult] | list[TrackResult]) -> None:
    """Write all results; what fails leaves no file under the final name."""
    sink.open(SourceInfo("", "", 0, 0, None, None, live=False))
    written = False
    try:
        for result in results:
            sink.write(result)
        written = True
    finally:
        sink.close(complete=written)
        if not written:
            with contextlib.suppress(OSError):
                Path(sink.path).unlink()


def data_frame(video: VideoLandmarks) -> pd.DataFrame:
    """See `VideoLandmarks.to_pandas`."""
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError(
            "to_pandas needs pandas, which is not installed: pip install pandas"
        ) from error
    rows, k = video.rows, video.rows.xy.shape[1]
    ids = pd.array(rows.face_id, dtype="Int64")
    ids[rows.face_id == NOBODY] = pd.NA
    columns: dict[str, Any] = {
        "frame": rows.frame,
        "face_id": ids,
        "timestamp_s": rows.timestamp_s,
        "state": rows.state.astype(object),
        "score": rows.score,
        **dict(zip(BOX, rows.box.T, strict=True)),
        **dict(zip(POSE, rows.pose.T, strict=True)),
    }
    for prefix, points in (("", rows.xy), ("raw_", rows.raw_xy)):
        for axis, name in enumerate("xy"):
            columns.update(zip(numbered(f"{prefix}{name}", k), points[..., axis].T, strict=True))
    columns.update(zip(numbered("score", k), rows.point_score.T, strict=True))
    return pd.DataFrame(columns)


def _mapping(value: object) -> dict[str, Any]:
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
