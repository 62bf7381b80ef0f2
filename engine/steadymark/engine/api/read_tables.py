"""Reading of landmark tables and of ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.api.estimate_pose import camera_of
from steadymark.engine.api.face_rows import FaceRows
from steadymark.engine.api.inputs import Array, schema_of
from steadymark.engine.api.smooth_points import restarts_of
from steadymark.engine.api.video_landmarks import VideoLandmarks
from steadymark.engine.metrics.video_ground_truth import read_truth as read_truth_file
from steadymark.engine.output.csv.columns import read_head
from steadymark.engine.output.csv.native_csv import Header
from steadymark.engine.output.csv.row_parsing import lines_of, open_text
from steadymark.engine.output.read_table import read_by_format, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.output.csv.landmark_table import LandmarkTable


def read_csv(
    path: str | Path,
    *,
    image_size: tuple[int, int] | None = None,
    focal_px: float | None = None,
    schema: str | None = None,
) -> VideoLandmarks:
    """Read a landmark table in Steadymark's or OpenFace's format.

    Args:
        path: The file.
        image_size: Width and height of the video in pixels. Tables do not contain it. With it,
            faces have a `head_pose`, and smoothing computes new head poses.
        focal_px: The camera's focal length in pixels. None takes the one in the table's header,
            otherwise OpenFace's estimate.
        schema: The landmark schema; None takes the one in the table's header, otherwise the usual
            one for the number of landmarks.

    Returns:
        The landmarks of the video, with the attributes that the table has, such as OpenFace's gaze
        and action units.

    Raises:
        LandmarkFileError: The file is not a landmark table; the message names line and column.
        UsageError: The schema does not fit, or the size is not valid.

    Example:
        >>> import steadymark as sm
        >>> sm.track_video(video, end_s=0.2).to_csv(folder / "demo.csv")
        >>> sm.read_csv(folder / "demo.csv").landmarks.shape
        (6, 1, 68, 2)
    """
    table = read_table(path)
    header = Header.of_fields(table.header)
    known = header.settings.get("focal_px")
    if focal_px is None and isinstance(known, int | float):
        focal_px = known
    camera = None if image_size is None else camera_of(image_size, focal_px)
    if schema is not None or "schema" not in table.header:
        schema = schema_of(table.xy_px.shape[1], schema)
    return VideoLandmarks(_rows(table), schema or table.schema, header, camera=camera)


def read_truth(path: str | Path) -> Array:
    """Read the ground truth of a video.

    Args:
        path: A table with one row per frame (x_0 … y_67), a table of Steadymark or OpenFace
            with one face, or a folder of .pts files as in 300-VW.

    Returns:
        (T, K, 2) pixels counted from 0, from frame 0 on; NaN in frames without ground truth.

    Raises:
        LandmarkFileError: The file has none of these formats.
        UsageError: The file has rows of more than one face in a frame.

    Example:
        >>> import steadymark as sm
        >>> sm.read_truth(video.with_name("demo_truth.csv")).shape
        (300, 68, 2)
    """
    return read_truth_file(Path(path))


def style_of(path: str | Path) -> str:
    """Return the name of a table's format, see `TABLE_FORMATS`.

    Args:
        path: The file.

    Returns:
        The name, such as `native`.

    Raises:
        LandmarkFileError: The file cannot be read, or is not a landmark table.
    """
    table = read_by_format(Path(path))
    if table is not None:
        return table.style
    with open_text(Path(path)) as file:
        return str(read_head(lines_of(file)).style)


def _rows(table: LandmarkTable) -> FaceRows:
    return FaceRows(
        frame=table.frame,
        timestamp_s=table.timestamp_s,
        face_id=table.face_id,
        state=table.state,
        restarted=_restarted(table),
        score=table.score.astype(np.float64),
        box=table.box.astype(np.float64),
        attributes=table.attributes,
        xy=table.xy_px,
        raw_xy=table.raw_xy_px,
        point_score=table.point_score,
        image=table.image,
    )


def _restarted(table: LandmarkTable) -> NDArray[np.bool_]:
    """Mark the first frame and frames after a gap; tables do not contain scene cuts."""
    _, first, place = np.unique(table.frame, return_index=True, return_inverse=True)
    return np.asarray(restarts_of(table.timestamp_s[first])[place])
