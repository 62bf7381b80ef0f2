"""Conversion between tracked faces and arrays with one row per face and frame, without rounding."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import (
    attribute_columns,
    attributes_from,
    vector_of,
)
from steadymark.engine.attributes.attribute_rows import (
    TrackedRows,
    gaze_calibration_in,
    is_calibration_known,
    raw_or_stabilized,
)
from steadymark.engine.core.types import (
    FaceBox,
    FaceContext,
    FaceState,
    FrameTime,
    Landmarks,
    TrackedFace,
    TrackResult,
)
from steadymark.engine.face3d.face_at_rest import is_of_recording
from steadymark.engine.output.csv.columns import BOX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.types import Intrinsics, Scores

NOBODY = -1  # the face_id of a row for a frame without a face


@dataclass(frozen=True, slots=True, eq=False)
class FaceRows:
    """R rows of K landmarks, sorted by frame and, within a frame, by id.

    Unknown values are NaN.

    Attributes:
        frame: (R,) int64, frame indices.
        timestamp_s: (R,) float64, seconds.
        face_id: (R,) int64; a frame without a face has one row with the id `NOBODY`.
        state: (R,) str, see `FaceState`.
        restarted: (R,) bool, see `TrackResult.restarted`.
        score: (R,) float64, face scores.
        box: (R, 4) float64, left, top, width and height in pixels.
        attributes: (R, C) float64, values of all attributes, see `attribute_registry`.
        xy: (R, K, 2) float32, stabilized landmarks in pixels.
        raw_xy: (R, K, 2) float32, raw landmarks in pixels.
        point_score: (R, K) float32, landmark scores.
        image: (R,) str, names of the image files; empty for videos.
    """

    frame: NDArray[np.int64]
    timestamp_s: NDArray[np.float64]
    face_id: NDArray[np.int64]
    state: NDArray[np.str_]
    restarted: NDArray[np.bool_]
    score: NDArray[np.float64]
    box: NDArray[np.float64]
    attributes: NDArray[np.float64]
    xy: NDArray[np.float32]
    raw_xy: NDArray[np.float32]
    point_score: Scores
    image: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, np.str_))

    def __len__(self) -> int:
        return len(self.frame)


def rows_of(
    results: Sequence[TrackResult], points: int, image_names: Sequence[str] = ()
) -> FaceRows:
    """Convert tracked frames to rows.

    Args:
        results: The results of the frames.
        points: Number of landmarks K.
        image_names: `SourceInfo.image_names` of the source.

    Returns:
        The rows.
    """
    nobody = TrackedFace(NOBODY, FaceState.LOST, 0.0)
    pairs = [(result, face) for result in results for face in (result.faces or (nobody,))]
    count = len(pairs)
    rows = FaceRows(
        frame=np.array([r.frame.index for r, _ in pairs], np.int64),
        timestamp_s=np.array([r.frame.pts_s for r, _ in pairs], np.float64),
        face_id=np.array([f.face_id for _, f in pairs], np.int64),
        state=np.array([str(f.state) for _, f in pairs], np.str_),
        restarted=np.array([r.restarted for r, _ in pairs], np.bool_),
        score=np.full(count, np.nan),
        box=np.full((count, len(BOX)), np.nan),
        attributes=np.full((count, len(attribute_columns())), np.nan),
        xy=np.full((count, points, 2), np.nan, np.float32),
        raw_xy=np.full((count, points, 2), np.nan, np.float32),
        point_score=np.full((count, points), np.nan, np.float32),
        image=np.array(
            [image_names[r.frame.index] if image_names else "" for r, _ in pairs], np.str_
        ),
    )
    for i, (_, face) in enumerate(pairs):
        if face.raw is None or face.stabilized is None:
            continue
        box = face.box
        rows.score[i] = face.score
        if box is not None:
            rows.box[i] = (box.left, box.top, box.width, box.height)
        rows.attributes[i] = vector_of(face.attributes)
        rows.xy[i], rows.raw_xy[i] = face.stabilized.xy_px, face.raw.xy_px
        rows.point_score[i] = face.stabilized.score
    return rows


def tracked_rows(
    rows: FaceRows,
    schema: str,
    camera: Intrinsics | None,
    settings: object = None,
) -> TrackedRows:
    """Return what was tracked, from which the attributes of changed landmarks are computed.

    Args:
        rows: The rows.
        schema: Name of the landmark schema.
        camera: The camera; None if the size of the frames is unknown.
        settings: The settings of tracking, as in a table's header; None if they are unknown.
    """
    return TrackedRows(
        rows.face_id,
        rows.timestamp_s,
        raw_or_stabilized(rows.raw_xy, rows.xy),
        rows.point_score,
        rows.restarted | (rows.state == FaceState.DETECTED),
        schema,
        camera,
        rows.attributes,
        calibration=gaze_calibration_in(settings),
        calibration_known=is_calibration_known(settings),
        of_recording=is_of_recording(settings),
    )


def image_names_of(rows: FaceRows) -> tuple[str, ...]:
    """Return the name of the image file for each frame index; empty for videos."""
    if not (rows.image != "").any():
        return ()
    names = [""] * (int(rows.frame.max()) + 1)
    for frame, name in zip(rows.frame.tolist(), rows.image.tolist(), strict=True):
        names[frame] = name
    return tuple(names)


def results_of(
    rows: FaceRows, schema: str, camera: Intrinsics | None, settings: object = None
) -> list[TrackResult]:
    """Convert rows to results without images.

    Args:
        rows: The rows.
        schema: Name of the landmark schema.
        camera: The camera; without it, faces have no head pose.
        settings: The settings of tracking, as in a table's header; None if they are unknown.

    Returns:
        One result per frame.
    """
    order = np.argsort(rows.frame, kind="stable").tolist()
    identities = tracked_rows(rows, schema, camera, settings).identities
    results = []
    for frame, group in groupby(order, key=lambda i: int(rows.frame[i])):
        rows_of_frame = list(group)
        first = rows_of_frame[0]
        time_s = float(rows.timestamp_s[first])
        context = FaceContext(schema, camera, time_s)
        faces = [
            _face(rows, i, replace(context, identity=identities[i]))
            for i in rows_of_frame
            if rows.face_id[i] != NOBODY
        ]
        results.append(
            TrackResult(
                FrameTime(frame, time_s),
                tuple(faces),
                restarted=bool(rows.restarted[first]),
            )
        )
    return results


def _face(rows: FaceRows, i: int, context: FaceContext) -> TrackedFace:
    face_id, state = int(rows.face_id[i]), FaceState(str(rows.state[i]))
    if state is FaceState.LOST:
        return TrackedFace(face_id, state, 0.0)
    box = None
    if np.isfinite(rows.box[i]).all():
        left, top, width, height = (float(v) for v in rows.box[i])
        box = FaceBox(left, top, width, height, float(rows.score[i]))
    scores = rows.point_score[i]
    return TrackedFace(
        face_id,
        state,
        float(rows.score[i]),
        box,
        Landmarks(rows.raw_xy[i], scores),
        Landmarks(rows.xy[i], scores),
        attributes=attributes_from(rows.attributes[i], context),
    )
