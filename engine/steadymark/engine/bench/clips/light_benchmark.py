"""Stabilizers on real clips whose light is made to change: nothing may be scrambled by it.

The face does the same in every light, so what the picture tells of its motion is measured once, in
the clip as it is; so are its still stretches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.clips.clip_benchmark import ClipMotion
from steadymark.engine.bench.clips.clip_tracks import FROM_RAW, read_clip
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.deviation import distances, furthest_point, restarts
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rigid_motion import eye_distance, left_over, motion_besides
from steadymark.engine.metrics.stability import mav, mean_motion
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.clips.clip_tracks import ClipStabilizers, ClipTrack, ClipTracker
    from steadymark.engine.core.types import Frame
    from steadymark.engine.metrics.accuracy import Values

STEADY = "steady"  # the clip as it is
CHANGING = tuple(kind for kind in KINDS if kind != STEADY)
FURTHER = 1.3  # times what it is in steady light: how far a point may lie from the raw one
FURTHEST = 15.0  # % of the outer-eye distance
GAIN_KEPT = 0.5  # of the gain in steady light
_NEAR = 1  # frames: a real cut may be told so much later


@dataclass(frozen=True, slots=True)
class LightRow:
    """What one choice made of one clip in one light.

    tracked: % of frames with a face. furthest: the largest distance of a stabilized point from the
    raw one, furthest_steady: without the change of light. beyond: the same, less the distance that
    this raw point lies from where it is in steady light: what the raw points themselves do is no
    fault of the stabilizer. raw_step: the furthest that a raw point goes in a frame besides the
    face's rigid motion. All in % of the outer-eye distance. motion, raw_motion: mean motion besides
    the face's rigid one, % a frame (where flow tells none, plain motion). gain, gain_steady: by
    which share MAV falls on still stretches, NaN without any. resets: frames in which memory began
    anew, but for those that are so in steady light; cuts: scene cuts declared, likewise. failed:
    names of the limits that are broken: furthest, motion, stillness, resets.
    """

    clip: str
    kind: str
    choice: str
    frames: int
    tracked: float
    furthest: float
    furthest_steady: float
    beyond: float
    raw_step: float
    motion: float
    raw_motion: float
    gain: float
    gain_steady: float
    resets: int
    cuts: int
    failed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all limits are kept."""
        return not self.failed

    @property
    def badness(self) -> float:
        """By how much the furthest point breaks its limit: 1 is the limit."""
        value = self.beyond / furthest_limit(self.furthest_steady, self.raw_step)
        return value if np.isfinite(value) else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class ClipFacts:
    """What the clip as it is tells of its face.

    parts: its still stretches. rigid: (T - 1, 2, 3), see ClipMotion. size_px: the mean outer-eye
    distance.
    """

    parts: list[slice]
    rigid: Values
    size_px: float


def check_kinds(kinds: Sequence[str]) -> None:
    """Raises UsageError where one is unknown."""
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                "unknown light '{kind}': choose of {known}", kind=kind, known=", ".join(KINDS)
            )


def run_light(
    clip: str,
    choices: ClipStabilizers,
    kinds: Sequence[str] = CHANGING,
    *,
    most_frames: int | None = None,
    seed: int = 0,
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[LightRow]:
    """A row for each light and choice; the clip is read once. report: frames done so far.

    Raises:
        SourceError: the clip cannot be read. UsageError: it is live, or a light is unknown.
    """
    check_kinds(kinds)
    fps, frames = read_clip(clip, most_frames)
    lights = {kind: Lighting(kind, fps, seed) for kind in (STEADY, *kinds)}
    following = {kind: choices.following() for kind in lights}
    seen = ClipMotion(fps)
    for index, frame in enumerate(frames):
        for kind, light in lights.items():
            _follow(frame, index, light, following[kind], seen if kind == STEADY else None)
        report(index + 1)
    passes = {
        kind: {name: each.track() for name, each in followers.items()}
        for kind, followers in following.items()
    }
    first = next(iter(passes[STEADY].values()))
    facts = ClipFacts(segments(seen.still(), fps), seen.rigid(), eye_distance(first.raw))
    for kind in kinds:
        for name in choices.names:
            steady, lit = (choices.stabilized(name, passes[k]) for k in (STEADY, kind))
            yield judged(Path(clip).name, kind, name, steady, lit, facts)


def _follow(
    frame: Frame,
    index: int,
    light: Lighting,
    followers: dict[str, ClipTracker],
    seen: ClipMotion | None,
) -> None:
    """One frame in one light, by all networks. seen: is told of it where it is the clip's own."""
    if light.kind != STEADY:
        frame = replace(frame, image=light.relit(frame.image, index))
    for number, follower in enumerate(followers.values()):
        face, goes_on = follower.add(frame)
        if seen is not None and number == 0:
            seen.watch(frame.image, face, goes_on=goes_on)


def judged(
    clip: str, kind: str, choice: str, steady: ClipTrack, lit: ClipTrack, facts: ClipFacts
) -> LightRow:
    """The row of a choice's track in some light, beside its track in steady light."""
    furthest_steady = furthest_point(steady.steady, steady.raw)
    motion, raw_motion = (_motion(points, facts) for points in (lit.steady, lit.raw))
    new = _resets(lit, choice) & ~_widened(_resets(steady, choice))
    row = LightRow(
        clip=clip,
        kind=kind,
        choice=choice,
        frames=len(lit.raw),
        tracked=float(lit.there.mean() * 100) if len(lit.raw) else 0.0,
        furthest=furthest_point(lit.steady, lit.raw),
        furthest_steady=furthest_steady,
        beyond=_beyond(lit, steady, facts.size_px),
        raw_step=_most(left_over(lit.raw, facts.rigid) / facts.size_px * 100),
        motion=motion,
        raw_motion=raw_motion,
        gain=_gain(lit, facts.parts),
        gain_steady=_gain(steady, facts.parts),
        resets=int(new.sum()),
        cuts=int((lit.cuts & ~_widened(steady.cuts)).sum()),
        failed=(),
    )
    return replace(row, failed=broken(row))


def furthest_limit(furthest_steady: float, raw_step: float) -> float:
    """How far a stabilized point may lie from the raw one, in % of the outer-eye distance.

    furthest_steady, raw_step: see LightRow. It is FURTHER times what it is in steady light, and at
    most FURTHEST, or what a raw point itself goes in a frame if that is more.
    """
    return min(FURTHER * furthest_steady, float(np.fmax(FURTHEST, raw_step)))


def broken(row: LightRow) -> tuple[str, ...]:
    """Names of the limits that a row breaks; what is not known (NaN) breaks none."""
    limits = {
        "furthest": row.beyond > furthest_limit(row.furthest_steady, row.raw_step),
        "motion": row.motion > row.raw_motion,
        "stillness": row.gain < GAIN_KEPT * row.gain_steady,
        "resets": row.resets > 0,
    }
    return tuple(name for name, is_broken in limits.items() if is_broken)


def worst_lights_first(rows: Sequence[LightRow]) -> list[LightRow]:
    """Rows that break limits before others, and of each kind the furthest points first."""
    return sorted(rows, key=lambda row: (row.passed, -row.badness))


def _motion(points: Values, facts: ClipFacts) -> float:
    besides = motion_besides(points, facts.rigid, facts.size_px)
    return besides if np.isfinite(besides) else mean_motion(points)


def _beyond(lit: ClipTrack, steady: ClipTrack, size_px: float) -> float:
    """See LightRow; frames without the face in steady light count as they are."""
    strayed = np.linalg.norm(lit.raw - steady.raw, axis=-1) / size_px * 100
    return _most(distances(lit.steady, lit.raw) - np.nan_to_num(strayed))


def _most(values: Values) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def _gain(track: ClipTrack, parts: Sequence[slice]) -> float:
    """The share by which MAV falls on these stretches."""
    raw, steady = (mav([points[part] for part in parts]) for points in (track.raw, track.steady))
    return 1 - steady / raw if raw > 0 else float("nan")


def _resets(track: ClipTrack, choice: str) -> NDArray[np.bool_]:
    steady = track.raw if choice in FROM_RAW else track.steady
    return restarts(track.raw, steady, track.detected, track.cuts)


def _widened(frames: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """These frames and their neighbours."""
    wide = frames.copy()
    for shift in range(1, _NEAR + 1):
        wide[shift:] |= frames[:-shift]
        wide[:-shift] |= frames[shift:]
    return wide
