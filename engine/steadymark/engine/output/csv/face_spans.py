"""The spans in which each face of a landmark file was tracked or lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import FaceState

if TYPE_CHECKING:
    from steadymark.engine.output.csv.landmark_table import LandmarkTable

NOBODY = -1  # the face_id of a row for a frame without a face


@dataclass(frozen=True, slots=True)
class FaceSpan:
    """Consecutive rows of one face in the same state.

    Attributes:
        face_id: Number of the face; `NOBODY` for rows without a face.
        tracked: Whether the face was tracked; otherwise it was lost.
        first: Index of the first frame, 0-based.
        last: Index of the last frame, which belongs to the span.
        start_s: Time of the first frame in seconds.
        end_s: Time of the last frame in seconds.
        score: Lowest face score in the span; NaN if the face was lost.
    """

    face_id: int
    tracked: bool
    first: int
    last: int
    start_s: float
    end_s: float
    score: float

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1


def face_spans(table: LandmarkTable) -> list[FaceSpan]:
    """Return the spans in which each face was tracked or lost; a missing frame ends a span.

    Args:
        table: The landmark table.

    Returns:
        The spans in order of time.
    """
    spans: list[FaceSpan] = []
    for face_id in np.unique(table.face_id).tolist():
        rows = np.flatnonzero(table.face_id == face_id)
        rows = rows[np.argsort(table.frame[rows], kind="stable")]
        tracked = table.state[rows] != FaceState.LOST
        breaks = (np.diff(tracked) != 0) | (np.diff(table.frame[rows]) != 1)
        for part in np.split(rows, np.flatnonzero(breaks) + 1):
            first, last = part[[0, -1]].tolist()
            seen = bool(table.state[first] != FaceState.LOST)
            spans.append(
                FaceSpan(
                    face_id,
                    seen,
                    int(table.frame[first]),
                    int(table.frame[last]),
                    float(table.timestamp_s[first]),
                    float(table.timestamp_s[last]),
                    float(table.score[part].min()) if seen else float("nan"),
                )
            )
    return sorted(spans, key=lambda span: (span.first, span.face_id))
