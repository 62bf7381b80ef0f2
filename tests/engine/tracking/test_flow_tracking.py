"""The tracker with the flow stabilizer: its memory, and when the memory is dropped."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from steadymark.engine.core.types import FaceBox, FaceState, Frame
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.settings import (
    TrackSettings,
    landmark_card,
    make_tracker,
    open_models,
    resolved_stabilizer,
)
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FlowMemory, FlowStabilizer
from steadymark.models.runtime.onnx_session import Moves, Prediction
from steadymark.models.runtime.zoo import FLOW_CELL, ModelCard, find_model, list_models
from support.fakes.fake_engine import SquareDetector, SquareNetwork, frame
from support.fakes.small_model import tiny_model, write_model
from support.videos.textured_images import grey_to_bgr, random_texture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.landmark_flow import FlowFrame
    from steadymark.models.runtime.flow_stabilizer import Array

SHIFT_PX = 0.5


class ShiftingStabilizer(FlowStabilizer):
    """Shifts raw landmarks right by `shift_px`, and records which faces had a memory."""

    def __init__(self) -> None:
        super().__init__(find_model(FLOW_CELL, "stabilizer"), load_schema("ibug68"))
        self.shift_px = SHIFT_PX
        self.had_memory: list[list[bool]] = []

    def step(
        self, frames: Sequence[FlowFrame], scores: Array, memories: Sequence[FlowMemory | None]
    ) -> list[tuple[Points, FlowMemory]]:
        assert scores.shape == (len(frames), 68)
        self.had_memory.append([memory is not None for memory in memories])
        shift = np.array((self.shift_px, 0), np.float32)
        return [(each.raw + shift, self.begin(each)[1]) for each in frames]


def make_tracker_and_flow() -> tuple[Tracker, ShiftingStabilizer]:
    flow = ShiftingStabilizer()
    tracker = Tracker(
        SquareDetector(),
        SquareNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
        flow=flow,
        stabilized_by_network=True,
    )
    return tracker, flow


def test_the_output_of_the_cell_is_the_stabilized_face_and_raw_stays_unchanged() -> None:
    tracker, flow = make_tracker_and_flow()
    for i in range(4):
        (face,) = tracker.track(frame(i, (100 + i, 100, 60))).faces
        assert face.raw is not None
        assert face.stabilized is not None
        shift = face.stabilized.xy_px - face.raw.xy_px
        np.testing.assert_allclose(shift, np.full((68, 2), (SHIFT_PX, 0)), atol=1e-4)
    assert flow.had_memory == [[False], [True], [True], [True]]


@pytest.mark.parametrize(
    ("times_s", "cut", "kept"),
    [
        ((0.0, 0.04, 0.08), False, True),
        ((0.0, 0.04, 0.60), False, False),
        ((0.0, 0.04, 0.01), False, False),
        ((0.0, 0.04, 0.08), True, False),
    ],
    ids=["in a row", "after a pause", "backwards", "after a cut"],
)
def test_memory_is_dropped_at_a_pause_a_step_back_and_a_cut(
    times_s: tuple[float, ...], *, cut: bool, kept: bool
) -> None:
    tracker, flow = make_tracker_and_flow()
    for i, t_s in enumerate(times_s):
        scene = replace(frame(i, (100, 100, 60)), pts_s=t_s)
        if cut and i == 2:
            texture = (95 * np.random.default_rng(4).integers(0, 2, (18, 32, 1))).astype(np.uint8)
            background = cv2.resize(texture, (320, 240), interpolation=cv2.INTER_NEAREST)
            scene = replace(
                scene, image=np.where(scene.image > 0, scene.image, background[..., None])
            )
        assert tracker.track(scene).restarted == (i == 0 or (i == 2 and not kept))
    assert flow.had_memory[-1] == [kept]


def test_a_contradiction_restarts_the_cell_from_the_raw_landmarks() -> None:
    tracker, flow = make_tracker_and_flow()
    for i in range(3):
        tracker.track(frame(i, (100, 100, 60)))
    flow.shift_px = 20.0
    (face,) = tracker.track(frame(3, (100, 100, 60))).faces
    assert face.stabilized is not None
    assert face.stabilized is face.raw
    flow.shift_px = SHIFT_PX
    (face,) = tracker.track(frame(4, (100, 100, 60))).faces
    assert flow.had_memory[-2:] == [[True], [False]]
    assert face.stabilized is not face.raw


def test_a_lost_face_starts_without_memory() -> None:
    tracker, flow = make_tracker_and_flow()
    for i in range(3):
        tracker.track(frame(i, (100, 100, 60)))
    assert tracker.track(frame(3, None)).faces[0].state is FaceState.LOST
    flow.had_memory.clear()
    assert tracker.track(frame(4, (100, 100, 60))).faces[0].state is FaceState.DETECTED
    tracker.track(frame(5, (100, 100, 60)))
    assert flow.had_memory == [[False], [True]]


def test_with_of_network_false_the_cell_is_not_used() -> None:
    flow = ShiftingStabilizer()
    tracker = Tracker(
        SquareDetector(),
        SquareNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
        flow=flow,
        stabilized_by_network=False,
    )
    for i in range(3):
        (face,) = tracker.track(frame(i, (100, 100, 60))).faces
    assert face.stabilized is face.raw


@dataclass
class NoisyNetwork:
    """Finds the mean face of a schema in the centre of the crop, with noise in frame pixels."""

    schema_name: str
    noise_px: float
    device: str = "cpu"
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def __post_init__(self) -> None:
        self.card = ModelCard(
            "noisy", "landmarks", Path(), "0", "MIT", self.schema_name, crop=64, margin=1.4
        )
        self.shape = load_schema(self.schema_name).mean_shape

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        noise = self.rng.normal(0, self.noise_px, (len(crops), len(self.shape), 2))
        xy = (self.shape * 64 / 1.4 + 31.5 + noise).astype(np.float32)
        scores = np.full(xy.shape[:2], 0.8, np.float32)
        return Prediction(xy, xy, scores, np.ones(len(crops), np.float32), ())


class FixedBoxDetector:
    """Finds the same box in every image."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        return (FaceBox(90, 80, 128, 128, 0.99),)


@pytest.mark.parametrize("schema", ["ibug68", "wflw98"])
def test_landmarks_of_any_schema_are_stabilized_within_the_noise(
    schema: str,
) -> None:
    network = NoisyNetwork(schema, 0.5)
    landmark_schema = load_schema(schema)
    flow = FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), landmark_schema)
    tracker = Tracker(FixedBoxDetector(), network, NoStabilizer(), landmark_schema, flow=flow)
    raw, steady = [], []
    image = grey_to_bgr(random_texture())
    for i in range(30):
        (face,) = tracker.track(Frame(image, i, i / 25)).faces
        assert face.raw is not None
        assert face.stabilized is not None
        raw.append(face.raw.xy_px)
        steady.append(face.stabilized.xy_px)
    a, b = np.array(raw)[10:], np.array(steady)[10:]
    assert a.shape == (20, landmark_schema.count, 2)
    noise = float((a - a.mean(0)).std())
    assert float(np.sqrt(np.square(b - a).mean())) <= 1.1 * noise
    assert float(np.abs(np.diff(b, axis=0)).mean()) < 0.5 * float(np.abs(np.diff(a, axis=0)).mean())


def test_auto_means_flow_for_every_model_without_a_stabilizer_of_its_own(tmp_path: Path) -> None:
    for card in list_models():
        if card.kind == "landmarks":
            resolved_card = landmark_card(TrackSettings(model=card.name))
            assert resolved_card.cell == (card.cell or "flow")
    own = write_model(tmp_path, tiny_model(landmarks=98), schema="wflw98", name="own")
    card = landmark_card(TrackSettings(model=str(own)))
    assert (card.cell, card.over, card.schema) == ("flow", "own", "wflw98")


def test_a_model_of_98_landmarks_uses_the_cell_by_default() -> None:
    settings = TrackSettings(device="cpu")
    models = open_models(settings)
    names = [card.name for card in models.cards]
    # the header of a table names all
    assert names == ["heatmap1d-lite", FLOW_CELL, "face_net", "pupils"]
    network: Any = NoisyNetwork("wflw98", 0.5)
    flow = FlowStabilizer(models.cards[1], load_schema("wflw98"))
    other = replace(models, network=network, detector=FixedBoxDetector(), flow=flow)
    tracker = make_tracker(other, settings)
    assert tracker.stabilization.by_network
    for i in range(3):
        (face,) = tracker.track(Frame(grey_to_bgr(random_texture()), i, i / 25)).faces
    assert face.stabilized is not None
    assert face.stabilized.xy_px.shape == (98, 2)
    assert face.stabilized is not face.raw


@pytest.mark.parametrize("stabilizer", ["none", "convlstm", "one-euro", "butterworth"])
def test_the_cell_is_opened_only_when_it_is_used(stabilizer: str) -> None:
    models = open_models(TrackSettings(stabilizer=stabilizer, device="cpu"))
    assert models.flow is None
    assert FLOW_CELL not in [card.name for card in models.cards]


def test_auto_is_resolved_to_the_stabilizer_of_the_model() -> None:
    assert resolved_stabilizer(TrackSettings()) == landmark_card(TrackSettings()).cell == "flow"
    assert resolved_stabilizer(TrackSettings(stabilizer="one-euro")) == "one-euro"
    assert resolved_stabilizer(TrackSettings(model="no such model")) == "auto"
