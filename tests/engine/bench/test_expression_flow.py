"""How much a face moves in itself: faces at rest, moved as a whole, and talking."""

from __future__ import annotations

import numpy as np
import pytest

from steadymark.engine.bench.clips.expression_flow import ExpressionFlow
from steadymark.engine.bench.scenes.scene_presets import Scene, SceneConfig, make_scene, rigid
from steadymark.models.face.schema import load_schema
from tools.demo_clip.make_demo_clip import annotated, photograph

pytest.importorskip("skimage", reason="the portrait is one of scikit-image's")
FRAMES = 14


def scene(config: SceneConfig) -> Scene:
    points = annotated().astype(np.float32)
    return make_scene(photograph(), points, load_schema("ibug68"), 0, seed=2, config=config)


def own_percent(made: Scene, jitter_px: float = 0.0) -> float:
    """In % of the eye distance a frame; the raw points stray by so much."""
    rng, own = np.random.default_rng(0), ExpressionFlow()
    for image, xy in zip(made.images, made.truth, strict=True):
        own.add(image, (xy + rng.normal(0, jitter_px, xy.shape)).astype(np.float32))
    eyes = np.linalg.norm(made.truth[:, 36] - made.truth[:, 45], axis=-1).mean()
    return own.mean_px() / float(eyes) * 100


def test_talking_is_told_from_a_face_that_moves_as_a_whole_whatever_the_detector_says() -> None:
    whole = scene(rigid(FRAMES, 1))
    talks = scene(SceneConfig(FRAMES, 1, turns_deg=0, light=0, things=0, drops=0))
    moved = np.diff(talks.truth - talks.truth.mean(1, keepdims=True), axis=0)
    assert np.linalg.norm(moved, axis=-1).mean() > 0.1  # pixels: it does talk
    for jitter_px in (0.0, 1.0):
        assert own_percent(whole, jitter_px) < 0.1
        assert own_percent(talks, jitter_px) > 2 * own_percent(whole, jitter_px)


def test_nothing_is_known_without_two_frames_of_one_face() -> None:
    made, own = scene(rigid(FRAMES, 1)), ExpressionFlow()
    assert np.isnan(own.mean_px())
    own.add(made.images[0], made.truth[0])
    own.add(made.images[1], None)
    own.add(made.images[2], made.truth[2])
    own.add(made.images[3], made.truth[3], goes_on=False)
    assert np.isnan(own.mean_px())
    own.add(made.images[4], made.truth[4])
    assert own.mean_px() >= 0
