"""When each face of a landmark file was tracked, and when it was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import FaceState

if TYPE_CHECKING:
    from steadymark.engine.output.csv.landmark_table import LandmarkTable

NOBODY = -1  # the face_id of a row that tells only that no face was there


@dataclass(frozen=True, slots=True)
class FaceSpan:
    """Rows of one face that follow each other in the same state.

    face_id: NOBODY where no face was known. first, last: frames, 0-based, both within. start_s,
    end_s: their times. score: the least face score, NaN where it was lost.
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
        """How many."""
        return self.last - self.first + 1


def face_spans(table: LandmarkTable) -> list[FaceSpan]:
    """Spans in order of time; a frame that the file leaves out ends one."""
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
