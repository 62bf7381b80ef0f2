"""The faces of the shown frame with the corrections of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.app.session.recording.face_rows import STATES
from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.types import FaceState, Landmarks
from steadymark.engine.review.corrections import apply_corrections

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.review.project import Correction

    Mask = NDArray[np.bool_]

_DETECTED = STATES.index(FaceState.DETECTED)


class CorrectedLandmarks(NamedTuple):
    """Which of the K landmarks of a face are corrected in a frame.

    Attributes:
        moved: (K,) True where a correction of this frame or of one nearby has moved the landmark.
        placed: (K,) True where a person has placed the landmark in this frame.
    """

    moved: Mask
    placed: Mask


class CorrectedFaces(NamedTuple):
    """The faces of a frame, and the corrected landmarks by the numbers of the faces."""

    faces: tuple[TrackedFace, ...]
    corrected: dict[int, CorrectedLandmarks]


def corrected_faces(
    faces: Sequence[TrackedFace],
    index: int,
    results: Results,
    corrections: Collection[Correction],
) -> CorrectedFaces:
    """Return the faces of a frame with corrected landmarks, as exports write them.

    Args:
        faces: The faces of the frame, as they were tracked.
        index: Index of the frame.
        results: The results that the faces come from.
        corrections: The corrections of the project.

    Returns:
        The faces; their attributes are computed from the corrected landmarks.
    """
    known: dict[int, CorrectedLandmarks] = {}
    changed = []
    for face in faces:
        own = [one for one in corrections if one.face_id == face.face_id]
        if own and face.stabilized is not None:
            before = face.stabilized
            points = _corrected_points(face.face_id, index, results, own)
            moved = (points != before.xy_px).any(1)
            placed = np.zeros(len(points), np.bool_)
            here = (i for one in own if one.frame == index for i, *_ in one.points)
            placed[[i for i in here if i < len(points)]] = True
            if moved.any() or placed.any():
                known[face.face_id] = CorrectedLandmarks(moved, placed)
                face = with_points(face, Landmarks(points, before.score))
        changed.append(face)
    return CorrectedFaces(tuple(changed), known)


def _corrected_points(
    face_id: int, index: int, results: Results, corrections: Sequence[Correction]
) -> NDArray[np.float32]:
    """Return the corrected landmarks (K, 2) of a face that is in the frame.

    A landmark depends only on the frame itself, on corrected frames within the longest span of
    it, and on where the face was detected anew.
    """
    times_s, reach_s = results.times_s, max(one.span_s for one in corrections)
    near = [
        one
        for one in corrections
        if 0 <= one.frame < len(times_s) and abs(times_s[one.frame] - times_s[index]) <= reach_s
    ]
    rows = results.rows()
    detected = np.unique(rows.frame[(rows.face_id == face_id) & (rows.state == _DETECTED)])
    at: list[int] = []
    for frame in sorted({index, *detected.tolist(), *(one.frame for one in near)}):
        at += [row for row in results.rows_at(frame) if rows.face_id[row] == face_id]
    frames = rows.frame[at]
    points, _ = apply_corrections(
        rows.stabilized[at],
        frames,
        times_s[frames],
        near,
        rows.state[at] == _DETECTED,
    )
    here = int(np.searchsorted(frames, index))
    return np.asarray(points[here], np.float32)
