"""Non-rigid motion of a face: faces at rest, in rigid motion, and talking."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.bench.clips.expression_flow import ExpressionFlow
from steadymark.engine.bench.scenes.scene_presets import Scene, SceneConfig, make_scene, rigid
from steadymark.models.face.schema import load_schema
from tools.demo_clip.make_demo_clip import photograph, portrait_landmarks

pytest.importorskip("skimage", reason="the portrait is one of scikit-image's")
FRAMES = 14


def scene(config: SceneConfig) -> Scene:
    points = portrait_landmarks().astype(np.float32)
    return make_scene(photograph(), points, load_schema("ibug68"), 0, seed=2, config=config)


def expression_motion_percent(video_scene: Scene, jitter_px: float = 0.0) -> float:
    """Return the non-rigid motion in % of the eye distance a frame, with noisy landmarks."""
    rng, flow = np.random.default_rng(0), ExpressionFlow()
    for image, xy in zip(video_scene.images, video_scene.truth, strict=True):
        flow.add(image, (xy + rng.normal(0, jitter_px, xy.shape)).astype(np.float32))
    eyes = np.linalg.norm(video_scene.truth[:, 36] - video_scene.truth[:, 45], axis=-1).mean()
    return flow.mean_px() / float(eyes) * 100


def test_talking_is_distinguished_from_rigid_motion_despite_noisy_landmarks() -> None:
    rigid_scene = scene(rigid(FRAMES, 1))
    talking = scene(SceneConfig(FRAMES, 1, turns_deg=0, light=0, things=0, drops=0))
    motion = np.diff(talking.truth - talking.truth.mean(1, keepdims=True), axis=0)
    assert np.linalg.norm(motion, axis=-1).mean() > 0.1  # pixels: the mouth does move
    for jitter_px in (0.0, 1.0):
        assert expression_motion_percent(rigid_scene, jitter_px) < 0.1
        assert expression_motion_percent(talking, jitter_px) > 2 * expression_motion_percent(
            rigid_scene, jitter_px
        )


def test_the_motion_is_nan_without_two_consecutive_frames_of_a_face() -> None:
    video_scene, flow = scene(rigid(FRAMES, 1)), ExpressionFlow()
    assert np.isnan(flow.mean_px())
    flow.add(video_scene.images[0], video_scene.truth[0])
    flow.add(video_scene.images[1], None)
    flow.add(video_scene.images[2], video_scene.truth[2])
    flow.add(video_scene.images[3], video_scene.truth[3], same_scene=False)
    assert np.isnan(flow.mean_px())
    flow.add(video_scene.images[4], video_scene.truth[4])
    assert flow.mean_px() >= 0
