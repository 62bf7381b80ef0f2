"""Benchmark of stabilizers on real clips with artificially changing light.

The face moves in the same way in every light, so its motion and its still segments are measured
once, in the original clip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.clips.clip_benchmark import ClipMotion
from steadymark.engine.bench.clips.clip_tracks import read_clip
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.deviation import distances, furthest_point, restarts
from steadymark.engine.metrics.rest_detection import segments
from steadymark.engine.metrics.rigid_motion import (
    distance_from_rigid_motion,
    eye_distance,
    motion_beyond_rigid,
)
from steadymark.engine.metrics.stability import mav, mean_motion
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.bench.clips.clip_tracks import ClipStabilizers, ClipTrack, ClipTracker
    from steadymark.engine.core.types import Frame
    from steadymark.engine.metrics.accuracy import Values

STEADY = "steady"  # The original clip.
CHANGING = tuple(kind for kind in KINDS if kind != STEADY)
FURTHER = 1.3  # Allowed distance from the raw landmark, divided by that in steady light.
FURTHEST = 15.0  # Largest allowed distance, in % of the outer-eye distance.
GAIN_KEPT = 0.5  # Least share of the gain in steady light.
_NEAR = 1  # Frames by which the detection of a real cut may shift.


@dataclass(frozen=True, slots=True)
class LightRow:
    """Result of one stabilizer on one clip in one light.

    Distances are in percent of the outer-eye distance.

    Attributes:
        clip: File name of the clip.
        kind: Kind of light change.
        choice: Name of the stabilizer.
        frames: Number of frames.
        tracked: Percentage of frames with a face.
        furthest: Largest distance of a stabilized landmark from the raw one.
        furthest_steady: The same in steady light.
        beyond: Largest distance of a stabilized landmark from the raw one, minus the distance of
            this raw landmark from its place in steady light. The motion of the raw landmarks is not
            a fault of the stabilizer.
        raw_step: Largest motion of a raw landmark in a frame besides the face's rigid motion.
        motion: Mean motion besides the face's rigid motion, per frame; plain motion where the flow
            is unknown.
        raw_motion: The same for the raw landmarks.
        gain: Share by which the MAV falls in still segments; NaN without any.
        gain_steady: The same in steady light.
        resets: Number of frames in which the stabilizer restarted but did not in steady light.
        cuts: Number of reported scene cuts that were not reported in steady light.
        failed: Names of the limits that are broken: furthest, motion, stillness, resets.
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
        """Distance of the furthest landmark divided by its limit."""
        value = self.beyond / furthest_limit(self.furthest_steady, self.raw_step)
        return value if np.isfinite(value) else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class ClipFacts:
    """Motion of the face in the original clip.

    Attributes:
        parts: Segments in which the face is at rest.
        rigid: Rigid motion between frames, (T - 1, 2, 3); see ClipMotion.
        size_px: Mean outer-eye distance, in pixels.
    """

    parts: list[slice]
    rigid: Values
    size_px: float


def check_kinds(kinds: Sequence[str]) -> None:
    """Check that all kinds of light change are known.

    Raises:
        UsageError: A kind is unknown.
    """
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
    """Run all stabilizers on one clip in each light; the clip is read once.

    Args:
        clip: The clip as `open_source` takes it.
        choices: The stabilizers with their opened networks.
        kinds: Kinds of light change.
        most_frames: Largest number of frames to read; None for all.
        seed: Seed of the random light changes.
        report: Called with the number of frames done so far.

    Yields:
        One row per light and stabilizer.

    Raises:
        SourceError: The clip cannot be read.
        UsageError: The clip is live, or a light is unknown.
    """
    check_kinds(kinds)
    fps, frames = read_clip(clip, most_frames)
    lights = {kind: Lighting(kind, fps, seed) for kind in (STEADY, *kinds)}
    trackers = {kind: choices.new_trackers() for kind in lights}
    clip_motion = ClipMotion(fps)
    for index, frame in enumerate(frames):
        for kind, light in lights.items():
            _track_in_light(
                frame, index, light, trackers[kind], clip_motion if kind == STEADY else None
            )
        report(index + 1)
    passes = {
        kind: {name: each.track() for name, each in by_name.items()}
        for kind, by_name in trackers.items()
    }
    first = next(iter(passes[STEADY].values()))
    facts = ClipFacts(
        segments(clip_motion.still(), fps), clip_motion.rigid(), eye_distance(first.raw)
    )
    for kind in kinds:
        for name in choices.names:
            steady, lit = (choices.stabilized(name, passes[k]) for k in (STEADY, kind))
            yield light_row_of(Path(clip).name, kind, name, steady, lit, facts)


def _track_in_light(
    frame: Frame,
    index: int,
    light: Lighting,
    trackers: dict[str, ClipTracker],
    clip_motion: ClipMotion | None,
) -> None:
    """Track a frame in one light with all networks; `clip_motion` is None but in steady light."""
    if light.kind != STEADY:
        frame = replace(frame, image=light.relit(frame.image, index))
    for number, tracker in enumerate(trackers.values()):
        face, same_scene = tracker.add(frame)
        if clip_motion is not None and number == 0:
            clip_motion.watch(frame.image, face, same_scene=same_scene)


def light_row_of(
    clip: str, kind: str, choice: str, steady: ClipTrack, lit: ClipTrack, facts: ClipFacts
) -> LightRow:
    """Compare a stabilizer's track in some light with its track in steady light.

    Args:
        clip: File name of the clip.
        kind: Kind of light change.
        choice: Name of the stabilizer.
        steady: Track in steady light.
        lit: Track in the changed light.
        facts: Motion of the face in the original clip.

    Returns:
        The row with the limits that are broken.
    """
    furthest_steady = furthest_point(steady.stabilized, steady.raw)
    motion, raw_motion = (_motion(points, facts) for points in (lit.stabilized, lit.raw))
    new_resets = _resets(lit, choice) & ~_with_neighbours(_resets(steady, choice))
    row = LightRow(
        clip=clip,
        kind=kind,
        choice=choice,
        frames=len(lit.raw),
        tracked=float(lit.there.mean() * 100) if len(lit.raw) else 0.0,
        furthest=furthest_point(lit.stabilized, lit.raw),
        furthest_steady=furthest_steady,
        beyond=_distance_beyond_raw(lit, steady, facts.size_px),
        raw_step=_most(distance_from_rigid_motion(lit.raw, facts.rigid) / facts.size_px * 100),
        motion=motion,
        raw_motion=raw_motion,
        gain=_gain(lit, facts.parts),
        gain_steady=_gain(steady, facts.parts),
        resets=int(new_resets.sum()),
        cuts=int((lit.cuts & ~_with_neighbours(steady.cuts)).sum()),
        failed=(),
    )
    return replace(row, failed=broken(row))


def furthest_limit(furthest_steady: float, raw_step: float) -> float:
    """Return how far a stabilized landmark may lie from the raw one.

    The limit is FURTHER times the distance in steady light, but at most FURTHEST or, if this is
    larger, the largest motion of a raw landmark in a frame.

    Args:
        furthest_steady: See LightRow.
        raw_step: See LightRow.

    Returns:
        The limit, in percent of the outer-eye distance.
    """
    return min(FURTHER * furthest_steady, float(np.fmax(FURTHEST, raw_step)))


def broken(row: LightRow) -> tuple[str, ...]:
    """Return the names of the limits that a row breaks; an unknown value (NaN) breaks none."""
    limits = {
        "furthest": row.beyond > furthest_limit(row.furthest_steady, row.raw_step),
        "motion": row.motion > row.raw_motion,
        "stillness": row.gain < GAIN_KEPT * row.gain_steady,
        "resets": row.resets > 0,
    }
    return tuple(name for name, is_broken in limits.items() if is_broken)


def worst_lights_first(rows: Sequence[LightRow]) -> list[LightRow]:
    """Sort rows that break limits first, and within these groups by the furthest landmark."""
    return sorted(rows, key=lambda row: (row.passed, -row.badness))


def _motion(points: Values, facts: ClipFacts) -> float:
    besides = motion_beyond_rigid(points, facts.rigid, facts.size_px)
    return besides if np.isfinite(besides) else mean_motion(points)


def _distance_beyond_raw(lit: ClipTrack, steady: ClipTrack, size_px: float) -> float:
    """Return `beyond` of LightRow; frames without the face in steady light are not corrected."""
    raw_shift = np.linalg.norm(lit.raw - steady.raw, axis=-1) / size_px * 100
    return _most(distances(lit.stabilized, lit.raw) - np.nan_to_num(raw_shift))


def _most(values: Values) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")


def _gain(track: ClipTrack, parts: Sequence[slice]) -> float:
    """Return the share by which the MAV falls in these segments."""
    raw, stabilized = (
        mav([points[part] for part in parts]) for points in (track.raw, track.stabilized)
    )
    return 1 - stabilized / raw if raw > 0 else float("nan")


def _resets(track: ClipTrack, choice: str) -> NDArray[np.bool_]:
    compared = track.stabilized if STABILIZER_REGISTRY.find(choice).needs_images else track.raw
    return restarts(track.raw, compared, track.detected, track.cuts)


def _with_neighbours(frames: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return these frames and their neighbours."""
    wide = frames.copy()
    for shift in range(1, _NEAR + 1):
        wide[shift:] |= frames[:-shift]
        wide[:-shift] |= frames[shift:]
    return wide
