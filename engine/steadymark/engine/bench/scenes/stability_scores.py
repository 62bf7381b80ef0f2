"""Scores of stabilizers on synthetic scenes with exact ground truth: error, jitter and lag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.types import Frame
from steadymark.engine.metrics.accuracy import failure_rate, mean_of_finite, nrmse
from steadymark.engine.metrics.deviation import furthest_point
from steadymark.engine.metrics.eye_mouth_opening import (
    MOVES,
    amplitude,
    eye_opening,
    mouth_opening,
    opening_lag,
)
from steadymark.engine.metrics.stability import (
    fast_and_slow_error,
    lag_frames,
    mav,
    mav_of_positions,
    mcv,
    mcv_of_positions,
    nmf,
    with_dropped_frames,
)
from steadymark.engine.tracking.geometry import box_of_landmarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from steadymark.engine.bench.scenes.scene_presets import Scene
    from steadymark.engine.core.types import FaceBox
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.tracker import Tracker
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class StabilityBenchScores:
    """Scores of one stabilizer on all scenes.

    Distances are in percent of the outer-eye distance.

    Attributes:
        nrmse: Mean error of all frames.
        fr8: Percentage of frames with an error of 8 % or more.
        mcv: Mean coefficient of variation, eq. 10 of the ConvLSTM paper, in percent; mean over
            scenes.
        mav: Mean Allan variance of the error, eq. 11, in (percent)²; mean over scenes.
        lag_frames: Lag over all scenes together, in frames.
        nrmse_fast: Error on the tenth of the frames with the fastest motion.
        nrmse_rest: Error on the other frames.
        lost: Percentage of frames without a face.
        nmf: Normalised mean flicker; mean over scenes.
        eyes: Amplitude of the eye opening divided by the true one, in scenes in which the eyes
            move.
        mouth: Amplitude of the mouth opening divided by the true one, in scenes in which it moves.
        mouth_of_raw: Amplitude of the mouth opening divided by the raw one, in these scenes.
        lip_lag_frames: Lag of the mouth opening in these scenes, in frames.
        furthest: Largest distance of a landmark from the raw one.
        furthest_truth: Largest distance of a landmark from the true one.
        mav_positions: MAV of positions as the ConvLSTM paper writes it, in px².
        mcv_positions: MCV of positions as the ConvLSTM paper writes it, in percent.
    """

    nrmse: float
    fr8: float
    mcv: float
    mav: float
    lag_frames: float
    nrmse_fast: float
    nrmse_rest: float
    lost: float
    nmf: float = float("nan")
    eyes: float = float("nan")
    mouth: float = float("nan")
    mouth_of_raw: float = float("nan")
    lip_lag_frames: float = float("nan")
    furthest: float = float("nan")
    furthest_truth: float = float("nan")
    mav_positions: float = float("nan")
    mcv_positions: float = float("nan")


class TruthDetector:
    """A detector that returns the current frame's true box, so that only tracking is compared."""

    def __init__(self, schema: LandmarkSchema) -> None:
        self.schema = schema
        self.truth: Points | None = None

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Return the true box; the image is not used."""
        return () if self.truth is None else (box_of_landmarks(self.truth, score=1.0),)


def track_scene(scene: Scene, tracker: Tracker, detector: TruthDetector) -> tuple[Values, Values]:
    """Track a scene.

    Args:
        scene: The scene.
        tracker: The tracker, which uses `detector`.
        detector: The detector to which each frame's true landmarks are given.

    Returns:
        Raw and stabilized landmarks, (T, K, 2), in pixels; NaN where the face was lost.
    """
    tracker.reset()
    found = np.full((2, *scene.truth.shape), np.nan)
    for index, (image, truth) in enumerate(zip(scene.images, scene.truth, strict=True)):
        detector.truth = truth
        result = tracker.track(Frame(image, index, float(scene.times_s[index])))
        for face in result.faces:
            if face.raw is not None and face.stabilized is not None:
                found[:, index] = face.raw.xy_px, face.stabilized.xy_px
    return found[0], found[1]


def score_tracks(
    scenes: Sequence[Scene], points: Sequence[Values], raw: Sequence[Values] | None = None
) -> StabilityBenchScores:
    """Compute all scores of tracked scenes.

    Args:
        scenes: The scenes with their ground truth.
        points: Landmarks of each scene, (T, K, 2), in pixels.
        raw: Raw landmarks of each scene, (T, K, 2), in pixels; None if they are unknown.

    Returns:
        The scores.
    """
    lost = np.concatenate([~np.isfinite(p).all((1, 2)) for p in points])
    every = np.concatenate([nrmse(p, s.truth) for p, s in zip(points, scenes, strict=True)])
    times = [scene.times_s for scene in scenes]
    found = [with_dropped_frames(p, t) for p, t in zip(points, times, strict=True)]
    truths = [with_dropped_frames(s.truth, t) for s, t in zip(scenes, times, strict=True)]
    pairs = list(zip(found, truths, strict=True))
    errors = [nrmse(p, truth) for p, truth in pairs]
    fast, rest = fast_and_slow_error(
        np.concatenate([np.append(e, np.nan) for e in errors]), _joined(truths)
    )
    return StabilityBenchScores(
        nrmse=float(mean_of_finite(every)),
        fr8=failure_rate(every) * 100,
        mcv=mcv(errors),
        mav=mav(found, truths),
        lag_frames=lag_frames(_joined(found), _joined(truths)),
        nrmse_fast=fast,
        nrmse_rest=rest,
        lost=float(lost.mean() * 100),
        nmf=float(mean_of_finite(np.array([nmf(p, truth) for p, truth in pairs]))),
        eyes=_kept(eye_opening, found, truths),
        mouth=_kept(mouth_opening, found, truths),
        mouth_of_raw=_mouth_of_raw(found, truths, raw, times),
        lip_lag_frames=_lip_lag(found, truths),
        furthest=_furthest(points, raw) if raw is not None else float("nan"),
        furthest_truth=_furthest(points, [scene.truth for scene in scenes]),
        mav_positions=mav_of_positions(found),
        mcv_positions=mcv_of_positions(found),
    )


def _kept(
    opening: Callable[[Values], Values], points: Sequence[Values], truths: Sequence[Values]
) -> float:
    """Return the amplitude of an opening divided by the true one, over scenes in which it moves."""
    pairs = zip(points, truths, strict=True)
    amplitudes = np.array([(amplitude(opening(p)), amplitude(opening(t))) for p, t in pairs])
    found, true = amplitudes[np.isfinite(amplitudes).all(1) & (amplitudes[:, 1] >= MOVES)].T
    return float(found.sum() / true.sum()) if len(true) else float("nan")


def _mouth_of_raw(
    points: Sequence[Values],
    truths: Sequence[Values],
    raw: Sequence[Values] | None,
    times_s: Sequence[Values],
) -> float:
    """Return the amplitude of the mouth opening divided by the raw one, where the truth moves."""
    if raw is None:
        return float("nan")
    given = [with_dropped_frames(p, t) for p, t in zip(raw, times_s, strict=True)]
    of_raw = _kept(mouth_opening, given, truths)
    return _kept(mouth_opening, points, truths) / of_raw if of_raw > 0 else float("nan")


def _lip_lag(points: Sequence[Values], truths: Sequence[Values]) -> float:
    """Return the lag of the mouth opening over all scenes in which it moves; NaN without any."""
    pairs = [(mouth_opening(p), mouth_opening(t)) for p, t in zip(points, truths, strict=True)]
    moving = [pair for pair in pairs if amplitude(pair[1]) >= MOVES]
    if not moving:
        return float("nan")
    found, true = (
        np.concatenate([np.append(v, np.nan) for v in part]) for part in zip(*moving, strict=True)
    )
    return opening_lag(found, true)


def _furthest(points: Sequence[Values], references: Sequence[Values | Points]) -> float:
    each = [furthest_point(p, r) for p, r in zip(points, references, strict=True)]
    return float(np.nanmax(each)) if np.isfinite(each).any() else float("nan")


def _joined(parts: Iterable[Values | Points]) -> Values:
    """Concatenate scenes (T, K, 2) with a row of NaN after each."""
    out = []
    for part in parts:
        out += [part, np.full((1, *part.shape[1:]), np.nan)]
    return np.concatenate(out)
