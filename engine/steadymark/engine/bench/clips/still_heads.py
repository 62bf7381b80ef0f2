"""How still head pose and expressions are on real clips, in the frames in which the face rests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.bench.clips.clip_tracks import read_clip
from steadymark.engine.bench.clips.rest_flow import RestFlow
from steadymark.engine.core.types import EXPRESSIONS
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rigid_motion import eye_distance
from steadymark.engine.metrics.stability import mean_motion
from steadymark.engine.tracking.settings import make_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings

FLICKER = 0.05  # change of a shape between two frames that is seen


@dataclass(frozen=True, slots=True)
class StillHeadRow:
    """The first face of a clip while it is at rest. Motions are in % of the eye distance a frame.

    Attributes:
        clip: File name of the clip.
        still: Number of frames at rest.
        landmarks: Mean motion of the stabilized landmarks.
        pose: Mean motion of a rigid face that has the head pose.
        turn_deg: Mean angle between the poses of two frames.
        shapes: Mean change of all shapes between two frames.
        flickers: Share of frames in which a shape changes by `FLICKER` or more.
    """

    clip: str
    still: int
    landmarks: float
    pose: float
    turn_deg: float
    shapes: float
    flickers: float


def still_head(
    clip: str,
    settings: TrackSettings,
    models: OpenModels,
    *,
    most_frames: int | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> StillHeadRow:
    """Track a clip, and measure its first face where optical flow says that it is at rest.

    Args:
        clip: The clip as `open_source` takes it.
        settings: The settings of tracking.
        models: The networks of the settings, opened.
        most_frames: Largest number of frames to read; None for all.
        report: Called with the number of frames done so far.

    Returns:
        The row; its figures are NaN without two consecutive frames at rest.

    Raises:
        SourceError: The clip cannot be read.
        UsageError: The clip is live.
    """
    fps, frames = read_clip(clip, most_frames)
    tracker, rest = make_tracker(models, settings), RestFlow(fps)
    measured = []
    for done, frame in enumerate(frames, start=1):
        faces = tracker.track(frame).faces
        face = next((one for one in faces if one.stabilized is not None), None)
        rest.add(frame.image, None if face is None else face.box)
        measured.append(_measured(face))
        report(done)
    still = rest.still() if measured else np.zeros(0, np.bool_)
    return _row(
        Path(clip).name, still, fps, [np.array(each) for each in zip(*measured, strict=True)]
    )


class _Measured(NamedTuple):
    """Landmarks (68, 2) and a rigid face (68, 2) in pixels, shapes (52,), rotation (3, 3)."""

    points: Values
    head: Values
    shapes: Values
    rotation: Values


_UNKNOWN = _Measured(*(np.full(shape, np.nan) for shape in ((68, 2), (68, 2), (52,), (3, 3))))


def _measured(face: TrackedFace | None) -> _Measured:
    known = None if face is None else face.attributes
    pose = None if face is None else face.pose
    if face is None or face.stabilized is None or known is None or pose is None:
        return _UNKNOWN
    return _Measured(
        face.stabilized.xy_px.astype(np.float64),
        pose.project(mean_face()),
        np.array(known.values[EXPRESSIONS]),
        pose.matrix,
    )


def _row(
    clip: str, still: NDArray[np.bool_], fps: float, measured: Sequence[Values]
) -> StillHeadRow:
    """Return the figures of T frames; `measured` has the four parts of `_Measured` of all."""
    points, heads, shapes, rotations = measured or [np.empty((0, 68, 2))] * 4
    parts = segments(still & np.isfinite(heads).all((1, 2)), fps)
    if not parts:
        return StillHeadRow(clip, 0, *[float("nan")] * 5)
    eye_px = eye_distance(points)
    steps = np.concatenate([np.abs(np.diff(np.nan_to_num(shapes[part]), axis=0)) for part in parts])
    turns = np.concatenate([_turns_deg(rotations[part]) for part in parts])
    moves = [np.linalg.norm(np.diff(heads[part], axis=0), axis=2).ravel() for part in parts]
    return StillHeadRow(
        clip,
        sum(part.stop - part.start for part in parts),
        float(np.mean([mean_motion(points[part]) for part in parts])),
        float(np.concatenate(moves).mean() / eye_px * 100),
        float(turns.mean()),
        float(steps.mean()),
        float((steps.max(1) >= FLICKER).mean()),
    )


def _turns_deg(rotations: Values) -> Values:
    """Return the (T - 1,) angles between rotations (T, 3, 3)."""
    cosines = (np.einsum("tij,tij->t", rotations[1:], rotations[:-1]) - 1) / 2
    turns: Values = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return turns
