"""What is known of each person of a video: faces, frames, times, and the frame to recognize it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import FaceState
from steadymark.engine.review.people.assignment import doubled_frames, persons_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.project import Reassignment

_NONE = np.zeros(0, np.int64)
_ALMOST = 0.05  # difference of two qualities that nobody sees


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """A person of a video.

    Attributes:
        number: Number of the person.
        faces: Numbers of the tracked faces that are this person in some frame.
        frames: Number of frames with the person.
        first, last: Index of the first and of the last of them.
        first_s, last_s: Their times in seconds.
        best_face, best_frame: The face and the frame in which the person can be recognized: the
            first one with almost the best score and view from the front.
        doubled: Number of frames in which the person has two faces at once.
        first_doubled: Index of the first of them; -1 if there is none.
    """

    number: int
    faces: tuple[int, ...]
    frames: int
    first: int
    last: int
    first_s: float
    last_s: float
    best_face: int
    best_frame: int
    doubled: int = 0
    first_doubled: int = -1


def summarize_people(
    table: LandmarkTable, reassignments: Iterable[Reassignment]
) -> list[PersonSummary]:
    """Return the persons of a table, by number.

    Args:
        table: The landmark table.
        reassignments: What was merged, split and swapped, in this order.

    Returns:
        One summary for each person that has a face in some frame.
    """
    there = np.flatnonzero((table.face_id >= 0) & (table.state != FaceState.LOST))
    frame, face = table.frame[there], table.face_id[there]
    persons = persons_of(face, frame, reassignments)
    doubled = doubled_frames(persons, frame)
    quality = frontal_quality(table)[there]
    found = []
    for person in np.unique(persons).tolist():
        mine = np.flatnonzero(persons == person)
        first, last = mine[np.argmin(frame[mine])], mine[np.argmax(frame[mine])]
        best, twice = mine[_best(quality[mine])], doubled.get(person, _NONE)
        found.append(
            PersonSummary(
                number=person,
                faces=tuple(np.unique(face[mine]).tolist()),
                frames=len(np.unique(frame[mine])),
                first=int(frame[first]),
                last=int(frame[last]),
                first_s=float(table.timestamp_s[there[first]]),
                last_s=float(table.timestamp_s[there[last]]),
                best_face=int(face[best]),
                best_frame=int(frame[best]),
                doubled=len(twice),
                first_doubled=int(twice[0]) if len(twice) else -1,
            )
        )
    return found


def _best(quality: NDArray[np.float64]) -> int:
    """Return the first row that is almost the best, which stays the same as rows are added."""
    return int(np.argmax(quality >= quality.max() - _ALMOST))


def frontal_quality(table: LandmarkTable) -> NDArray[np.float64]:
    """Return how well each face of a table can be recognized, (N,), at most 1.

    It is the face score times the cosines of pitch and yaw; a score or pose that is not known
    counts as 0.5 and as turned by 60 degrees.
    """
    score = np.nan_to_num(table.score.astype(np.float64), nan=0.5)
    frontal = np.cos(table.pose[:, 3]) * np.cos(table.pose[:, 4])
    return np.asarray(score * np.nan_to_num(frontal, nan=0.5))
