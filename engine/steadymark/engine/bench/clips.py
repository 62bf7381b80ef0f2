"""Stabilizers on real clips: stillness where the face is still, lag and openings where it moves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.still_by_flow import StillByFlow
from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.openings import amplitude, eye_opening, mouth_opening
from steadymark.engine.metrics.stability import lag_frames, mav, mcv_still, mean_motion
from steadymark.engine.metrics.stillness import segments
from steadymark.engine.settings import make_tracker, open_models
from steadymark.engine.sources import open_source
from steadymark.engine.stabilizing import OFFLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.settings import TrackSettings


@dataclass(frozen=True, slots=True)
class ClipRow:
    """What one choice made of one clip.

    still: frames in which optical flow calls the face still; motion, mav, mcv: there, in % of the
    outer-eye distance a frame, (%)², and %. lag_frames: against the raw points, over the whole
    clip. eyes, mouth: amplitude of their opening, stabilized over raw.
    """

    clip: str
    choice: str
    still: int
    motion: float
    mav: float
    mcv: float
    lag_frames: float
    eyes: float
    mouth: float


class _Followed(NamedTuple):
    """(T, K, 2) points, NaN in frames without the face; still: see StillByFlow, if watched."""

    raw: Values
    steady: Values
    fps: float
    still: NDArray[np.bool_] | None


def run_clip(
    path: Path,
    settings: TrackSettings,
    choices: Sequence[str],
    *,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[ClipRow]:
    """A row for each choice. Frames are called still by the first choice's boxes.

    report: frames tracked so far, over all choices.

    Raises:
        SourceError: the clip cannot be read.
        WeightsError, UsageError: a choice is not to be had.
    """
    still: NDArray[np.bool_] | None = None
    done = 0
    for choice in choices:
        chosen = replace(settings, stabilizer=choice)
        found = _follow(path, chosen, report, done, watched=still is None)
        done += len(found.raw)
        still = found.still if still is None else still
        assert still is not None
        parts = segments(still, found.fps)
        there = [found.steady[part] for part in parts]
        yield ClipRow(
            path.name,
            choice,
            int(still.sum()),
            float(mean_of_finite(np.array([mean_motion(points) for points in there]))),
            mav(there),
            mcv_still(there),
            lag_frames(found.steady, found.raw),
            amplitude(eye_opening(found.steady)) / amplitude(eye_opening(found.raw)),
            amplitude(mouth_opening(found.steady)) / amplitude(mouth_opening(found.raw)),
        )


def _follow(
    path: Path,
    settings: TrackSettings,
    report: Callable[[int], None],
    before: int,
    *,
    watched: bool,
) -> _Followed:
    source = open_source(str(path))
    fps = source.info.fps or 25.0
    watch = StillByFlow(fps) if watched else None
    tracker = make_tracker(open_models(settings), settings)
    nothing = np.full((tracker.schema.count, 2), np.nan)
    raw, steady, times = [], [], []
    for frame in source.frames():
        faces = [face for face in tracker.track(frame).faces if face.raw is not None]
        face = faces[0] if faces else None
        if watch is not None:
            watch.add(frame.image, face.box if face else None)
        raw.append(face.raw.xy_px if face and face.raw else nothing)
        steady.append(face.stabilized.xy_px if face and face.stabilized else nothing)
        times.append(frame.pts_s)
        report(before + len(times))
    source.close()
    points, when = np.array(raw, np.float64), np.array(times)
    smooth = np.array(steady, np.float64)
    if settings.stabilizer == OFFLINE:
        smooth = settings.butterworth.smooth(points, when)
    return _Followed(points, smooth, fps, watch.still() if watch else None)
