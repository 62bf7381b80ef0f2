"""Ablation benchmark: synthetic scenes, tracked by stabilizer variants that lack one part each.

A variant changes the exported model's bytes, or the tracker; add a new one to VARIANTS. Filters are
compared at their best setting, which is searched on faces that are not reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from steadymark.engine.bench.scenes.flow_ablation import (
    gain_of,
    no_face_motion,
    no_landmark_flow,
    no_modes,
)
from steadymark.engine.bench.scenes.scene_presets import SceneConfig
from steadymark.engine.bench.scenes.stability_benchmark import (
    StabilityConfig,
    faces_of,
    scenes_of,
    tried_settings,
)
from steadymark.engine.bench.scenes.stability_scores import (
    StabilityBenchScores,
    TruthDetector,
    score_tracks,
    track_scene,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.filter_runner import make_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import (
    NONE,
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    point_filters,
)
from steadymark.engine.tracking.settings import (
    OpenModels,
    TrackSettings,
    landmark_card,
    make_tracker,
    open_models,
)
from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.runtime import flow_cell_ablation
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.heatmap_cell_ablation import (
    with_constant_mean,
    with_untrained_weights,
    without_shape_motion,
)
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import FLOW, verified_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from steadymark.engine.bench.scenes.scene_presets import Scene
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.face_pass import LandmarkModel
    from steadymark.engine.tracking.tracker import Tracker
    from steadymark.models.datasets import LabelledFace
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, Prediction, State

_CELL = "convlstm"
_MOST_NRMSE_RATIO = 1.01  # Largest NRMSE of a tuned filter, relative to that of the raw landmarks.
Item = TypeVar("Item")
_TUNING_SEED = 1000  # Added to the seed, so that tuning scenes have other motion.


@dataclass(frozen=True, slots=True)
class AblationVariant:
    """One row of the ablation table.

    Attributes:
        name: Name of the variant.
        stabilizer: Name of the stabilizer; see TrackSettings.
        edit: Changes the bytes of the model's file, or of the flow cell's file where that
            stabilizes; raises WeightsError if the model lacks the part.
        adjust: Changes the tracker.
        model: Name of the model; None for the model of the settings.
        by_gain: Creates such an edit for a gain. The gain is chosen so that the mouth opens as far
            as with the trained cell.
    """

    name: str
    stabilizer: str
    edit: Callable[[bytes], bytes] | None = None
    adjust: Callable[[Tracker], None] | None = None
    model: str | None = None
    by_gain: Callable[[float], Callable[[bytes], bytes]] | None = None


class UnwarpedMemory:
    """A recurrent network whose state is not warped by the face's motion.

    This is the recurrence of the ConvLSTM paper, eq. 1.
    """

    def __init__(self, network: LandmarkModel) -> None:
        self._network, self.card, self.device = network, network.card, network.device

    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction:
        """Run the network without the faces' motion; see `LandmarkModel.step`."""
        return self._network.step(crops, state)


def no_flow(tracker: Tracker) -> None:
    """Run the tracker without optical flow."""
    tracker.follower = UnwarpedMemory(tracker.follower)


def _edit_by_gain(
    edit: Callable[[bytes, float], bytes],
) -> Callable[[float], Callable[[bytes], bytes]]:
    return lambda gain: lambda content: edit(content, gain)


TRAINED = AblationVariant("flow, trained", FLOW)
VARIANTS = (
    AblationVariant(NONE, NONE),
    TRAINED,
    AblationVariant("flow, untrained", FLOW, flow_cell_ablation.flow_with_untrained_weights),
    AblationVariant(
        "flow, constant shares",
        FLOW,
        by_gain=_edit_by_gain(flow_cell_ablation.flow_with_first_shares),
    ),
    AblationVariant(
        "flow, constant mean",
        FLOW,
        by_gain=_edit_by_gain(flow_cell_ablation.flow_with_constant_mean),
    ),
    AblationVariant("flow, no flow of landmarks", FLOW, adjust=no_landmark_flow),
    AblationVariant("flow, no face motion", FLOW, adjust=no_face_motion),
    AblationVariant("flow, no modes", FLOW, adjust=no_modes),
    AblationVariant("constant mean", _CELL, with_constant_mean),
    AblationVariant("untrained cell", _CELL, with_untrained_weights),
    AblationVariant("trained cell", _CELL),
    AblationVariant("no flow", _CELL, adjust=no_flow),
    AblationVariant("no shape motion", _CELL, without_shape_motion),
    AblationVariant("paper's cell, no flow", _CELL, without_shape_motion, no_flow),
)


@dataclass(frozen=True, slots=True)
class AblationConfig:
    """Settings of the ablation benchmark.

    Attributes:
        sequences: Number of reported scenes.
        frames: Frames per scene.
        noise: Noise level; see StabilityConfig.
        seed: Random seed.
        tuned_by: Number of scenes on which filters are tuned.
        held_back: Whether to report only faces that no training has used.
    """

    sequences: int = 30
    frames: int = 60
    noise: int = 2
    seed: int = 0
    tuned_by: int = 12
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class AblationRow:
    """Result of one variant.

    Attributes:
        name: Name of the variant or filter.
        reached: Its scores; None if the model does not have the part.
        note: The reason, or the filter's setting.
    """

    name: str
    reached: StabilityBenchScores | None
    note: str = ""


def run_ablation(
    data: Path,
    settings: TrackSettings,
    config: AblationConfig,
    *,
    tune: Path | None = None,
    variants: Sequence[AblationVariant] = VARIANTS,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[AblationRow]:
    """Run all variants and filters on the same scenes.

    Args:
        data: Folder of labelled faces to report.
        settings: Tracking settings.
        config: Benchmark settings.
        tune: Folder of labelled faces whose held-back ones are used to tune filters. None takes
            `train` beside `data` or, if there is none, `data` itself, of which every other face is
            then reported.
        variants: The variants to run.
        report: Called with the number of frames done and the total.

    Yields:
        One row per variant and filter.

    Raises:
        UsageError: A folder holds no faces, or a number is out of range.
        WeightsError: A model is not available.
    """
    reported, others = _faces(data, tune, held_back=config.held_back)
    scene_count = config.sequences * (1 + len(variants)) + 2 * config.tuned_by
    progress = _ProgressCounter(config.frames, scene_count * config.frames, report)
    scenes = list(progress.counted(_scenes(reported, config, config.sequences, config.seed)))
    tuning = list(
        progress.counted(_scenes(others, config, config.tuned_by, config.seed + _TUNING_SEED))
    )
    raw_tracks: list[Values] = []
    for variant in variants:
        try:
            variant = _with_gain(variant, tuning, settings)
            models = open_variant(variant, settings)
        except WeightsError as error:
            cell = STABILIZER_REGISTRY.find(variant.stabilizer).cell
            if not cell and variant.edit is None:
                raise
            yield AblationRow(variant.name, None, str(error))
            continue
        found = list(progress.counted(_tracked(scenes, variant, models, settings)))
        raw, points = ([pair[i] for pair in found] for i in (0, 1))
        raw_tracks = raw_tracks or raw
        yield AblationRow(variant.name, score_tracks(scenes, points, raw))
    unchanged = AblationVariant(NONE, NONE)
    tracked = progress.counted(
        _tracked(tuning, unchanged, open_variant(unchanged, settings), settings)
    )
    raw_tuning = [raw for raw, _ in tracked]
    for name, filters in _filters().items():
        setting = _best(tuning, raw_tuning, filters)
        points = [filters[setting](p, s) for p, s in zip(raw_tracks, scenes, strict=True)]
        yield AblationRow(name, score_tracks(scenes, points, raw_tracks), setting)


@dataclass(slots=True)
class _ProgressCounter:
    """Reports the number of finished frames after each scene."""

    frames: int
    total: int
    report: Callable[[int, int], None]
    done: int = 0

    def counted(self, scenes: Iterable[Item]) -> Iterator[Item]:
        for scene in scenes:
            self.done += self.frames
            self.report(self.done, self.total)
            yield scene


Filter = Callable[["Values", "Scene"], "Values"]


def _filters() -> dict[str, dict[str, Filter]]:
    """Return the filters of raw landmarks by name and setting."""

    def run(chosen: ChosenStabilizer) -> Filter:
        point_filter = make_filter(chosen)
        return lambda points, scene: run_filter(point_filter, points, scene.times_s)

    return {
        entry.name: {setting: run(chosen) for setting, chosen in tried_settings(entry).items()}
        for entry in point_filters()
    }


def _best(scenes: Sequence[Scene], raw: Sequence[Values], filters: dict[str, Filter]) -> str:
    """Return the setting with the least MAV among those with a good NRMSE, else the least NRMSE."""
    limit = _MOST_NRMSE_RATIO * score_tracks(scenes, raw).nrmse
    scores = {
        setting: score_tracks(scenes, [chosen(p, s) for p, s in zip(raw, scenes, strict=True)])
        for setting, chosen in filters.items()
    }
    accurate = {setting: r.mav for setting, r in scores.items() if r.nrmse <= limit}
    if accurate:
        return min(accurate, key=lambda setting: accurate[setting])
    return min(scores, key=lambda setting: scores[setting].nrmse)


def open_variant(variant: AblationVariant, settings: TrackSettings) -> OpenModels:
    """Open the networks of a variant; an edited network runs on the CPU.

    Args:
        variant: The variant.
        settings: Tracking settings.

    Returns:
        The opened networks.

    Raises:
        WeightsError: The model is not available, or it lacks the part to be removed.
    """
    chosen = _chosen(variant, settings)
    models = open_models(chosen)
    if variant.edit is None:
        return models
    if models.flow is not None:
        content = variant.edit(verified_bytes(models.flow.card))
        flow = FlowStabilizer(models.flow.card, models.flow.schema, content=content)
        return replace(models, flow=flow)
    card = landmark_card(chosen)
    network = LandmarkNetwork(card, content=variant.edit(verified_bytes(card)))
    return replace(models, network=network)


def _with_gain(
    variant: AblationVariant, scenes: Sequence[Scene], settings: TrackSettings
) -> AblationVariant:
    """Return the variant with the gain that opens the mouth as far as TRAINED does."""
    make = variant.by_gain
    if make is None:
        return variant

    def mouth(some: AblationVariant) -> float:
        found = list(_tracked(scenes, some, open_variant(some, settings), settings))
        raw, points = ([pair[i] for pair in found] for i in (0, 1))
        return score_tracks(scenes, points, raw).mouth_of_raw

    gain = gain_of(lambda gain: mouth(replace(variant, edit=make(gain))), mouth(TRAINED))
    return replace(variant, name=f"{variant.name}, gain {gain:.3g}", edit=make(gain))


def _chosen(variant: AblationVariant, settings: TrackSettings) -> TrackSettings:
    return replace(settings, stabilizer=variant.stabilizer, model=variant.model or settings.model)


def _tracked(
    scenes: Sequence[Scene], variant: AblationVariant, models: OpenModels, settings: TrackSettings
) -> Iterator[tuple[Values, Values]]:
    """Yield raw and stabilized landmarks of each scene."""
    detector = TruthDetector(load_schema(IBUG68))
    tracker = make_tracker(replace(models, detector=detector), _chosen(variant, settings))
    if variant.adjust is not None:
        variant.adjust(tracker)
    for scene in scenes:
        yield track_scene(scene, tracker, detector)


def _scenes(
    faces: list[LabelledFace], config: AblationConfig, count: int, seed: int
) -> list[Scene]:
    stability = StabilityConfig(count, config.frames, (config.noise,), seed)
    return scenes_of(faces, stability, SceneConfig(config.frames, config.noise))


def _faces(
    data: Path, tune: Path | None, *, held_back: bool
) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Return the faces to report and the faces to tune on, which have none in common."""
    beside = data.parent / "train"
    tune = tune or (beside if beside.is_dir() else data)
    try:
        others = faces_of(tune, held_back=True)
    except UsageError as error:
        raise UsageError(
            "{tune} holds no faces that no training has seen, to tune filters by: name a training "
            "split with --tune",
            tune=tune,
        ) from error
    if tune.resolve() != data.resolve():
        return faces_of(data, held_back=held_back), others
    if len(others) < 2:
        raise UsageError(
            "{data} holds a single face that no training has seen: filters must be tuned by "
            "another one than is reported",
            data=data,
        )
    return others[1::2], others[::2]
