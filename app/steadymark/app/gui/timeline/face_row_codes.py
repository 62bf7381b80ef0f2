"""What the timeline shows of each face: one row of codes per face, aggregated per column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.recording.face_rows import STATES
from steadymark.app.session.recording.results import FrameStatus
from steadymark.engine.core.types import FaceState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results

_LOST = STATES.index(FaceState.LOST)


class RowStatus(IntEnum):
    """What a face does in a frame, or in the frames of one column of the timeline.

    ABSENT: before its first or after its last frame. LOST: between them, or no face is there.
    """

    UNKNOWN = 0
    PRESENT = 1
    ABSENT = 2
    LOST = 3
    DAMAGED = 4


@dataclass(frozen=True, slots=True, eq=False)
class FacePresence:
    """Which faces are present in which frames.

    Attributes:
        ids: (F,), the ids of the faces in ascending order.
        face: (N,), the index in `ids` of each row in which a face is present.
        frame: (N,), the frame of each of these rows.
        first: (F,), the first frame of each face.
        last: (F,), the last frame of each face.
        known: (frames,), the `FrameStatus` of each frame.
        empty: (frames,), True where the frame is tracked and has no face.
        restarts: The frames, except the first, where tracking began anew, as at a cut.
    """

    ids: NDArray[np.int64]
    face: NDArray[np.int64]
    frame: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    known: NDArray[np.int8]
    empty: NDArray[np.bool_]
    restarts: NDArray[np.int64]

    def status(self, face: int, frame: int) -> RowStatus:
        """Return the status of a face, given by its index in `ids`, in one frame."""
        return RowStatus(int(row_codes(self, frame, frame + 1, 1)[min(face, self._last_row), 0]))

    @property
    def _last_row(self) -> int:
        return max(0, len(self.ids) - 1)


def presence_of(results: Results) -> FacePresence:
    """Return which faces are present in the results so far."""
    known = results.frame_status()  # read first: rows may be added
    rows = results.rows()
    there = rows.state != _LOST
    frame, ids_of_rows = rows.frame[there], rows.face_id[there]
    ids = np.flatnonzero(np.bincount(ids_of_rows)) if len(ids_of_rows) else np.zeros(0, np.int64)
    place = np.zeros(int(ids[-1]) + 1 if len(ids) else 0, np.int64)
    place[ids] = np.arange(len(ids))
    face = place[ids_of_rows]
    first, last = np.full(len(ids), len(known)), np.full(len(ids), -1)
    np.minimum.at(first, face, frame)
    np.maximum.at(last, face, frame)
    restarts = np.flatnonzero(results.restarted())
    empty = (known == FrameStatus.TRACKED) & ~results.has_faces()
    return FacePresence(
        ids=ids,
        face=face,
        frame=frame,
        first=first,
        last=last,
        known=known,
        empty=np.asarray(empty),
        restarts=restarts[restarts > 0],
    )


def row_codes(presence: FacePresence, first: int, end: int, columns: int) -> NDArray[np.int8]:
    """Return (max(F, 1), columns) `RowStatus` of the frames in [first, end).

    A column shows what the user must not overlook: a single damaged frame, then a single frame
    without the face. A column with a frame that is not tracked yet is UNKNOWN.
    """
    edges = first + np.arange(columns + 1) * (end - first) // columns
    tracked = _sums(presence.known == FrameStatus.TRACKED)
    empty = _sums(presence.empty)
    lost_any = (empty[edges[1:]] - empty[edges[:-1]]) > 0
    codes = np.full((max(1, len(presence.ids)), columns), RowStatus.ABSENT, np.int8)
    if len(presence.ids):
        present = _present(presence, edges, columns)
        low = np.clip(edges[:-1], presence.first[:, None], presence.last[:, None] + 1)
        high = np.clip(edges[1:], presence.first[:, None], presence.last[:, None] + 1)
        missing = tracked[high] - tracked[low] - present
        codes[present > 0] = RowStatus.PRESENT
        codes[missing > 0] = RowStatus.LOST
    codes[:, lost_any] = RowStatus.LOST
    damaged = _sums(presence.known == FrameStatus.DAMAGED)
    codes[:, (damaged[edges[1:]] - damaged[edges[:-1]]) > 0] = RowStatus.DAMAGED
    unknown = _sums(np.isin(presence.known, (FrameStatus.UNKNOWN, FrameStatus.LEFT_OUT)))
    codes[:, (unknown[edges[1:]] - unknown[edges[:-1]]) > 0] = RowStatus.UNKNOWN
    return codes


def _present(presence: FacePresence, edges: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
    """Return (F, columns), the number of frames of each column in which each face is present."""
    shown = (presence.frame >= edges[0]) & (presence.frame < edges[-1])
    column_of = np.repeat(np.arange(columns), np.diff(edges))  # by frame, from edges[0] on
    column = column_of[presence.frame[shown] - edges[0]]
    place = presence.face[shown] * columns + column
    counts = np.bincount(place, minlength=len(presence.ids) * columns)
    return counts.reshape(len(presence.ids), columns)


def _sums(values: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of true values before each place."""
    return np.concatenate(([0], np.cumsum(values)))
