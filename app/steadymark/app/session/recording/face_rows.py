"""The rows of results: what is known of a face in a frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns, attributes_from
from steadymark.engine.core.types import FaceBox, FaceState, Landmarks, TrackedFace
from steadymark.models.face.crop import Crop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import FaceContext

STATES = tuple(FaceState)


@dataclass(frozen=True, slots=True, eq=False)
class FaceRows:
    """One row per face and frame, in the order of tracking. There are N rows of K landmarks.

    frame: (N,) int64. before: (N,) int64, the row of the same face one frame earlier, -1 where its
    state was reset. face_id: (N,) int32. state: (N,) int8, index into STATES. score: (N,) float64.
    box: (N, 4) float64, left, top, width, height. crop: (N, 4) float64, x, y, side, roll. raw,
    stabilized: (N, K, 2) float32, NaN where lost. point_score: (N, K) float32. attributes: (N, C)
    float64, see `engine.attributes.attribute_registry`. identity: (N,) the (M,) identity of each
    row, see `FaceContext`, or None.
    """

    frame: NDArray[np.int64]
    previous_row: NDArray[np.int64]
    face_id: NDArray[np.int32]
    state: NDArray[np.int8]
    score: NDArray[np.float64]
    box: NDArray[np.float64]
    crop: NDArray[np.float64]
    raw: NDArray[np.float32]
    stabilized: NDArray[np.float32]
    point_score: NDArray[np.float32]
    attributes: NDArray[np.float64]
    identity: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.frame)


def empty_rows(rows: int, points: int) -> FaceRows:
    """Allocate rows without initial values, so that unused memory is not touched."""

    def empty(*shape: int, dtype: Any = np.float64) -> Any:
        return np.empty((rows, *shape), dtype)

    return FaceRows(
        frame=empty(dtype=np.int64),
        previous_row=empty(dtype=np.int64),
        face_id=empty(dtype=np.int32),
        state=empty(dtype=np.int8),
        score=empty(),
        box=empty(4),
        crop=empty(4),
        raw=empty(points, 2, dtype=np.float32),
        stabilized=empty(points, 2, dtype=np.float32),
        point_score=empty(points, dtype=np.float32),
        attributes=empty(len(attribute_columns())),
        identity=empty(dtype=np.object_),
    )


def face_of_row(rows: FaceRows, row: int, context: FaceContext | None) -> TrackedFace:
    state, face_id = STATES[rows.state[row]], int(rows.face_id[row])
    score = float(rows.score[row])
    if state is FaceState.LOST:
        return TrackedFace(face_id, state, score)
    left, top, width, height = (float(v) for v in rows.box[row])
    x, y, side, roll = (float(v) for v in rows.crop[row])
    scores = rows.point_score[row]
    return TrackedFace(
        face_id,
        state,
        score,
        FaceBox(left, top, width, height, score) if np.isfinite(left) else None,
        Landmarks(rows.raw[row], scores),
        Landmarks(rows.stabilized[row], scores),
        Crop(x, y, side, roll) if np.isfinite(x) else None,
        None
        if context is None
        else attributes_from(rows.attributes[row], replace(context, identity=rows.identity[row])),
    )
