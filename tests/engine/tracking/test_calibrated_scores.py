"""Users see calibrated scores; the tracker and its stabilizers use those of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FlowMemory, FlowStabilizer
from steadymark.models.runtime.zoo import FLOW_CELL, find_model
from support.fakes.fake_engine import SquareDetector, SquareNetwork, frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.landmark_flow import FlowFrame
    from steadymark.models.runtime.flow_stabilizer import Array
    from steadymark.models.runtime.onnx_session import Moves, Prediction

NETWORK_SCORE, CALIBRATED_SCORE = 0.8, 0.3


class CalibratedNetwork(SquareNetwork):
    """Gives all landmarks one score, and another one to show to users."""

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        found = super().step(crops, state, moved)
        return found._replace(
            scores=np.full_like(found.scores, NETWORK_SCORE),
            calibrated=np.full_like(found.scores, CALIBRATED_SCORE),
        )


class RecordingStabilizer(FlowStabilizer):
    """Keeps the scores that it gets."""

    def __init__(self) -> None:
        super().__init__(find_model(FLOW_CELL, "stabilizer"), load_schema("ibug68"))
        self.scores: list[Array] = []

    def step(
        self, seen: Sequence[FlowFrame], scores: Array, before: Sequence[FlowMemory | None]
    ) -> list[tuple[Points, FlowMemory]]:
        self.scores.append(scores)
        return super().step(seen, scores, before)


def test_results_hold_calibrated_scores_and_the_stabilizer_gets_those_of_the_network() -> None:
    flow = RecordingStabilizer()
    schema = load_schema("ibug68")
    tracker = Tracker(SquareDetector(), CalibratedNetwork(), NoStabilizer(), schema, flow=flow)
    for i in range(3):
        (face,) = tracker.track(frame(i, (100 + i, 100, 60))).faces
        assert face.raw is not None
        assert face.stabilized is not None
        for landmarks in (face.raw, face.stabilized):
            np.testing.assert_array_equal(landmarks.score, np.float32(CALIBRATED_SCORE))
    assert all((scores == np.float32(NETWORK_SCORE)).all() for scores in flow.scores)


class UncalibratedNetwork(CalibratedNetwork):
    """The same network, whose card does not tell how to calibrate its scores."""

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        return super().step(crops, state, moved)._replace(calibrated=None)


def test_calibration_changes_no_landmark() -> None:
    schema = load_schema("ibug68")
    flow = FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), schema)
    found = []
    for network in (CalibratedNetwork(), UncalibratedNetwork()):
        tracker = Tracker(SquareDetector(), network, NoStabilizer(), schema, flow=flow)
        for i in range(4):
            (face,) = tracker.track(frame(i, (100 + 2 * i, 100, 60))).faces
        assert face.stabilized is not None
        found.append(face.stabilized)
    np.testing.assert_array_equal(found[0].xy_px, found[1].xy_px)
    assert found[1].score[0] == np.float32(NETWORK_SCORE)
