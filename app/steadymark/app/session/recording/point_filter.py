"""Filters over tracked points that can be changed during tracking, which does not depend on them.

The tracker gives raw points to its stabilizer and never reads the output. A filter can therefore
run here over the kept results and give the same values. Tests compare both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.attribute_registry import with_points
from steadymark.engine.core.types import FaceState, Landmarks, TrackedFace, TrackResult
from steadymark.engine.output.csv.offline_filter import filter_table
from steadymark.engine.stabilizers.online_filters import OFFLINE, ONE_EURO, make_stabilizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import FaceRows, Results
    from steadymark.engine.stabilizers.butterworth import Butterworth
    from steadymark.engine.stabilizers.online_filters import OneEuro
    from steadymark.engine.tracking.settings import TrackSettings

FILTERS = ("none", ONE_EURO, OFFLINE)
_ASK_EVERY = 256  # rows


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """The name of the filter that runs over the raw points, and the parameters of all filters."""

    name: str
    one_euro: OneEuro
    butterworth: Butterworth


def filter_of(settings: TrackSettings) -> FilterChoice:
    """Return the filter that these settings ask for; `none` if a network stabilizes."""
    name = settings.stabilizer if settings.stabilizer in FILTERS else "none"
    return FilterChoice(name, settings.one_euro, settings.butterworth)


def without_filter(settings: TrackSettings) -> TrackSettings:
    """Return the settings for the tracker itself, without a filter."""
    return replace(settings, stabilizer="none") if settings.stabilizer in FILTERS else settings


class PointFilter:
    """A filter with one state per face, which is reset where the tracker resets its own.

    It is not thread-safe.
    """

    def __init__(self, choice: FilterChoice) -> None:
        self.choice = choice
        self._stabilizer = make_stabilizer(choice.name, choice.one_euro)
        self._memories: dict[int, Any] = {}

    def filtered(self, result: TrackResult) -> TrackResult:
        """Return the result with filtered points. Results must be passed in order."""
        if self.choice.name != ONE_EURO:
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
        steady, memory = self._stabilizer.step(
            face.raw, pts_s, self._stabilizer.start() if fresh else known
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
        if self.choice.name == OFFLINE:
            return _smooth(results, rows, self.choice.butterworth)
        self._memories.clear()
        steady = rows.raw.copy()
        if self.choice.name == ONE_EURO:
            restarted = results.restarted()
            for row in range(len(rows)):
                if row % _ASK_EVERY == 0 and stop():
                    break
                self._refilter_row(results, rows, steady, row, restarted)
        return steady

    def _refilter_row(
        self,
        results: Results,
        rows: FaceRows,
        steady: NDArray[np.float32],
        row: int,
        restarted: NDArray[np.bool_],
    ) -> None:
        frame, face_id = int(rows.frame[row]), int(rows.face_id[row])
        if restarted[frame] and (row == 0 or rows.frame[row - 1] != frame):
            self._memories.clear()
        if not np.isfinite(rows.raw[row, 0, 0]):
            self._memories.pop(face_id, None)
            return
        known = self._memories.get(face_id)
        if known is None or rows.state[row] == 0:
            known = self._stabilizer.start()
        points = Landmarks(rows.raw[row], rows.point_score[row])
        made, self._memories[face_id] = self._stabilizer.step(
            points, float(results.times_s[frame]), known
        )
        steady[row] = made.xy_px


def _smooth(results: Results, rows: FaceRows, low_pass: Butterworth) -> NDArray[np.float32]:
    steady = rows.raw.copy()
    frames = np.unique(rows.frame)
    kept = [result for frame in frames if (result := results.result(int(frame))) is not None]
    places: dict[tuple[int, int], int] = {
        (int(frame), int(face)): row
        for row, (frame, face) in enumerate(zip(rows.frame, rows.face_id, strict=True))
    }
    for result in filter_table(kept, low_pass):
        for face in result.faces:
            row = places.get((result.frame.index, face.face_id))
            if row is not None and face.stabilized is not None:
                steady[row] = face.stabilized.xy_px
    return steady
