"""The trained flow cell is more stable than constants that keep as much mouth motion."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.bench.scenes.scene_presets import Scene, SceneConfig, make_scene
from steadymark.engine.bench.scenes.stability_scores import (
    StabilityBenchScores,
    TruthDetector,
    score_tracks,
    track_scene,
)
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_cell_ablation import (
    flow_with_constant_mean,
    flow_with_first_shares,
    flow_with_untrained_weights,
)
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.zoo import FLOW, FLOW_CELL, find_model, verified_bytes
from tools.demo_clip.make_demo_clip import photograph, portrait_landmarks

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("skimage", reason="the portrait is one of scikit-image's")
MAV_RATIO = 0.85  # of the MAV of constants: 15 % less
NEAR = 0.01  # amplitudes that differ by less are equal
CONSTANTS = tuple(
    partial(flow_with_constant_mean, gain=gain) for gain in (1.0, 2.0, 4.0, 8.0, 32.0, 128.0)
) + tuple(partial(flow_with_first_shares, gain=gain) for gain in (4.0,))


@cache
def scenes() -> tuple[Scene, ...]:
    """Return scenes of the demo portrait, which talks, turns and blinks in changing light."""
    config = SceneConfig(frames=30, noise=2, light=1.0, things=0.0, drops=0.0)
    points, schema = portrait_landmarks().astype(np.float32), load_schema("ibug68")
    return tuple(
        make_scene(photograph(), points, schema, number, seed=3, config=config)
        for number in range(3)
    )


@cache
def scores_of(edit: Callable[[bytes], bytes] | None) -> StabilityBenchScores:
    """Return the scores of the flow cell on the scenes, with edited weights."""
    settings = TrackSettings(device="cpu", stabilizer=FLOW)
    card, schema = find_model(FLOW_CELL, "stabilizer"), load_schema("ibug68")
    content = verified_bytes(card)
    tracker = make_tracker(open_models(settings), settings)
    tracker.stabilization.flow = FlowStabilizer(
        card, schema, content=edit(content) if edit else content
    )
    tracker.detector = detector = TruthDetector(schema)
    found = [track_scene(scene, tracker, detector) for scene in scenes()]
    return score_tracks(scenes(), [steady for _, steady in found], [raw for raw, _ in found])


def is_better(cell: StabilityBenchScores) -> bool:
    """Return whether MAV is 15 % below every constant that moves the mouth no further."""
    constants = [scores_of(edit) for edit in CONSTANTS]
    comparable = [rival.mav for rival in constants if rival.mouth <= cell.mouth + NEAR]
    return bool(comparable) and all(cell.mav <= MAV_RATIO * mav for mav in comparable)


@pytest.mark.slow
def test_the_trained_cell_is_more_stable_than_constants_with_the_same_mouth_motion() -> None:
    trained = scores_of(None)
    assert is_better(trained)
    # the last constants are nearly the raw points: the cell opens the mouth no less
    assert trained.mouth > max(scores_of(edit).mouth for edit in CONSTANTS) - NEAR


@pytest.mark.slow
def test_an_untrained_cell_is_not_better_than_constants() -> None:
    assert not is_better(scores_of(flow_with_untrained_weights))
