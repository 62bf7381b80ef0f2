"""Figures that can be measured of every tracked face, whether it is at rest or moves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.face_frames import NO_FRAMES, FaceFrames
from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.fast_motion import LEAST_FPS, fast_motion
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from steadymark.app.session.recording.face_rows import FaceRows

    Points = NDArray[np.float32]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """What can be measured of every face, at rest or moving. A value is NaN where it is not known.

    Attributes:
        face_frames: The numbers of frames processed and of frames with this face.
        score: The median score of the landmarks, in [0, 1].
        fast_raw: The motion of the raw landmarks faster than 5 Hz, in % of the eye distance.
        fast_stabilized: The same for the stabilized landmarks.
        apart: The mean distance from raw to stabilized landmarks, in % of the eye distance.
        apart_px: The same distance in pixels.
        fps: The frame rate.
    """

    face_frames: FaceFrames = NO_FRAMES
    score: float = math.nan
    fast_raw: float = math.nan
    fast_stabilized: float = math.nan
    apart: float = math.nan
    apart_px: float = math.nan
    fps: float = math.nan

    @property
    def face_share(self) -> float:
        """The share of the processed frames with this face, in [0, 1]."""
        return self.face_frames.share

    @property
    def why_no_fast_motion(self) -> UserText:
        """Why the fast motion is not known."""
        if self.fps < LEAST_FPS:
            return UserText(
                "The video has {fps:.3g} frames per second; {least:.0f} are needed.",
                fps=self.fps,
                least=LEAST_FPS,
            )
        return UserText("The face is never followed for half a second.")


UNKNOWN_FIGURES = TrackingFigures()


def tracking_figures(
    rows: FaceRows,
    mine: Mask,
    raw: Points,
    steady: Points,
    times_s: NDArray[np.float64],
    *,
    linked: Mask,
    known: Mask | None,
    eye_px: float,
    stop: Callable[[], bool],
) -> TrackingFigures:
    """Compute the figures of one face.

    Args:
        rows: The rows of the results.
        mine: (N,), True for the rows of this face.
        raw: (frames, K, 2), its raw landmarks in pixels, NaN in frames without it.
        steady: The same for the stabilized landmarks.
        times_s: (frames,), the times of the frames in seconds.
        linked: (frames,), True where the face continues from the frame before.
        known: (frames,), True for the processed frames. None means all frames.
        eye_px: The mean outer-eye distance in pixels.
        stop: Is called repeatedly and returns whether the result is no longer wanted.
    """
    apart = np.linalg.norm(raw.astype(np.float64) - steady, axis=-1)
    apart_px = float(mean_of_finite(apart if known is None else apart[known]))
    fast_raw, fast_stabilized = (
        fast_motion(
            np.where(linked[:, None, None], p, np.float32(np.nan)), times_s, eye_px, stop=stop
        )
        for p in (raw, steady)
    )
    return TrackingFigures(
        face_frames=_frames_with(rows, mine, len(times_s), known),
        score=_median(rows.point_score[mine]),
        fast_raw=fast_raw,
        fast_stabilized=fast_stabilized,
        apart=apart_px / eye_px * 100,
        apart_px=apart_px,
        fps=float(1 / np.median(np.diff(times_s))) if len(times_s) > 1 else math.nan,
    )


def _frames_with(
    rows: FaceRows, mine: Mask, frames: int, known: NDArray[np.bool_] | None
) -> FaceFrames:
    """Return the numbers of frames processed and of frames with one face.

    Args:
        rows: The rows of the results.
        mine: (N,), True for the rows of this face.
        frames: The number of frames.
        known: (frames,), True for the processed frames. None means all frames.
    """
    there = np.isfinite(rows.raw[:, 0, 0]) | np.isfinite(rows.stabilized[:, 0, 0])
    processed = frames if known is None else int(known.sum())
    return FaceFrames(processed, min(processed, len(np.unique(rows.frame[there & mine]))))


def _median(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan
