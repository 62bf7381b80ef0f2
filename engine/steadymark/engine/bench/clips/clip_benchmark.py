"""Stabilizers on real clips, without truth: how still they are, and what they take off the face."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.clips.clip_tracks import FROM_RAW, read_clip
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
    motion_besides,
)
from steadymark.engine.metrics.stability import lag_frames, mav, mcv_still, mean_motion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.clips.clip_tracks import ClipStabilizers, ClipTrack
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.face.crop import Image


@dataclass(frozen=True, slots=True)
class ExpressionMotion:
    """Motion besides the face's rigid motion, % of the outer-eye distance a frame.

    ratio: stabilized over raw.
    """

    raw: float
    stabilized: float
    ratio: float


@dataclass(frozen=True, slots=True)
class ClipRow:
    """What one choice made of one clip.

    own: how far the face moves in itself, as flow sees it (see ExpressionFlow), % of the outer-eye
    distance a frame: no stabilizer may take more off. besides: of all landmarks, without_jaw: of
    all but the jaw's, nose_and_eyes: of nose ridge and eye corners. still: frames in which optical
    flow calls the face still; motion, mav, mcv: there, in % of the outer-eye distance a frame,
    (%)², and %. lag_frames, lip_lag_frames: of all points and of the mouth's opening against the
    raw ones, over the whole clip. eyes, mouth: amplitude of their opening, stabilized over raw.
    deviation, deviation_98: mean and 98th percentile of the distance from the raw points' slow
    course, furthest: the largest distance from a raw point, all in % of the outer-eye distance.
    lost: % of frames without a face. resets: frames in which memory began anew.
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
    """What the pictures of a clip tell of its face, whatever any stabilizer says."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._still, self._rigid = RestFlow(fps), RigidFlow()

    def watch(self, image: Image, face: TrackedFace | None, *, goes_on: bool) -> None:
        """The next frame with its face. goes_on: see RigidFlow."""
        self._still.add(image, face.box if face else None)
        raw = face.raw.xy_px if face and face.raw else None
        self._rigid.add(image, raw, goes_on=goes_on)

    def still(self) -> NDArray[np.bool_]:
        """(T,): see RestFlow."""
        return self._still.still()

    def rigid(self) -> Values:
        """(T - 1, 2, 3): see RigidFlow."""
        return self._rigid.motions()


def run_clip(
    clip: str,
    choices: ClipStabilizers,
    *,
    most_frames: int | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[ClipRow]:
    """A row for each choice. The clip is read once; flow is measured at the first pass's points.

    clip: as `open_source` takes it. report: frames done so far.

    Raises:
        SourceError: the clip cannot be read. UsageError: it is live.
    """
    fps, frames = read_clip(clip, most_frames)
    seen, own, following = ClipMotion(fps), ExpressionFlow(), choices.following()
    for done, frame in enumerate(frames, start=1):
        for number, follower in enumerate(following.values()):
            face, goes_on = follower.add(frame)
            if number == 0:
                seen.watch(frame.image, face, goes_on=goes_on)
                own.watch(frame.image, face, goes_on=goes_on)
        report(done)
    passes = {name: follower.track() for name, follower in following.items()}
    still, rigid = seen.still(), seen.rigid()
    for name in choices.names:
        track = choices.stabilized(name, passes)
        row = clip_row(Path(clip).name, name, track, still, rigid, fps)
        yield replace(row, own=own.mean_px() / eye_distance(track.raw) * 100)


def clip_row(
    clip: str,
    choice: str,
    track: ClipTrack,
    still: NDArray[np.bool_],
    rigid: Values,
    fps: float,
) -> ClipRow:
    """All measures of one choice. still: (T,), rigid: (T - 1, 2, 3), see ClipMotion."""
    raw, steady = track.raw, track.steady
    there = [steady[part] for part in segments(still, fps)]
    strayed = deviation(steady, slow_course(raw, track.times_s))
    resets = restarts(raw, raw if choice in FROM_RAW else steady, track.detected, track.cuts)
    return ClipRow(
        clip=clip,
        choice=choice,
        frames=len(raw),
        besides=_besides(track, rigid, None),
        without_jaw=_besides(track, rigid, WITHOUT_JAW),
        nose_and_eyes=_besides(track, rigid, RIGID),
        still=int(still.sum()),
        motion=float(mean_of_finite(np.array([mean_motion(points) for points in there]))),
        mav=mav(there),
        mcv=mcv_still(there),
        lag_frames=lag_frames(steady, raw),
        lip_lag_frames=opening_lag(mouth_opening(steady), mouth_opening(raw)),
        eyes=kept_amplitude(eye_opening(steady), eye_opening(raw)),
        mouth=kept_amplitude(mouth_opening(steady), mouth_opening(raw)),
        deviation=strayed.mean,
        deviation_98=strayed.most,
        furthest=furthest_point(steady, raw),
        lost=float((~track.there).mean() * 100) if len(raw) else 100.0,
        resets=int(resets.sum()),
    )


def _besides(track: ClipTrack, rigid: Values, landmarks: Sequence[int] | None) -> ExpressionMotion:
    size_px = eye_distance(track.raw)
    raw, steady = (
        motion_besides(points, rigid, size_px, landmarks=landmarks)
        for points in (track.raw, track.steady)
    )
    return ExpressionMotion(raw, steady, steady / raw if raw > 0 else float("nan"))


def worst_clips_first(rows: Sequence[ClipRow]) -> list[ClipRow]:
    """The rows choice by choice, in each the clip with the highest ratio of `besides` first."""
    names = list(dict.fromkeys(row.choice for row in rows))

    def key(row: ClipRow) -> tuple[int, float]:
        ratio = row.besides.ratio
        return names.index(row.choice), -ratio if np.isfinite(ratio) else np.inf

    return sorted(rows, key=key)


def figures(row: ClipRow) -> dict[str, float]:
    """The row's numbers by name; those of `ExpressionMotion` are called besides_raw and so on."""
    flat: dict[str, float] = {}
    for name, value in asdict(row).items():
        if isinstance(value, dict):
            flat |= {f"{name}_{part}": float(number) for part, number in value.items()}
        elif not isinstance(value, str):
            flat[name] = float(value)
    return flat


def medians(rows: Sequence[ClipRow]) -> dict[str, float]:
    """The median of each figure over the rows that have it."""
    each = [figures(row) for row in rows]
    known = {name: [f[name] for f in each if np.isfinite(f[name])] for name in each[0]}
    return {name: float(np.median(v)) if v else float("nan") for name, v in known.items()}
