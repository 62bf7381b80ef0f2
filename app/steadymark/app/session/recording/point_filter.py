"""Filters over tracked points that can be changed during tracking, which does not depend on them.

The tracker gives raw points to its stabilizer and never reads the output. A filter can therefore
run here over the kept results and give the same values. Tests compare both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.session.recording.face_rows import STATES
from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.types import FaceState, TrackedFace, TrackResult
from steadymark.engine.stabilizers.filter_runner import make_filter, online_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import NONE, ChosenStabilizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.tracking.settings import TrackSettings

NO_FILTER = ChosenStabilizer(NONE)
_DETECTED = STATES.index(FaceState.DETECTED)


def filter_of(settings: TrackSettings) -> ChosenStabilizer:
    """Return the filter that these settings ask for; `none` if a network stabilizes."""
    return NO_FILTER if settings.entry.needs_images else settings.chosen


def without_filter(settings: TrackSettings) -> TrackSettings:
    """Return the settings for the tracker itself, without a filter."""
    return settings if settings.entry.needs_images else replace(settings, stabilizer=NONE)


class PointFilter:
    """A filter with one state per face, which is reset where the tracker resets its own.

    It is not thread-safe.

    Args:
        choice: The filter.
        calibration: The correction of gaze of what `filtered` returns; None for none.
    """

    def __init__(
        self, choice: ChosenStabilizer, calibration: GazeCalibration | None = None
    ) -> None:
        self.choice, self._calibration = choice, calibration
        self._online = online_filter(choice)
        self._states: dict[int, Any] = {}

    def filtered(self, result: TrackResult) -> TrackResult:
        """Return the result with filtered points. Results must be passed in order."""
        if self._calibration is not None:
            faces = tuple(_calibrated(face, self._calibration) for face in result.faces)
            result = replace(result, faces=faces)
        if self.choice.name == NONE or self.choice.needs_future:
            return result
        if result.restarted:
            self._states.clear()
        faces = tuple(self._face(face, result.frame.pts_s) for face in result.faces)
        return replace(result, faces=faces)

    def _face(self, face: TrackedFace, pts_s: float) -> TrackedFace:
        if face.raw is None:
            self._states.pop(face.face_id, None)
            return face
        previous = self._states.get(face.face_id)
        is_new = previous is None or face.state is FaceState.DETECTED
        stabilized, state = self._online.step(
            face.raw, pts_s, self._online.start() if is_new else previous
        )
        self._states[face.face_id] = state
        return with_points(face, stabilized)

    def refilter(
        self, results: Results, *, stop: Callable[[], bool] = lambda: False
    ) -> NDArray[np.float32]:
        """Return the filtered points of all rows, as if this filter had run from the start.

        Args:
            results: The results. Rows of later segments follow those of earlier segments.
            stop: Is called repeatedly and returns whether the result is no longer needed.

        Returns:
            The points, (N, K, 2).
        """
        rows = results.rows()
        stabilized = rows.raw.copy()
        if self.choice.name == NONE:
            return stabilized
        point_filter, restarts = make_filter(self.choice), np.cumsum(results.restarted())
        for face_id in np.unique(rows.face_id):
            face_rows = np.flatnonzero(rows.face_id == face_id)
            face_rows = face_rows[np.argsort(rows.frame[face_rows], kind="stable")]
            frames = rows.frame[face_rows]
            restarts_here = np.diff(restarts[frames], prepend=-1) != 0
            stabilized[face_rows] = run_filter(
                point_filter,
                rows.raw[face_rows],
                results.times_s[frames],
                restarts_here | (rows.state[face_rows] == _DETECTED),
                scores=rows.point_score[face_rows],
                stop=stop,
            )
        return stabilized


def _calibrated(face: TrackedFace, calibration: GazeCalibration) -> TrackedFace:
    """Return a face with its gaze corrected, and with the attributes that follow from gaze."""
    known, points = face.attributes, face.stabilized
    if known is None or points is None:
        return face
    context = replace(known.context, gaze_calibration=calibration)
    return with_points(replace(face, attributes=replace(known, context=context)), points)
