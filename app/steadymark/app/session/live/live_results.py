"""The results of the last minute of a live view, which are painted, measured and plotted."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from steadymark.app.session.recording.face_rows import FaceRows
from steadymark.app.session.recording.results import Results
from steadymark.engine.core.types import FrameTime

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.recording.results import Trail
    from steadymark.engine.core.types import TrackedFace, TrackResult
    from steadymark.models.face.schema import LandmarkSchema

WINDOW_S = 60.0
N = TypeVar("N", bound=np.generic)
_CAPACITY = 8192  # frames: more than a minute at 120 frames per second


class LiveResults(Results):
    """Results of a live view. Frames have the numbers of their source; old frames are dropped.

    Args:
        schema: The schema of the landmarks.
        window_s: The time that `window` returns, in seconds.
        capacity: The largest number of frames that are kept.

    Attributes:
        times_s: The times of the kept frames, in seconds since the first picture.
    """

    def __init__(
        self, schema: LandmarkSchema, *, window_s: float = WINDOW_S, capacity: int = _CAPACITY
    ) -> None:
        super().__init__(np.full(capacity, np.nan), schema)
        self._window_s, self._capacity = window_s, capacity
        self._position_lock = RLock()  # held while the positions of frames change or are looked up
        self._times, self.times_s = self.times_s, self.times_s[:0]
        self._numbers = np.zeros(capacity, np.int64)

    def append(self, result: TrackResult) -> None:
        """Add the next frame."""
        with self._position_lock:
            if len(self.times_s) == self._capacity:
                self._drop_old_frames()
            position = len(self.times_s)
            self._times[position], self._numbers[position] = result.frame.pts_s, result.frame.index
            self.add(replace(result, frame=FrameTime(position, result.frame.pts_s)))
            self.times_s = self._times[: position + 1]

    def faces(self, index: int) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame, or None if it was dropped or is not tracked."""
        with self._position_lock:
            position = self._position(index)
            return None if position is None else super().faces(position)

    def trails(
        self,
        index: int,
        *,
        over_s: float,
        raw: bool = False,
        points: NDArray[np.float32] | None = None,
    ) -> dict[int, Trail]:
        with self._position_lock:
            position = self._position(index)
            if position is None:
                return {}
            return super().trails(position, over_s=over_s, raw=raw, points=points)

    def window(self) -> tuple[FaceRows, NDArray[np.float64], NDArray[np.bool_]]:
        """Return the last minute.

        Frames count from its first frame, and all of them are tracked.
        """
        with self._position_lock:
            times, rows = self.times_s, self.rows()
            first = int(np.searchsorted(times, times[-1] - self._window_s)) if len(times) else 0
            return _since(rows, first), times[first:].copy(), np.ones(len(times) - first, bool)

    @property
    def fps(self) -> float:
        """The median rate of tracked frames over the last 100 frames; 25 if it is unknown."""
        times = self.times_s[-100:]
        gaps = np.diff(times)
        return float(1 / np.median(gaps)) if len(gaps) and np.median(gaps) > 0 else 25.0

    def _position(self, index: int) -> int | None:
        count = len(self.times_s)
        position = int(np.searchsorted(self._numbers[:count], index))
        return position if position < count and self._numbers[position] == index else None

    def _drop_old_frames(self) -> None:
        """Drop all frames before the last minute, and at least a quarter of the capacity."""
        with self._lock:
            times = self._times
            first = int(np.searchsorted(times, times[-1] - self._window_s))
            first = min(max(first, self._capacity // 4), self._capacity - 1)
            first_row = int(self._first_row[first])
            old = FaceRows(**{n: getattr(self._rows, n)[: self._count] for n in FaceRows.__slots__})
            rows = _since(old, first)
            self._rows, self._count = rows, len(rows)
            kept = self._capacity - first
            for name in ("_known", "_first_row", "_faces", "_restarted", "_seen", "_stage_ms"):
                setattr(self, name, _shifted(getattr(self, name), first))
            self._first_row[:kept] -= first_row
            self._times, self._numbers = _shifted(times, first), _shifted(self._numbers, first)
            self.times_s = self._times[:kept]


def _since(rows: FaceRows, first: int) -> FaceRows:
    """Return the rows of the frames from `first` on. Frame `first` becomes frame 0."""
    begin = int(np.searchsorted(rows.frame, first))
    kept = {name: getattr(rows, name)[begin:] for name in FaceRows.__slots__}
    kept["frame"] = kept["frame"] - first
    kept["previous_row"] = np.where(kept["previous_row"] >= begin, kept["previous_row"] - begin, -1)
    return FaceRows(**kept)


def _shifted(values: NDArray[N], first: int) -> NDArray[N]:
    """Return the values from `first` on, moved to the start. The end is filled with zeros."""
    shifted = np.zeros_like(values)
    shifted[: len(values) - first] = values[first:]
    return shifted
