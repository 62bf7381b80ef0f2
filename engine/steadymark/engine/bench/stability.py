"""Every stabilizer on made scenes whose truth is exactly known: how right, how still, how late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.geometry import box_of_landmarks
from steadymark.engine.metrics.accuracy import failure_rate, mean_of_finite, nrmse
from steadymark.engine.metrics.stability import (
    fast_and_slow_error,
    lag_frames,
    mav,
    mcv,
)
from steadymark.engine.types import Frame, Landmarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from steadymark.engine.bench.scenes import Scene
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.ports import Stabilizer
    from steadymark.engine.tracking import Tracker
    from steadymark.engine.types import FaceBox
    from steadymark.models.cropping import Image, Points
    from steadymark.models.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What one choice reached on all scenes.

    nrmse, fr8: of all frames, in %. mcv: eq. 10, in %, mav: eq. 11, of the error, in (% of the
    outer-eye distance)², means over scenes. lag_frames: over all scenes together. nrmse_fast,
    nrmse_rest: on the fastest tenth of all frames, and on the others. lost: share of frames without
    a face, in %.
    """

    nrmse: float
    fr8: float
    mcv: float
    mav: float
    lag_frames: float
    nrmse_fast: float
    nrmse_rest: float
    lost: float


class TruthDetector:
    """Gives the true box of the frame in hand, so that trackers differ in nothing but tracking."""

    def __init__(self, schema: LandmarkSchema) -> None:
        self.schema = schema
        self.truth: Points | None = None

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Image is not looked at."""
        return () if self.truth is None else (box_of_landmarks(self.truth, score=1.0),)


def follow(scene: Scene, tracker: Tracker, detector: TruthDetector) -> tuple[Values, Values]:
    """Raw and stabilized points (T, K, 2) of a scene, NaN where the face was lost."""
    tracker.reset()
    found = np.full((2, *scene.truth.shape), np.nan)
    for index, (image, truth) in enumerate(zip(scene.images, scene.truth, strict=True)):
        detector.truth = truth
        result = tracker.track(Frame(image, index, float(scene.times_s[index])))
        for face in result.faces:
            if face.raw is not None and face.stabilized is not None:
                found[:, index] = face.raw.xy_px, face.stabilized.xy_px
    return found[0], found[1]


def smoothed(points: Values, scene: Scene, stabilizer: Stabilizer[Any]) -> Values:
    """A filter over points (T, K, 2), frame by frame; it begins anew where the face was lost."""
    out = np.full_like(points, np.nan)
    memory = stabilizer.start()
    for index, (xy, t_s) in enumerate(zip(points, scene.times_s, strict=True)):
        if not np.isfinite(xy).all():
            memory = stabilizer.start()
            continue
        given = Landmarks(xy.astype(np.float32), np.ones(len(xy), np.float32))
        steady, memory = stabilizer.step(given, float(t_s), memory)
        out[index] = steady.xy_px
    return out


def steadiness(scenes: Sequence[Scene], points: Sequence[Values]) -> Steadiness:
    """All measures. points: (T, K, 2) of each scene."""
    errors = [nrmse(p, scene.truth) for p, scene in zip(points, scenes, strict=True)]
    every = np.concatenate(errors)
    truths = [scene.truth for scene in scenes]
    joined, truth = _joined(points), _joined(truths)
    gaps = [np.append(e, np.nan) for e in errors]
    fast, rest = fast_and_slow_error(np.concatenate(gaps), truth)
    there = np.isfinite(every)
    return Steadiness(
        nrmse=float(mean_of_finite(every)),
        fr8=failure_rate(every) * 100,
        mcv=mcv(errors),
        mav=mav(points, truths),
        lag_frames=lag_frames(joined, truth),
        nrmse_fast=fast,
        nrmse_rest=rest,
        lost=float((~there).mean() * 100),
    )


def _joined(parts: Iterable[Values | Points]) -> Values:
    """Scenes (T, K, 2) one after the other, with a gap of NaN after each."""
    out = []
    for part in parts:
        out += [part, np.full((1, *part.shape[1:]), np.nan)]
    return np.concatenate(out)
