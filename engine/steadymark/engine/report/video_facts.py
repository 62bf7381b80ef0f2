"""The facts of one tracked video that a report tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.face_frames import FaceFrames
from steadymark.engine.core.types import FaceState
from steadymark.engine.metrics.fast_motion import fast_motion
from steadymark.engine.review.doubtful_stretches import DoubtLimits, find_doubtful
from steadymark.engine.review.interval_statistics import interval_statistics
from steadymark.engine.review.person_track import PersonTrack, tracks_of
from steadymark.engine.review.reviewed_table import ReviewedTable, reviewed
from steadymark.engine.review.stretch_table import StretchStatus, stretch_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.interval_statistics import IntervalStatistics
    from steadymark.engine.review.project import Project


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """What is told of one face.

    Attributes:
        name: Name or number of the person.
        frames: Numbers of frames processed and of frames with this face.
        score: Median score of the landmarks.
        fast_raw: Motion of the raw landmarks faster than 5 Hz, in % of the eye distance.
        fast_stabilized: The same for the stabilized landmarks.
        corrected: Number of frames with corrected landmarks.
    """

    name: str
    frames: FaceFrames
    score: float
    fast_raw: float
    fast_stabilized: float
    corrected: int


@dataclass(frozen=True, slots=True, eq=False)
class VideoFacts:
    """What a report tells of one video.

    Attributes:
        name: Name of the video or table.
        frames: Numbers of frames processed and of frames with a face.
        duration_s: Time from the first to the last frame.
        made_with: How the landmarks were made: label → value.
        faces: The faces, by number.
        tracks: Their reviewed tracks, in the same order.
        stretches: The doubtful stretches, worst first.
        status: `open`, `accepted` or `excluded` for each stretch.
        statistics: Statistics of persons and intervals.
        project: The project.
    """

    name: str
    frames: FaceFrames
    duration_s: float
    made_with: Mapping[str, str]
    faces: tuple[FaceFacts, ...]
    tracks: tuple[PersonTrack, ...]
    stretches: tuple[DoubtfulStretch, ...]
    status: tuple[str, ...]
    statistics: tuple[IntervalStatistics, ...]
    project: Project

    @property
    def excluded_s(self) -> float:
        """For how long something is excluded; overlapping intervals count once."""
        total, until = 0.0, -math.inf
        for one in sorted(self.project.excluded, key=lambda each: each.start_s):
            total += max(0.0, one.end_s - max(one.start_s, until))
            until = max(until, one.end_s)
        return total

    @property
    def doubtful_s(self) -> float:
        """The duration of all stretches that nobody has accepted or excluded."""
        pairs = zip(self.stretches, self.status, strict=True)
        return sum(one.end_s - one.start_s for one, status in pairs if status == StretchStatus.OPEN)


def video_facts(name: str, table: LandmarkTable, project: Project) -> VideoFacts:
    """Gather the facts of one video.

    Args:
        name: Name of the video or table.
        table: Its landmarks, as they were tracked.
        project: Its project; an empty one if nobody has reviewed it.

    Returns:
        The facts.

    Raises:
        UsageError: The landmarks are of no known schema.
    """
    checked = reviewed(table, project)
    tracks = tuple(tracks_of(checked.table))
    limits = DoubtLimits(project.limits, project.doubts_off)
    stretches = tuple(find_doubtful(tracks, limits))
    frames = np.unique(table.frame)
    with_face = np.unique(table.frame[table.state != FaceState.LOST])
    times = table.timestamp_s
    return VideoFacts(
        name=name,
        frames=FaceFrames(len(frames), len(with_face)),
        duration_s=float(np.ptp(times)) if len(times) else 0.0,
        made_with=_made_with(table.header),
        faces=tuple(_face(track, checked, project) for track in tracks),
        tracks=tracks,
        stretches=stretches,
        status=tuple(stretch_status(one, project) for one in stretches),
        statistics=tuple(interval_statistics(checked, project)),
        project=project,
    )


def _face(track: PersonTrack, table: ReviewedTable, project: Project) -> FaceFacts:
    mine = table.table.face_id == track.face_id
    raw, xy = (p.astype(np.float64) for p in (track.raw_xy, track.xy))
    known = track.point_score[np.isfinite(track.point_score)]
    present = int(track.present.sum())
    return FaceFacts(
        name=project.name_of(int(table.person[mine][0])) if mine.any() else str(track.face_id),
        frames=FaceFrames(len(track), present),
        score=float(np.median(known)) if len(known) else math.nan,
        fast_raw=fast_motion(raw, track.time_s, track.eye_px),
        fast_stabilized=fast_motion(xy, track.time_s, track.eye_px),
        corrected=int(table.corrected[mine].sum()),
    )


def _made_with(header: Mapping[str, object]) -> dict[str, str]:
    """Return the parts of a table's header in words; empty for tables of other programs."""
    facts: dict[str, str] = {}
    source = header.get("source")
    if isinstance(source, dict) and source.get("sha256"):
        facts["SHA-256 of the video"] = str(source["sha256"])
    for title, key in (("versions", "versions"), ("models (SHA-256)", "models")):
        values = header.get(key)
        if isinstance(values, dict) and values:
            facts[title] = ", ".join(f"{name} {str(v)[:12]}" for name, v in values.items())
    settings = header.get("settings")
    if isinstance(settings, dict):
        facts["settings"] = ", ".join(f"{name} {_brief(v)}" for name, v in settings.items())
    return facts


def _brief(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_brief(v)}" for name, v in value.items()) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
