"""Benchmark of stabilizers on real clips: how much jitter and how much real motion they remove."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.clips.clip_tracks import read_clip
from steadymark.engine.bench.clips.expression_flow import ExpressionFlow
from steadymark.engine.bench.clips.rest_flow import RestFlow
from steadymark.engine.bench.clips.rigid_flow import RigidFlow
from steadymark.engine.metrics.accuracy import mean_of_finite
from steadymark.engine.metrics.deviation import deviation, furthest_point, restarts, slow_course
from steadymark.engine.metrics.eye_mouth_opening import (
    eye_opening,
    kept_amplitude,
    mouth_opening,
    opening_lag,
)
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rigid_motion import (
    RIGID,
    WITHOUT_JAW,
    eye_distance,
    motion_beyond_rigid,
)
from steadymark.engine.metrics.stability import lag_frames, mav, mcv_still, mean_motion
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.clips.clip_tracks import ClipStabilizers, ClipTrack
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.crop import Image


@dataclass(frozen=True, slots=True)
class ExpressionMotion:
    """Motion of landmarks besides the face's rigid motion.

    Attributes:
        raw: Motion of the raw landmarks, in percent of the outer-eye distance per frame.
        stabilized: Motion of the stabilized landmarks, in the same unit.
        ratio: Stabilized motion divided by raw motion.
    """

    raw: float
    stabilized: float
    ratio: float


@dataclass(frozen=True, slots=True)
class ClipRow:
    """Result of one stabilizer on one clip.

    Distances are in percent of the outer-eye distance.

    Attributes:
        clip: File name of the clip.
        choice: Name of the stabilizer.
        frames: Number of frames.
        besides: Motion of all landmarks besides the face's rigid motion.
        without_jaw: The same without the landmarks of the jaw.
        nose_and_eyes: The same for nose ridge and eye corners only.
        still: Number of frames in which the face is at rest according to optical flow.
        motion: Mean motion in these frames, in percent per frame.
        mav: Mean Allan variance in these frames, in (percent)².
        mcv: Mean coefficient of variation in these frames, in percent.
        lag_frames: Lag of all landmarks behind the raw ones, in frames, over the whole clip.
        lip_lag_frames: Lag of the mouth opening behind the raw one, in frames.
        eyes: Amplitude of the eye opening, stabilized divided by raw.
        mouth: Amplitude of the mouth opening, stabilized divided by raw.
        deviation: Mean distance from the low-pass course of the raw landmarks.
        deviation_98: 98th percentile of this distance.
        furthest: Largest distance from a raw landmark.
        lost: Percentage of frames without a face.
        resets: Number of frames in which the stabilizer restarted.
        own: Deformation of the face per frame according to optical flow (see ExpressionFlow). It
            is real motion, which a stabilizer must not remove.
    """

    clip: str
    choice: str
    frames: int
    besides: ExpressionMotion
    without_jaw: ExpressionMotion
    nose_and_eyes: ExpressionMotion
    still: int
    motion: float
    mav: float
    mcv: float
    lag_frames: float
    lip_lag_frames: float
    eyes: float
    mouth: float
    deviation: float
    deviation_98: float
    furthest: float
    lost: float
    resets: int
    own: float = float("nan")


class ClipMotion:
    """Rest and rigid motion of a clip's face, measured without any stabilizer."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._still, self._rigid = RestFlow(fps), RigidFlow()

    def watch(self, image: Image, face: TrackedFace | None, *, same_scene: bool) -> None:
        """Add the next frame with its face.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            face: The tracked face; None when the frame has none.
            same_scene: Whether face and scene are those of the previous frame; see RigidFlow.
        """
        self._still.add(image, face.box if face else None)
        raw = face.raw.xy_px if face and face.raw else None
        self._rigid.add(image, raw, same_scene=same_scene)

    def still(self) -> NDArray[np.bool_]:
        """Return the mask of still frames, (T,); see RestFlow."""
        return self._still.still()

    def rigid(self) -> Values:
        """Return the rigid motion between frames, (T - 1, 2, 3); see RigidFlow."""
        return self._rigid.motions()


def run_clip(
    clip: str,
    choices: ClipStabilizers,
    *,
    most_frames: int | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[ClipRow]:
    """Run all stabilizers on one clip, which is read once.

    Optical flow is measured at the raw landmarks of the first network pass.

    Args:
        clip: The clip as `open_source` takes it.
        choices: The stabilizers with their opened networks.
        most_frames: Largest number of frames to read; None for all.
        report: Called with the number of frames done so far.

    Yields:
        One row per stabilizer.

    Raises:
        SourceError: The clip cannot be read.
        UsageError: The clip is live.
    """
    fps, frames = read_clip(clip, most_frames)
    clip_motion, deformation, trackers = ClipMotion(fps), ExpressionFlow(), choices.new_trackers()
    for done, frame in enumerate(frames, start=1):
        for number, tracker in enumerate(trackers.values()):
            face, same_scene = tracker.add(frame)
            if number == 0:
                clip_motion.watch(frame.image, face, same_scene=same_scene)
                deformation.watch(frame.image, face, same_scene=same_scene)
        report(done)
    passes = {name: tracker.track() for name, tracker in trackers.items()}
    still, rigid = clip_motion.still(), clip_motion.rigid()
    for name in choices.names:
        track = choices.stabilized(name, passes)
        row = clip_row(Path(clip).name, name, track, still, rigid, fps)
        yield replace(row, own=deformation.mean_px() / eye_distance(track.raw) * 100)


def clip_row(
    clip: str,
    choice: str,
    track: ClipTrack,
    still: NDArray[np.bool_],
    rigid: Values,
    fps: float,
) -> ClipRow:
    """Compute all measures of one stabilizer on one clip.

    Args:
        clip: File name of the clip.
        choice: Name of the stabilizer.
        track: Raw and stabilized landmarks.
        still: Mask of still frames, (T,).
        rigid: Rigid motion between frames, (T - 1, 2, 3); see ClipMotion.
        fps: Frames per second.

    Returns:
        The row.
    """
    raw, stabilized = track.raw, track.stabilized
    still_tracks = [stabilized[part] for part in segments(still, fps)]
    slow_deviation = deviation(stabilized, slow_course(raw, track.times_s))
    own_network = STABILIZER_REGISTRY.find(choice).needs_images
    resets = restarts(raw, stabilized if own_network else raw, track.detected, track.cuts)
    return ClipRow(
        clip=clip,
        choice=choice,
        frames=len(raw),
        besides=_besides(track, rigid, None),
        without_jaw=_besides(track, rigid, WITHOUT_JAW),
        nose_and_eyes=_besides(track, rigid, RIGID),
        still=int(still.sum()),
        motion=float(mean_of_finite(np.array([mean_motion(points) for points in still_tracks]))),
        mav=mav(still_tracks),
        mcv=mcv_still(still_tracks),
        lag_frames=lag_frames(stabilized, raw),
        lip_lag_frames=opening_lag(mouth_opening(stabilized), mouth_opening(raw)),
        eyes=kept_amplitude(eye_opening(stabilized), eye_opening(raw)),
        mouth=kept_amplitude(mouth_opening(stabilized), mouth_opening(raw)),
        deviation=slow_deviation.mean,
        deviation_98=slow_deviation.most,
        furthest=furthest_point(stabilized, raw),
        lost=float((~track.there).mean() * 100) if len(raw) else 100.0,
        resets=int(resets.sum()),
    )


def _besides(track: ClipTrack, rigid: Values, landmarks: Sequence[int] | None) -> ExpressionMotion:
    size_px = eye_distance(track.raw)
    raw, stabilized = (
        motion_beyond_rigid(points, rigid, size_px, landmarks=landmarks)
        for points in (track.raw, track.stabilized)
    )
    return ExpressionMotion(raw, stabilized, stabilized / raw if raw > 0 else float("nan"))


def worst_clips_first(rows: Sequence[ClipRow]) -> list[ClipRow]:
    """Sort rows by stabilizer, and within each by the ratio of `besides`, highest first."""
    names = list(dict.fromkeys(row.choice for row in rows))

    def key(row: ClipRow) -> tuple[int, float]:
        ratio = row.besides.ratio
        return names.index(row.choice), -ratio if np.isfinite(ratio) else np.inf

    return sorted(rows, key=key)


def figures(row: ClipRow) -> dict[str, float]:
    """Return the row's numbers by name; fields of ExpressionMotion become besides_raw and so on.

    Args:
        row: Result of one stabilizer on one clip.

    Returns:
        The numbers by name.
    """
    flat: dict[str, float] = {}
    for name, value in asdict(row).items():
        if isinstance(value, dict):
            flat |= {f"{name}_{part}": float(number) for part, number in value.items()}
        elif not isinstance(value, str):
            flat[name] = float(value)
    return flat


def medians(rows: Sequence[ClipRow]) -> dict[str, float]:
    """Return the median of each figure over the rows in which it is finite."""
    each = [figures(row) for row in rows]
    known = {name: [f[name] for f in each if np.isfinite(f[name])] for name in each[0]}
    return {name: float(np.median(v)) if v else float("nan") for name, v in known.items()}
