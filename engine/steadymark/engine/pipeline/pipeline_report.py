"""How far a pipeline is, and what went wrong."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from steadymark.engine.core.types import FaceState

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackResult
    from steadymark.models.user_text import UserText

TIMED = 2000  # frames whose times the median is of


class PipelineState(StrEnum):
    """`finished`: the source ended; `stopped`: told to; `failed`: see the report's faults."""

    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What has happened so far. Spans are counted over frames in which no face was tracked.

    frames: tracked so far. dropped: frames of a live source that were passed over. with_face:
    frames with at least one face. median_ms: of the tracking of one frame, over the last 2000.
    faults: a sentence for each thing that went wrong; problems: what the source passed over.
    """

    state: PipelineState = PipelineState.READY
    frames: int = 0
    dropped: int = 0
    with_face: int = 0
    lost_spans: int = 0
    median_ms: float = 0.0
    last_pts_s: float = 0.0
    faults: tuple[UserText, ...] = ()
    problems: tuple[UserText, ...] = ()


class Stats:
    """What the threads tell of their work. Not the pipeline itself, so that no cycle keeps it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._report = PipelineReport()
        self._times_ms: deque[float] = deque(maxlen=TIMED)
        self._was_lost = False

    @property
    def report(self) -> PipelineReport:
        """A snapshot, without what the source tells."""
        with self._lock:
            report, times = self._report, list(self._times_ms)
        return replace(report, median_ms=statistics.median(times) if times else 0.0)

    def count(self, result: TrackResult, spent_ms: float) -> None:
        """A frame was tracked."""
        seen = any(face.state is not FaceState.LOST for face in result.faces)
        with self._lock:
            self._times_ms.append(spent_ms)
            report = self._report
            self._report = replace(
                report,
                frames=report.frames + 1,
                with_face=report.with_face + seen,
                lost_spans=report.lost_spans + (not seen and not self._was_lost),
                last_pts_s=result.frame.pts_s,
            )
        self._was_lost = not seen

    def fault(self, text: UserText) -> None:
        """Something went wrong; the same is told once."""
        with self._lock:
            if text not in self._report.faults:
                self._report = replace(self._report, faults=(*self._report.faults, text))

    def turn(self, state: PipelineState) -> None:
        """From now on it is in this state."""
        with self._lock:
            self._report = replace(self._report, state=state)
