"""The progress of a pipeline and the errors that occurred."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.face_frames import FaceFrames
from steadymark.engine.core.types import FaceState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import TrackedFace, TrackResult
    from steadymark.models.user_text import UserText

TIMED = 2000  # number of frames in the median of the tracking time


class PipelineState(StrEnum):
    """State of a pipeline.

    `finished` means that the source ended, `stopped` that the user stopped the pipeline, and
    `failed` that the report lists faults.
    """

    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """A snapshot of a pipeline's progress.

    Attributes:
        state: State of the pipeline.
        frames: Number of frames processed so far.
        dropped: Number of frames of a live source that were skipped.
        with_face: Number of frames with at least one face.
        lost_spans: Number of runs of consecutive frames in which no face was tracked.
        median_score: Median of the scores of the landmarks of each frame's best face, in steps of
            0.001; 0.0 without a face.
        median_ms: Median time to track a frame, over the last 2000 frames, in milliseconds.
        last_pts_s: Presentation time of the last processed frame, in seconds.
        faults: One sentence for each error.
        problems: What the source skipped, one sentence each.
        most_seen: Largest number of faces that the detector saw in a frame, tracked or not.
    """

    state: PipelineState = PipelineState.READY
    frames: int = 0
    dropped: int = 0
    with_face: int = 0
    lost_spans: int = 0
    median_score: float = 0.0
    median_ms: float = 0.0
    last_pts_s: float = 0.0
    faults: tuple[UserText, ...] = ()
    problems: tuple[UserText, ...] = ()
    most_seen: int = 0

    @property
    def face_frames(self) -> FaceFrames:
        """The numbers of frames processed and of frames with a face."""
        return FaceFrames(self.frames, self.with_face)


class Stats:
    """Collects the report's values from the threads.

    It is separate from the pipeline, so that no reference cycle keeps the pipeline alive.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._report = PipelineReport()
        self._times_ms: deque[float] = deque(maxlen=TIMED)
        self._was_lost = False
        self._scores = np.zeros(1001, np.int64)  # landmarks by their score, in thousandths

    @property
    def report(self) -> PipelineReport:
        """A snapshot, without the values that come from the source."""
        with self._lock:
            report, times = self._report, list(self._times_ms)
            scored = np.cumsum(self._scores)
        median_score = float(np.searchsorted(scored, (scored[-1] + 1) // 2)) / 1000
        median_ms = float(np.median(times)) if times else 0.0
        return replace(report, median_ms=median_ms, median_score=median_score)

    def count(self, result: TrackResult, spent_ms: float) -> None:
        """Record a tracked frame.

        Args:
            result: The result of the frame.
            spent_ms: Time that tracking took, in milliseconds.
        """
        faces = [face for face in result.faces if face.state is not FaceState.LOST]
        has_face = bool(faces)
        with self._lock:
            if has_face:
                self._scores += _score_counts(max(faces, key=lambda face: face.score))
            self._times_ms.append(spent_ms)
            report = self._report
            self._report = replace(
                report,
                frames=report.frames + 1,
                with_face=report.with_face + has_face,
                lost_spans=report.lost_spans + (not has_face and not self._was_lost),
                last_pts_s=result.frame.pts_s,
                most_seen=max(report.most_seen, result.faces_seen),
            )
        self._was_lost = not has_face

    def fault(self, text: UserText) -> None:
        """Record an error; the same error is recorded once."""
        with self._lock:
            if text not in self._report.faults:
                self._report = replace(self._report, faults=(*self._report.faults, text))

    def set_state(self, state: PipelineState) -> None:
        """Set the state."""
        with self._lock:
            self._report = replace(self._report, state=state)


def _score_counts(face: TrackedFace) -> NDArray[np.int64]:
    """Return the number of a face's landmarks, (1001,), by their score in thousandths."""
    assert face.stabilized is not None
    known = face.stabilized.score[np.isfinite(face.stabilized.score)]
    thousandths = np.rint(1000 * np.clip(known, 0, 1)).astype(np.int64)
    return np.bincount(thousandths, minlength=1001).astype(np.int64)
