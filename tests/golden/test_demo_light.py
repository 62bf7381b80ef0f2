"""Stabilized landmarks of the demo clip stay near the raw ones in any light."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from steadymark.engine.core.types import FaceState, Frame
from steadymark.engine.sources import open_source
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.models.face.schema import assets_root
from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting

FRAMES = 40


@cache
def demo() -> tuple[Frame, ...]:
    source = open_source(str(assets_root() / "clips" / "demo.mp4"))
    frames = tuple(frame for frame, _ in zip(source.frames(), range(FRAMES), strict=False))
    source.close()
    return frames


@cache
def tracked(stabilizer: str, kind: str) -> tuple[float, float, float, int]:
    """Return the largest distance from raw, both motions (% of the eye distance), and starts."""
    settings = replace(TrackSettings(), stabilizer=stabilizer)
    tracker, light = make_tracker(open_models(settings), settings), Lighting(kind, 25.0, seed=1)
    raw, steady, detections = [], [], 0
    for frame in demo():
        lit = replace(frame, image=light.relit(frame.image, frame.index))
        (face,) = tracker.track(lit).faces
        assert face.raw is not None
        assert face.stabilized is not None
        raw.append(face.raw.xy_px)
        steady.append(face.stabilized.xy_px)
        detections += face.state is FaceState.DETECTED
    a, b = np.array(raw), np.array(steady)
    eyes = np.linalg.norm(a[:, 36] - a[:, 45], axis=-1).mean() / 100
    largest_distance = float(np.linalg.norm(a - b, axis=-1).max() / eyes)
    raw_motion, motion = (
        float(np.linalg.norm(np.diff(p, axis=0), axis=-1).mean() / eyes) for p in (a, b)
    )
    return largest_distance, raw_motion, motion, detections


@pytest.mark.slow
@pytest.mark.parametrize("stabilizer", ["flow", "convlstm", "refine"])
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"steady"}))
def test_stabilized_landmarks_stay_near_the_raw_ones_in_any_light(
    stabilizer: str, kind: str
) -> None:
    steady_light, *_ = tracked(stabilizer, "steady")
    largest_distance, raw_motion, motion, detections = tracked(stabilizer, kind)
    assert largest_distance < max(1.3 * steady_light, 10.0)
    assert motion < raw_motion
    assert detections == 1
