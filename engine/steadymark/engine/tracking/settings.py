"""The settings of tracking, and the models and the tracker that follow from them.

The window and the command line share them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cv2

from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.core.gaze import GazeCalibration  # noqa: TC001 - read by `settings_values`
from steadymark.engine.core.heap import return_free_memory
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.core.protocols import Closable
from steadymark.engine.stabilizers.filter_runner import online_filter
from steadymark.engine.stabilizers.stabilizer_registry import (
    AUTO,
    NONE,
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    StabilizerEntry,
    choose,
)
from steadymark.engine.tracking.detection import DetectorConfig, FaceNetDetector, open_face_net
from steadymark.engine.tracking.face_pass import LandmarkModel, TrackerConfig
from steadymark.engine.tracking.pupil_tracking import PupilTracker, open_pupil_tracker
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import IBUG_ORDER, load_schema
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_session
from steadymark.models.runtime.validate_model import check_network, find_follower
from steadymark.models.runtime.zoo import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    FLOW,
    FLOW_CELL,
    ModelCard,
    best_stabilizer,
    find_model,
    stabilized,
)

if TYPE_CHECKING:
    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.models.face.schema import LandmarkSchema

MEDIAPIPE = "mediapipe:"  # prefix of the file of MediaPipe's detector or landmark model
YUNET = "yunet:"  # prefix of the file of OpenCV's detector


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """Settings of tracking.

    Attributes:
        model: Name of a landmark model in the zoo, or a file; or `mediapipe:FILE` (extra
            'mediapipe') with MediaPipe's face_landmarker.task.
        detector: Name of a face detector in the zoo, or a file; or `yunet:FILE` (OpenCV's
            YuNet) or `mediapipe:FILE` (extra 'mediapipe') with a model file of the user.
        stabilizer: A name of the registry of stabilizers. `flow` works with any model. `refine`
            and `convlstm` use the model of the zoo that adds this stabilizer to the chosen model.
            `auto` uses the model's own stabilizer if it has one, otherwise `flow`. Filters use the
            raw landmarks.
        device: `auto`, `cpu` or `cuda`.
        threads: Number of CPU threads of each network; 0 lets ONNX Runtime choose.
        detector_threshold: Lowest score of a detected face; None takes the detector's default.
        tracker: Settings of the tracker.
        filters: Stabilizers whose parameters differ from the defaults, sorted by name; the others
            are left out. Several can be named, but only `stabilizer` is used.
        focal_px: Focal length of the camera in pixels, for head poses; None takes OpenFace's
            estimate, see `Intrinsics`.
        gaze_calibration: The person's correction of gaze; None for none.
        pupils: Whether the pupils are tracked, if the landmarks are in iBUG's order.
    """

    model: str = DEFAULT_MODEL
    detector: str = DEFAULT_DETECTOR
    stabilizer: str = AUTO
    device: str = "auto"
    threads: int = 1
    detector_threshold: float | None = None
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    filters: tuple[ChosenStabilizer, ...] = ()
    focal_px: float | None = None
    gaze_calibration: GazeCalibration | None = None
    pupils: bool = True

    def __post_init__(self) -> None:
        changed = {c.name: c for c in self.filters if c != choose(c.name)}
        object.__setattr__(self, "filters", tuple(changed[name] for name in sorted(changed)))

    @property
    def entry(self) -> StabilizerEntry:
        """The registry's entry of the stabilizer."""
        return STABILIZER_REGISTRY.find(self.stabilizer)

    def filter_of(self, name: str) -> ChosenStabilizer:
        """Return a stabilizer with the values of its parameters in these settings."""
        return next((c for c in self.filters if c.name == name), None) or choose(name)

    @property
    def chosen(self) -> ChosenStabilizer:
        """The stabilizer with the values of its parameters."""
        return self.filter_of(self.stabilizer)

    def with_filter(self, chosen: ChosenStabilizer) -> TrackSettings:
        """Return the settings with the values of this stabilizer's parameters."""
        return replace(self, filters=(*self.filters, chosen))


def plain_settings(settings: TrackSettings) -> dict[str, Any]:
    """Return the settings as values that JSON supports, as in the header of a table.

    The parameters of a stabilizer are a dictionary with the key `StabilizerEntry.key`. They are
    left out if the stabilizer is not chosen and its parameters are the defaults, unless the entry
    says `always_recorded`. So is a calibration of gaze that is not given.

    Args:
        settings: The settings.

    Returns:
        The values by name.
    """
    plain: dict[str, Any] = {}
    for name, value in asdict(settings).items():
        if name == "gaze_calibration" and value is None:
            continue
        if name != "filters":
            plain[name] = value
            continue
        used = {settings.stabilizer, *(chosen.name for chosen in settings.filters)}
        for entry in STABILIZER_REGISTRY.all():
            if entry.parameters and (entry.always_recorded or entry.name in used):
                plain[entry.key] = dict(settings.filter_of(entry.name).values)
    return plain


@dataclass(frozen=True, slots=True, eq=False)
class OpenModels:
    """The opened networks.

    They hold no state of faces, so that any number of trackers can share them. For `follower`,
    `flow` and `pupil_tracker`, see `Tracker`.
    """

    network: LandmarkModel
    detector: FaceDetector
    cards: tuple[ModelCard, ...]
    follower: LandmarkModel | None = None
    flow: FlowStabilizer | None = None
    pupil_tracker: PupilTracker | None = None

    def close(self) -> None:
        """Close the face detector and the landmark model if they are MediaPipe's."""
        for part in (self.detector, self.network):
            if isinstance(part, Closable):
                part.close()

    @property
    def device(self) -> str:
        """Device on which the landmark network runs."""
        return self.network.device

    @property
    def schema(self) -> LandmarkSchema:
        """Schema of the landmarks that the network predicts."""
        return load_schema(self.network.card.schema)


def landmark_card(settings: TrackSettings) -> ModelCard:
    """Return the card of the landmark model for these settings.

    Args:
        settings: The settings.

    Returns:
        The card.

    Raises:
        WeightsError: The model does not exist, or not with this stabilizer.
        UsageError: The stabilizer is unknown.
    """
    entry = settings.entry
    card = _model_card(settings.model)
    if entry.cell:
        return stabilized(card, settings.stabilizer)
    return best_stabilizer(card) if settings.stabilizer == AUTO else card


def _model_card(model: str) -> ModelCard:
    if not model.startswith(MEDIAPIPE):
        return find_model(model, "landmarks")
    from steadymark.engine.tracking.mediapipe_landmarks import mediapipe_card

    return mediapipe_card(model.removeprefix(MEDIAPIPE))


def resolved_stabilizer(settings: TrackSettings) -> str:
    """Return the stabilizer for these settings, with `auto` replaced by what it means.

    Args:
        settings: The settings.

    Returns:
        The stabilizer; `auto` if the model does not exist.
    """
    if settings.stabilizer != AUTO:
        return settings.stabilizer
    try:
        return landmark_card(settings).cell or "none"
    except SteadymarkError:
        return AUTO


def open_models(settings: TrackSettings) -> OpenModels:
    """Open the networks, and check those that are not shipped with Steadymark.

    Args:
        settings: The settings.

    Returns:
        The opened networks.

    Raises:
        WeightsError: Weights are unknown, missing or altered, or a model cannot be used.
        DeviceError: CUDA was requested but is not available.
        UsageError: The stabilizer is unknown, or an optional detector is not installed.
    """
    card = landmark_card(settings)
    cv2.setNumThreads(1)  # crops are small, and the stages already run in parallel
    network = _open_network(card, settings)
    cards, follower = [card], None
    follower_card = find_follower(card)
    if follower_card is not None:
        cards.append(follower_card)
        follower = _open_network(cards[1], settings)
    flow = None
    if card.cell == FLOW:
        cards.append(find_model(FLOW_CELL, "stabilizer"))
        flow = FlowStabilizer(cards[-1], load_schema(card.schema))
    detector, face_card = open_detector(settings)
    if face_card is not None:
        cards.append(face_card)
    pupil_tracker = None
    if settings.pupils and card.schema in IBUG_ORDER:
        pupil_tracker = open_pupil_tracker()
        cards.append(pupil_tracker.card)
    return_free_memory()
    return OpenModels(network, detector, tuple(cards), follower, flow, pupil_tracker)


def _open_network(card: ModelCard, settings: TrackSettings) -> LandmarkModel:
    """Open a landmark network, and check it if it is not shipped."""
    if settings.model.startswith(MEDIAPIPE):
        from steadymark.engine.tracking.mediapipe_landmarks import MediapipeLandmarks

        return MediapipeLandmarks(card)
    network = LandmarkNetwork(card, device=settings.device, threads=settings.threads)
    check_network(card, network)
    return network


def open_detector(settings: TrackSettings) -> tuple[FaceDetector, ModelCard | None]:
    """Open the face detector.

    Args:
        settings: The settings.

    Returns:
        The detector, and its card if it is in the zoo.

    Raises:
        WeightsError: The weights are unknown, missing or altered.
        UsageError: The detector is not installed, or its file is missing or invalid.
    """
    threshold_or_none = settings.detector_threshold
    if settings.detector.startswith(YUNET):
        from steadymark.engine.tracking import yunet_detection as yunet

        model_file = settings.detector.removeprefix(YUNET)
        threshold = yunet.THRESHOLD if threshold_or_none is None else threshold_or_none
        return yunet.YuNetDetector(model_file, threshold=threshold), None
    if settings.detector.startswith(MEDIAPIPE):
        from steadymark.engine.tracking.mediapipe_detection import MediapipeDetector

        model_file = settings.detector.removeprefix(MEDIAPIPE)
        return MediapipeDetector(
            model_file, threshold=0.5 if threshold_or_none is None else threshold_or_none
        ), None
    face_card = find_model(settings.detector, "face_detector")
    config = DetectorConfig(
        threshold=face_card.threshold if threshold_or_none is None else threshold_or_none
    )
    runner = open_session(face_card, device="cpu", threads=settings.threads)
    return FaceNetDetector(open_face_net(runner), config), face_card


def settings_for_images(settings: TrackSettings, images: ImageOrder | None) -> TrackSettings:
    """Return the settings for a source; independent images are tracked without a stabilizer.

    Args:
        settings: The settings.
        images: `SourceInfo.image_order` of the source.

    Returns:
        The settings.
    """
    if images is ImageOrder.INDEPENDENT:
        return replace(settings, stabilizer=NONE)
    return settings


def make_tracker(models: OpenModels, settings: TrackSettings) -> Tracker:
    """Create a tracker for one source.

    Args:
        models: The opened networks.
        settings: The settings.

    Returns:
        The tracker.

    Raises:
        UsageError: `max_faces` or `focal_px` is out of range.
    """
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
        online_filter(settings.chosen),
        models.schema,
        settings.tracker,
        follower=models.follower,
        flow=models.flow,
        stabilized_by_network=settings.entry.needs_images,
        focal_px=settings.focal_px,
        gaze_calibration=settings.gaze_calibration,
        pupil_tracker=models.pupil_tracker if settings.pupils else None,
    )
