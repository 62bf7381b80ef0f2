"""All tracking results of one recording in compact form, for replay, plots and export."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import takewhile
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.session.recording.face_rows import STATES, FaceRows, empty_rows, face_of_row
from steadymark.engine.attributes.attribute_registry import vector_of
from steadymark.engine.attributes.attribute_rows import TrackedRows, attributes_of_rows
from steadymark.engine.core.types import FaceContext, FaceState, FrameTime, TrackedFace, TrackResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.types import Intrinsics
    from steadymark.models.face.schema import LandmarkSchema

_FIRST_ROWS = 512, 1 << 18  # minimum and maximum of the rows that are reserved at first


class FrameStatus(IntEnum):
    """Whether a frame has results. DAMAGED cannot be decoded; LEFT_OUT has no row in its table."""

    UNKNOWN = 0
    TRACKED = 1
    DAMAGED = 2
    LEFT_OUT = 3


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """The path of a face: xy_px (T, K, 2) and speed (T - 1, K), in % of its size per second."""

    xy_px: NDArray[np.float32]
    speed: NDArray[np.float32]


class Results:
    """The results of a recording with frames at `times_s`. All methods are thread-safe.

    `version` changes when the stabilized points or the attributes of existing rows have changed.
    `of_recording` tells whether the 3D faces of all rows are those of the whole recording, see
    `face_at_rest`, and `learns_later` whether they will be when all frames are tracked.
    """

    def __init__(self, times_s: NDArray[np.float64], schema: LandmarkSchema) -> None:
        self.times_s, self.schema = times_s, schema
        frames = len(times_s)
        self._lock = Lock()
        self._known = np.zeros(frames, np.int8)
        self._first_row = np.full(frames, -1, np.int64)
        self._faces = np.zeros(frames, np.int16)
        self._restarted = np.zeros(frames, np.bool_)
        self._seen = np.zeros(frames, np.bool_)
        self._stage_ms = np.full((frames, 2), np.nan, np.float32)
        self._count = 0
        self._context: FaceContext | None = None  # of the latest face, for its schema and camera
        self._rows = empty_rows(min(max(frames, _FIRST_ROWS[0]), _FIRST_ROWS[1]), schema.count)
        self._segment_begins, self._segment_count = False, 0
        self.version, self.of_recording, self.learns_later = 0, False, False

    @property
    def frames(self) -> int:
        """The number of frames of the recording."""
        return len(self.times_s)

    @property
    def complete(self) -> bool:
        """Whether all frames were processed, and nothing will be computed from all of them."""
        with self._lock:
            known = bool((self._known != FrameStatus.UNKNOWN).all())
            return known and not self.learns_later

    @property
    def segment_count(self) -> int:
        """The number of separate tracking runs. Each run starts without any state of faces."""
        with self._lock:
            return self._segment_count

    @property
    def size_bytes(self) -> int:
        """The memory of the results in bytes."""
        rows = self.rows()
        arrays = [getattr(rows, name) for name in FaceRows.__slots__]
        arrays += [self.times_s, self._known, self._first_row, self._faces]
        arrays += [self._restarted, self._seen, self._stage_ms]
        return sum(array.nbytes for array in arrays)

    def begin_segment(self) -> None:
        """Start a new tracking run with the next frame that is added."""
        with self._lock:
            self._segment_begins = True

    def add(self, result: TrackResult) -> None:
        """Add the result of a frame, unless the frame is already tracked."""
        index = result.frame.index
        with self._lock:
            if self._known[index] == FrameStatus.TRACKED:
                return
            if self._segment_begins or not self._segment_count:
                self._segment_count += 1
                self._segment_begins = False
            self._reserve(len(result.faces))
            self._first_row[index], self._faces[index] = self._count, len(result.faces)
            self._restarted[index] = result.restarted
            self._seen[index] = any(f.state is not FaceState.LOST for f in result.faces)
            for face in result.faces:
                self._write_row(self._count, index, face, restarted=result.restarted)
                self._count += 1
            stages = result.stage_ms
            self._stage_ms[index] = stages.get("detect", np.nan), stages.get("landmarks", np.nan)
            self._known[index] = FrameStatus.TRACKED

    def mark_damaged(self, first: int, end: int) -> None:
        """Mark the unknown frames in [first, end) as damaged."""
        with self._lock:
            part = self._known[first:end]
            part[part == FrameStatus.UNKNOWN] = FrameStatus.DAMAGED

    def leave_out_unknown(self) -> None:
        """Mark all unknown frames as left out by the table that the results were read from."""
        with self._lock:
            self._known[self._known == FrameStatus.UNKNOWN] = FrameStatus.LEFT_OUT

    def set_stabilized(
        self,
        stabilized: NDArray[np.float32] | None = None,
        *,
        of_recording: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Replace the stabilized points of the first M rows, and compute their attributes again.

        Args:
            stabilized: (M, K, 2) the points; None keeps those of all rows.
            of_recording: Whether the 3D faces are learned from the whole recording now. Otherwise
                they stay as they are.
            stop: Is called repeatedly and returns whether the results are no longer needed, which
                then stay as they are.
        """
        rows, context = self.rows(), self._context
        points = rows.stabilized if stabilized is None else stabilized
        attributes = np.full((len(points), rows.attributes.shape[1]), np.nan)
        identity = rows.identity[: len(points)]
        if context is not None:
            tracked = _tracked_rows(self, rows, context, of_recording=of_recording)
            identity = np.fromiter(tracked.identities, np.object_, len(rows))[: len(points)]
            wanted = takewhile(lambda _: not stop(), range(len(points)))
            attributes = attributes_of_rows(tracked, points, wanted)
        if stop():
            return
        with self._lock:
            rows, more = self._rows, slice(len(points), self._count)
            self._rows = replace(
                rows,
                stabilized=_with_first(rows.stabilized, points, more),
                attributes=_with_first(rows.attributes, attributes, more),
                identity=_with_first(rows.identity, identity, more),
            )
            self.of_recording |= of_recording
            self.learns_later &= not of_recording
            self.version += 1

    @property
    def gaze_calibration(self) -> GazeCalibration | None:
        """The correction of gaze that the results were tracked with; None for none."""
        context = self._context
        return None if context is None else context.gaze_calibration

    def snapshot(self) -> Results:
        """Return a snapshot that later tracking and filtering do not change."""
        with self._lock:
            snapshot = copy(self)
            snapshot._known = self._known.copy()
        return snapshot

    @property
    def camera(self) -> Intrinsics | None:
        """The camera of the recording; None before a face was tracked."""
        return None if self._context is None else self._context.camera

    def rows(self) -> FaceRows:
        """Return all rows so far. Rows that are added later do not change them."""
        with self._lock:
            count = self._count
            return FaceRows(**{n: getattr(self._rows, n)[:count] for n in FaceRows.__slots__})

    def window(self) -> tuple[FaceRows, NDArray[np.float64], NDArray[np.bool_]]:
        """Return the rows to measure and plot, the frame times, and which frames are tracked."""
        # the status is read first because rows may be added meanwhile
        tracked = np.asarray(self.frame_status() == FrameStatus.TRACKED)
        return self.rows(), self.times_s, tracked

    def frame_status(self) -> NDArray[np.int8]:
        """Return the `FrameStatus` of each frame, (frames,)."""
        with self._lock:
            return self._known.copy()

    def restarted(self) -> NDArray[np.bool_]:
        """Return whether tracking restarted at each frame, (frames,); see `TrackResult`."""
        with self._lock:
            return self._restarted.copy()

    def has_faces(self) -> NDArray[np.bool_]:
        """Return whether each frame has at least one face, (frames,)."""
        with self._lock:
            return self._seen.copy()

    def stage_ms(self, last: int = 500) -> tuple[float, float]:
        """Return the median ms of detection, where it ran, and of landmarks; NaN if unknown."""
        with self._lock:
            stages = self._stage_ms[self._known == FrameStatus.TRACKED][-last:]
        return _median(stages[stages[:, 0] > 0, 0]), _median(stages[np.isfinite(stages[:, 1]), 1])

    def is_tracked(self, index: int) -> bool:
        """Return whether a frame is tracked."""
        with self._lock:
            return bool(self._known[index] == FrameStatus.TRACKED)

    def is_known(self, index: int) -> bool:
        """Return whether a frame is tracked or damaged, so that its status is final."""
        with self._lock:
            return bool(self._known[index] != FrameStatus.UNKNOWN)

    def faces(self, index: int) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame, or None if it is not tracked."""
        with self._lock:
            if self._known[index] != FrameStatus.TRACKED:
                return None
            first, rows = int(self._first_row[index]), self._rows
            last = first + int(self._faces[index])
            context = self._context
            if context is not None:
                context = replace(context, time_s=float(self.times_s[index]))
            return tuple(face_of_row(rows, row, context) for row in range(first, last))

    def rows_at(self, index: int) -> range:
        """Return the rows of a frame, in the order of `faces`."""
        with self._lock:
            first = max(0, int(self._first_row[index]))
            return range(first, first + int(self._faces[index]))

    def result(self, index: int) -> TrackResult | None:
        """Return the result of a frame without its picture, or None if it is not tracked."""
        faces = self.faces(index)
        if faces is None:
            return None
        restarted = bool(self.restarted()[index])
        return TrackResult(FrameTime(index, float(self.times_s[index])), faces, restarted=restarted)

    def trails(
        self,
        index: int,
        *,
        over_s: float,
        raw: bool = False,
        points: NDArray[np.float32] | None = None,
    ) -> dict[int, Trail]:
        """Return the trail of each face of a frame by face id, over the `over_s` seconds before.

        points: (M, K, 2), used in place of the points of the first M rows.
        """
        with self._lock:
            rows, first, faces = self._rows, int(self._first_row[index]), int(self._faces[index])
            if self._known[index] != FrameStatus.TRACKED:
                return {}
        trails = {}
        for row in range(first, first + faces):
            path_rows = self._path_rows(rows, row, float(self.times_s[index]) - over_s)
            source = (rows.raw if raw else rows.stabilized) if points is None else points
            path_rows = [r for r in path_rows if r < len(source) and np.isfinite(source[r, 0, 0])]
            if len(path_rows) > 1:
                times, line = self.times_s[rows.frame[path_rows]], source[path_rows]
                trails[int(rows.face_id[row])] = Trail(line, _speed(line, times))
        return trails

    def _path_rows(self, rows: FaceRows, row: int, since_s: float) -> list[int]:
        """Return the consecutive rows of a face up to this one, the oldest first."""
        path_rows = []
        while row >= 0 and np.isfinite(rows.raw[row, 0, 0]):
            if self.times_s[rows.frame[row]] < since_s:
                break
            path_rows.append(row)
            row = int(rows.previous_row[row])
        return path_rows[::-1]

    def next_gap(self, first: int) -> range | None:
        """Return the first run of unknown frames from `first` on, or else from the beginning."""
        with self._lock:
            unknown = np.flatnonzero(self._known == FrameStatus.UNKNOWN)
        if not len(unknown):
            return None
        later = unknown[unknown >= first]
        run = later if len(later) else unknown
        breaks = np.flatnonzero(np.diff(run) > 1)
        end = int(run[breaks[0]]) if len(breaks) else int(run[-1])
        return range(int(run[0]), end + 1)

    def ready_until(self, index: int) -> int:
        """Return the end of the run of known frames from `index` on; index - 1 if it is empty."""
        with self._lock:
            unknown = np.flatnonzero(self._known[index:] == FrameStatus.UNKNOWN)
        return index + int(unknown[0]) - 1 if len(unknown) else self.frames - 1

    def _write_row(self, row: int, index: int, face: TrackedFace, *, restarted: bool) -> None:
        rows = self._rows
        for values in (rows.box, rows.crop, rows.raw, rows.stabilized, rows.point_score):
            values[row] = np.nan
        rows.frame[row], rows.face_id[row] = index, face.face_id
        rows.state[row], rows.score[row] = STATES.index(face.state), face.score
        rows.previous_row[row] = -1 if restarted else self._previous_row(index, face.face_id)
        if face.box is not None:
            rows.box[row] = face.box.left, face.box.top, face.box.width, face.box.height
        if face.crop is not None:
            crop = face.crop
            rows.crop[row] = crop.x, crop.y, crop.side, crop.roll_deg
        if face.raw is not None and face.stabilized is not None:
            rows.raw[row], rows.stabilized[row] = face.raw.xy_px, face.stabilized.xy_px
            rows.point_score[row] = face.stabilized.score
        rows.attributes[row], rows.identity[row] = vector_of(face.attributes), None
        if face.attributes is not None:
            context = face.attributes.context
            rows.identity[row] = context.identity
            self._context = replace(context, identity=None, fit=None, pupils=None, gaze=None)

    def _previous_row(self, index: int, face_id: int) -> int:
        if index == 0 or self._known[index - 1] != FrameStatus.TRACKED:
            return -1
        first = int(self._first_row[index - 1])
        for row in range(first, first + int(self._faces[index - 1])):
            if self._rows.face_id[row] == face_id:
                return row
        return -1

    def _reserve(self, more: int) -> None:
        capacity = len(self._rows.frame)
        if self._count + more <= capacity:
            return
        grown = empty_rows(max(2 * capacity, self._count + more), self.schema.count)
        for name in FaceRows.__slots__:
            getattr(grown, name)[: self._count] = getattr(self._rows, name)[: self._count]
        self._rows = grown


def _tracked_rows(
    results: Results, rows: FaceRows, context: FaceContext, *, of_recording: bool
) -> TrackedRows:
    """Return what was tracked in these rows, for the attributes of changed points."""
    return TrackedRows(
        rows.face_id,
        results.times_s[rows.frame],
        rows.raw,
        rows.point_score,
        rows.previous_row < 0,
        context.schema,
        context.camera,
        rows.attributes,
        calibration=context.gaze_calibration,
        of_recording=of_recording,
        used=None if of_recording else rows.identity,
    )


def _with_first(array: NDArray[Any], first: NDArray[Any], more: slice) -> NDArray[Any]:
    """Return a new array that begins with other values; only the rows of `more` follow them."""
    new = np.empty_like(array)
    new[: len(first)], new[more] = first, array[more]
    return new


def _speed(points: NDArray[np.float32], times_s: NDArray[np.float64]) -> NDArray[np.float32]:
    size = max(1.0, float(np.ptp(points[-1], axis=0).max()))
    gaps = np.maximum(np.diff(times_s), 1e-6)[:, None]
    speed: NDArray[np.float32] = (
        np.linalg.norm(np.diff(points, axis=0), axis=-1) / size * 100 / gaps
    ).astype(np.float32)
    return speed


def _median(values: NDArray[np.floating]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
