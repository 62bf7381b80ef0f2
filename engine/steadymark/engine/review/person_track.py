"""The landmarks of one face over the frames of a video, as the review reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.face_spans import NOBODY
from steadymark.models.face.schema import USUAL_SCHEMAS, LandmarkSchema, load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from steadymark.engine.output.csv.landmark_table import LandmarkTable

    Floats = NDArray[np.floating]

_LEFT_OUT = "left_out_frames"  # in the header of an export: the first and last frame of each run
_MOST_FRAMES = 10**7  # that are left out: a day at 100 frames per second


@dataclass(frozen=True, slots=True, eq=False)
class PersonTrack:
    """One face in each of the T frames that were processed, with K landmarks.

    Values are NaN in frames without the face.

    Attributes:
        face_id: Number of the face.
        frame: (T,) int64, increasing frame indices.
        time_s: (T,) float64, presentation times in seconds.
        xy: (T, K, 2) stabilized landmarks in pixels.
        raw_xy: (T, K, 2) landmarks from the network in pixels; NaN if they are not known.
        point_score: (T, K) scores of the landmarks; NaN if they are not known.
        score: (T,) face scores.
        rotation_deg: (T, 3) pitch, yaw and roll of the head in degrees.
        eyes: Indices of the outer eye corners.
        missing_before: Number of frames of the video before the first one, which are damaged.
        missing_after: Number of frames of the video after the last one, which are damaged.
        begins: Places among the T frames before which frames were left out on purpose.
    """

    face_id: int
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    xy: Floats
    raw_xy: Floats
    point_score: Floats
    score: Floats
    rotation_deg: Floats
    eyes: tuple[int, int]
    missing_before: int = 0
    missing_after: int = 0
    begins: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def part(self, first: int, end: int) -> PersonTrack:
        """Return the track from one place up to another, as if it were of a video of its own."""
        arrays = ("frame", "time_s", "xy", "raw_xy", "point_score", "score", "rotation_deg")
        return replace(
            self,
            **{name: getattr(self, name)[first:end] for name in arrays},
            missing_before=0 if first else self.missing_before,
            missing_after=0 if end < len(self) else self.missing_after,
            begins=(),
        )

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T,), True in frames with the face."""
        return np.asarray(np.isfinite(self.xy).all((1, 2)))

    @property
    def eye_px(self) -> float:
        """The 90th percentile of the distances of the outer eye corners, in pixels.

        Turning the head shortens the other distances. The value is NaN without any frame.
        """
        right, left = (self.xy[:, i].astype(np.float64) for i in self.eyes)
        distances = np.linalg.norm(right - left, axis=-1)
        known = distances[np.isfinite(distances)]
        return float(np.percentile(known, 90)) if len(known) else math.nan


def tracks_of(
    table: LandmarkTable,
    frame: NDArray[np.int64] | None = None,
    time_s: NDArray[np.float64] | None = None,
    *,
    video: range | None = None,
) -> Iterator[PersonTrack]:
    """Yield the track of each face of a table, in the order of their numbers.

    Args:
        table: The landmark table.
        frame: (T,) increasing indices of the frames that were processed; None if the table has
            rows of all of them.
        time_s: (T,) their times in seconds; given together with `frame`.
        video: The indices of the frames that the video has there; None if only the table's header
            tells.

    Yields:
        A track over these frames, also those without the face.

    Raises:
        UsageError: The table's number of landmarks is that of no known schema.
    """
    if frame is None or time_s is None:
        frame, first = np.unique(table.frame, return_index=True)
        time_s = table.timestamp_s[first]
    place = np.searchsorted(frame, table.frame)
    schema = _schema(table)
    left_out = left_out_frames(table.header)
    missing = _missing_at_ends(frame, video or _frames_of_video(table), left_out)
    begins = tuple(np.unique(np.searchsorted(frame, left_out)).tolist())
    begins = tuple(place for place in begins if 0 < place < len(frame))
    for face_id in np.unique(table.face_id[table.face_id != NOBODY]).tolist():
        rows = np.flatnonzero((table.face_id == face_id) & (table.state != FaceState.LOST))
        track = _track(table, rows, place, frame, time_s, face_id, schema)
        yield replace(track, missing_before=missing[0], missing_after=missing[1], begins=begins)


def left_out_frames(header: Mapping[str, object]) -> NDArray[np.int64]:
    """Return the frames that an export left out, in order, see `with_left_out`.

    Args:
        header: The header of a table; what is not valid in it counts as nothing.
    """
    runs = header.get(_LEFT_OUT)
    frames, room = [np.empty(0, np.int64)], _MOST_FRAMES
    for run in runs if isinstance(runs, list) else ():
        valid = isinstance(run, list) and len(run) == 2 and all(type(end) is int for end in run)
        if valid and 0 <= run[0] <= run[1] < run[0] + room:
            frames.append(np.arange(run[0], run[1] + 1))
            room -= len(frames[-1])
    return np.unique(np.concatenate(frames))


def with_left_out(
    header: Mapping[str, object], before: NDArray[np.int64], after: NDArray[np.int64]
) -> dict[str, object]:
    """Return a header that tells which frames have no row in an export, so are not damaged.

    Args:
        header: The header of the table.
        before: The frames of its rows.
        after: The frames of the rows that are exported.
    """
    left_out = np.union1d(left_out_frames(header), np.setdiff1d(before, after))
    if not len(left_out):
        return dict(header)
    runs = np.split(left_out, np.flatnonzero(np.diff(left_out) > 1) + 1)
    return {**header, _LEFT_OUT: [[int(run[0]), int(run[-1])] for run in runs]}


def _frames_of_video(table: LandmarkTable) -> range | None:
    """Return the frames of a whole video, as the table's header tells; None if it does not."""
    parts = [table.header.get(name) for name in ("source", "settings")]
    source, settings = (part if isinstance(part, dict) else {} for part in parts)
    count = source.get("frames")
    is_part = settings.get("start_s") is not None or settings.get("end_s") is not None
    return range(count) if isinstance(count, int) and not is_part else None


def _missing_at_ends(
    frame: NDArray[np.int64], video: range | None, left_out: NDArray[np.int64]
) -> tuple[int, int]:
    """Return how many frames of the video come before the first and after the last frame.

    Those that were left out on purpose do not count.
    """
    if video is None or not len(frame):
        return 0, 0
    before = int(frame[0]) - video.start - np.count_nonzero(left_out < frame[0])
    after = video.stop - 1 - int(frame[-1]) - np.count_nonzero(left_out > frame[-1])
    return max(0, int(before)), max(0, int(after))


def _schema(table: LandmarkTable) -> LandmarkSchema:
    count = table.xy_px.shape[1]
    name = table.schema or USUAL_SCHEMAS.get(count)
    if name is None:
        raise UsageError(
            "the table has {count} landmarks, and it is not known which of them are the eye "
            "corners: track with a model whose schema is one of {known}",
            count=count,
            known=", ".join(USUAL_SCHEMAS.values()),
        )
    return load_schema(name)


def _track(
    table: LandmarkTable,
    rows: NDArray[np.int64],
    place: NDArray[np.int64],
    frames: NDArray[np.int64],
    time_s: NDArray[np.float64],
    face_id: int,
    schema: LandmarkSchema,
) -> PersonTrack:
    def spread(values: Floats) -> Floats:
        out = np.full((len(frames), *values.shape[1:]), np.nan, values.dtype)
        out[place[rows]] = values[rows]
        return out

    return PersonTrack(
        face_id=face_id,
        frame=frames,
        time_s=time_s,
        xy=spread(table.xy_px),
        raw_xy=spread(table.raw_xy_px),
        point_score=spread(table.point_score),
        score=spread(table.score),
        rotation_deg=np.degrees(spread(table.pose[:, 3:])),
        eyes=schema.eyes,
    )
