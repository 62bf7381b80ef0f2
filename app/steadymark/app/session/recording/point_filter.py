"""Filters over tracked points that can be changed during tracking, which does not depend on them.

The tracker gives raw points to its stabilizer and never reads the output. A filter can therefore
run here over the kept results and give the same values. Tests compare both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.types import FaceState, TrackedFace, TrackResult
from steadymark.engine.stabilizers.filter_runner import make_filter, online_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import NONE, ChosenStabilizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.tracking.settings import TrackSettings

NO_FILTER = ChosenStabilizer(NONE)


def filter_of(settings: TrackSettings) -> ChosenStabilizer:
    """Return the filter that these settings ask for; `none` if a network stabilizes."""
    return NO_FILTER if settings.entry.needs_images else settings.chosen


def without_filter(settings: TrackSettings) -> TrackSettings:
    """Return the settings for the tracker itself, without a filter."""
    return settings if settings.entry.needs_images else replace(settings, stabilizer=NONE)


class PointFilter:
    """A filter with one state per face, which is reset where the tracker resets its own.

    It is not thread-safe.
    """

    def __init__(self, choice: ChosenStabilizer) -> None:
        self.choice = choice
        self._online = online_filter(choice)
        self._memories: dict[int, Any] = {}

    def filtered(self, result: TrackResult) -> TrackResult:
        """Return the result with filtered points. Results must be passed in order."""
        if self.choice.name == NONE or self.choice.needs_future:
            return result
        if result.restarted:
            self._memories.clear()
        faces = tuple(self._face(face, result.frame.pts_s) for face in result.faces)
        return replace(result, faces=faces)

    def _face(self, face: TrackedFace, pts_s: float) -> TrackedFace:
        if face.raw is None:
            self._memories.pop(face.face_id, None)
            return face
        known = self._memories.get(face.face_id)
        fresh = known is None or face.state is FaceState.DETECTED
        steady, memory = self._online.step(
            face.raw, pts_s, self._online.start() if fresh else known
        )
        self._memories[face.face_id] = memory
        return with_points(face, steady)

    def refilter(
        self, results: Results, *, stop: Callable[[], bool] = lambda: False
    ) -> NDArray[np.float32]:
        """Return the filtered points of all rows, as if this filter had run from the start.

        Args:
            results: The results. Rows of later pieces follow those of earlier pieces.
            stop: Is called repeatedly and returns whether the rest is no longer wanted.

        Returns:
            The points, (N, K, 2).
        """
        rows = results.rows()
        steady = rows.raw.copy()
        if self.choice.name == NONE:
            return steady
        point_filter, restarts = make_filter(self.choice), np.cumsum(results.restarted())
        for face_id in np.unique(rows.face_id):
            mine = np.flatnonzero(rows.face_id == face_id)
            mine = mine[np.argsort(rows.frame[mine], kind="stable")]
            frames = rows.frame[mine]
            begins = np.diff(restarts[frames], prepend=-1) != 0
            steady[mine] = run_filter(
                point_filter,
                rows.raw[mine],
                results.times_s[frames],
                begins | (rows.state[mine] == FaceState.DETECTED),
                scores=rows.point_score[mine],
                stop=stop,
            )
        return steady
