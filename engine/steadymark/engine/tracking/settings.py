"""What a user chooses, and the tracker that follows from it: window and command line share both."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2

from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.online_filters import AUTO, CELLS, OneEuro, make_stabilizer
from steadymark.engine.tracking.detection import DetectorConfig, FaceNetDetector, open_face_net
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_session
from steadymark.models.runtime.validate_model import check_network
from steadymark.models.runtime.zoo import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    FLOW,
    FLOW_CELL,
    ModelCard,
    find_model,
    stabilized,
    steadiest,
)

if TYPE_CHECKING:
    from steadymark.engine.core.protocols import FaceDetector

MEDIAPIPE, YUNET = "mediapipe:", "yunet:"  # before the file of a detector that is not ours


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """model, detector: names in the zoo, or files; device: auto, cpu or cuda.

    stabilizer: one of STABILIZERS; `flow` stabilizes any model, `refine` and `convlstm` take the
    model of the zoo that stabilizes this one; `auto` is what a model stabilizes itself by, else
    `flow`; filters start from raw points.
    detector may also be `yunet:FILE` (OpenCV's) or `mediapipe:FILE` (extra 'mediapipe'), with a
    model file of the user's. threads: CPU threads of the networks; 0: the engine chooses. one_euro,
    butterworth: what these names do.
    focal_px: the camera's focal length, for head poses; None takes OpenFace's guess, see Camera.
    """

    model: str = DEFAULT_MODEL
    detector: str = DEFAULT_DETECTOR
    stabilizer: str = AUTO
    device: str = "auto"
    threads: int = 1
    detector_threshold: float | None = None
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    one_euro: OneEuro = field(default_factory=OneEuro)
    butterworth: Butterworth = field(default_factory=Butterworth)
    focal_px: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OpenModels:
    """The opened networks; they hold no memory of faces, so one serves any number of trackers.

    follower, flow: see Tracker.
    """

    network: LandmarkNetwork
    detector: FaceDetector
    cards: tuple[ModelCard, ...]
    follower: LandmarkNetwork | None = None
    flow: FlowStabilizer | None = None

    @property
    def device(self) -> str:
        """Where the landmark network really runs."""
        return self.network.device


def landmark_card(settings: TrackSettings) -> ModelCard:
    """The landmark model that these settings mean.

    Raises:
        WeightsError: there is no such model, or none of it that stabilizes so.
        UsageError: an unknown stabilizer.
    """
    make_stabilizer(settings.stabilizer)
    card = find_model(settings.model, "landmarks")
    if settings.stabilizer in CELLS:
        return stabilized(card, settings.stabilizer)
    return steadiest(card) if settings.stabilizer == AUTO else card


def resolved_stabilizer(settings: TrackSettings) -> str:
    """The stabilizer that these settings mean: for `auto`, what it takes for their model.

    It stays `auto` where there is no such model.
    """
    if settings.stabilizer != AUTO:
        return settings.stabilizer
    try:
        return landmark_card(settings).cell or "none"
    except SteadymarkError:
        return AUTO


def open_models(settings: TrackSettings) -> OpenModels:
    """Open the networks, and check those that did not come with Steadymark.

    Raises:
        WeightsError: unknown, missing or altered weights, or a model that cannot be tracked with.
        DeviceError: CUDA was asked for and is not there.
        UsageError: an unknown stabilizer, or an optional detector that is not installed.
    """
    card = landmark_card(settings)
    cv2.setNumThreads(1)  # crops are small, and the stages already run side by side
    network = LandmarkNetwork(card, device=settings.device, threads=settings.threads)
    check_network(card, network)
    cards, follower = [card], None
    if card.follower is not None:
        cards.append(find_model(card.follower, "landmarks", card.path.parent))
        follower = LandmarkNetwork(cards[1], device=settings.device, threads=settings.threads)
        check_network(cards[1], follower)
    flow = None
    if card.cell == FLOW:
        cards.append(find_model(FLOW_CELL, "stabilizer"))
        flow = FlowStabilizer(cards[-1], load_schema(card.schema or "ibug68"))
    detector, face_card = open_detector(settings)
    if face_card is not None:
        cards.append(face_card)
    return OpenModels(network, detector, tuple(cards), follower, flow)


def open_detector(settings: TrackSettings) -> tuple[FaceDetector, ModelCard | None]:
    """Open the face detector, with its card where it is one of the zoo.

    Raises:
        WeightsError: unknown, missing or altered weights.
        UsageError: a detector that is not installed, or whose file is missing or unfit.
    """
    asked = settings.detector_threshold
    if settings.detector.startswith(YUNET):
        from steadymark.engine.tracking import yunet_detection as yunet

        model_file = settings.detector.removeprefix(YUNET)
        threshold = yunet.THRESHOLD if asked is None else asked
        return yunet.YuNetDetector(model_file, threshold=threshold), None
    if settings.detector.startswith(MEDIAPIPE):
        from steadymark.engine.tracking.mediapipe_detection import MediapipeDetector

        model_file = settings.detector.removeprefix(MEDIAPIPE)
        return MediapipeDetector(model_file, threshold=0.5 if asked is None else asked), None
    face_card = find_model(settings.detector, "face_detector")
    config = DetectorConfig(threshold=face_card.threshold if asked is None else asked)
    runner = open_session(face_card, device="cpu", threads=settings.threads)
    return FaceNetDetector(open_face_net(runner), config), face_card


def make_tracker(models: OpenModels, settings: TrackSettings) -> Tracker:
    """A tracker for one source."""
    if settings.tracker.max_faces < 1:
        raise UsageError(
            "max faces must be at least 1, not {max_faces}", max_faces=settings.tracker.max_faces
        )
    if settings.focal_px is not None and not 1 <= settings.focal_px < math.inf:
        raise UsageError(
            "the focal length must be 1 pixel or more, not {focal_px:g}", focal_px=settings.focal_px
        )
    return Tracker(
        models.detector,
        models.network,
        make_stabilizer(settings.stabilizer, settings.one_euro),
        load_schema(models.network.card.schema or "ibug68"),
        settings.tracker,
        follower=models.follower,
        flow=models.flow,
        of_network=settings.stabilizer in (AUTO, *CELLS),
        focal_px=settings.focal_px,
    )
