"""Stability benchmark: synthetic scenes of a data folder's faces, tracked with every stabilizer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.bench.scenes.scene_files import read_scene, scene_name, write_scene
from steadymark.engine.bench.scenes.scene_presets import (
    NOISE,
    Scene,
    SceneConfig,
    make_scene,
    preset,
)
from steadymark.engine.bench.scenes.stability_scores import (
    StabilityBenchScores,
    TruthDetector,
    score_tracks,
    track_scene,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.stabilizers.filter_runner import make_filter, offline_filter, run_filter
from steadymark.engine.stabilizers.stabilizer_registry import (
    AUTO,
    NONE,
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    StabilizerEntry,
    choose,
    point_filters,
)
from steadymark.engine.tracking.settings import (
    TrackSettings,
    landmark_card,
    make_tracker,
    open_models,
)
from steadymark.models.datasets import open_dataset
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back
from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from steadymark.engine.metrics.accuracy import Values
    from steadymark.models.datasets import LabelledFace
    from steadymark.models.face.schema import LandmarkSchema


def all_choices() -> tuple[str, ...]:
    """Return `none` and all other stabilizers but `auto`, which stands for another one."""
    others = (name for name in STABILIZER_REGISTRY.names() if name not in (AUTO, NONE))
    return (NONE, *others)


def tried_settings(entry: StabilizerEntry) -> dict[str, ChosenStabilizer]:
    """Return the settings of a filter that benchmarks try, such as `1 Hz, beta 1.5`, by name.

    They are all combinations of `Parameter.tried`.
    """
    tried = [parameter for parameter in entry.parameters if parameter.tried]
    found = {}
    for values in product(*(parameter.tried for parameter in tried)):
        words = (
            p.text(value) if p.unit else f"{p.name} {p.text(value)}"
            for p, value in zip(tried, values, strict=True)
        )
        given = {p.name: value for p, value in zip(tried, values, strict=True)}
        found[", ".join(words)] = choose(entry.name, **given)
    return found


@dataclass(frozen=True, slots=True)
class StabilityConfig:
    """Settings of the stability benchmark.

    Attributes:
        sequences: Number of scenes at each noise level.
        frames: Frames per scene.
        noise: Noise levels.
        seed: Random seed.
        held_back: Whether to use only faces that no training has used, for tuning.
        choices: Names of the stabilizers; those that a model lacks are left out.
        curve_noise: Noise level at which filters are also run with other settings.
        scenes: Preset of the scenes, `living` or `rigid`.
    """

    sequences: int = 100
    frames: int = 60
    noise: tuple[int, ...] = (1, 2, 3, 4)
    seed: int = 0
    held_back: bool = False
    choices: tuple[str, ...] = field(default_factory=all_choices)
    curve_noise: int = 2
    scenes: str = "living"


@dataclass(frozen=True, slots=True)
class StabilityRow:
    """Result of one stabilizer at one noise level.

    Attributes:
        noise: The noise level.
        choice: Name of the stabilizer or of another tracker.
        reached: Its scores.
        setting: Setting of a filter; empty for its default.
    """

    noise: int
    choice: str
    reached: StabilityBenchScores
    setting: str = ""


def run_stability(
    data: Path,
    settings: TrackSettings,
    config: StabilityConfig,
    *,
    tables: Mapping[str, Path] | None = None,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> Iterator[StabilityRow]:
    """Run all stabilizers on the same scenes, one noise level after the other.

    Args:
        data: Folder of labelled faces.
        settings: Tracking settings.
        config: Benchmark settings.
        tables: Folders with other trackers' tables of these scenes, by the tracker's name; see
            `write_scenes`.
        report: Called with the number of frames done and the total.

    Yields:
        One row per noise level and stabilizer.

    Raises:
        UsageError: `data` holds no faces, the model has none of the stabilizers, a number is out of
            range, or a table is missing or belongs to another video.
        LandmarkFileError: A table cannot be read.
    """
    schema = load_schema(IBUG68)
    _check(config)
    faces = faces_of(data, held_back=config.held_back)
    choices = possible_choices(settings, config.choices)
    done_frames, total = (
        0,
        len(config.noise) * config.sequences * config.frames * (1 + len(choices)),
    )
    for level in config.noise:
        scene_config = preset(config.scenes, config.frames, level)
        scenes = []
        for scene in _scenes(faces, schema, config, scene_config):
            scenes.append(scene)
            done_frames += config.frames
            report(done_frames, total)
        for choice in choices:
            raw, points = [], []
            for found, steady in _tracked(scenes, replace(settings, stabilizer=choice), schema):
                raw.append(found)
                points.append(steady)
                done_frames += config.frames
                report(done_frames, total)
            yield StabilityRow(level, choice, score_tracks(scenes, points, raw))
            if choice == NONE and level == config.curve_noise:
                yield from _curves(scenes, points, level, choices)
        for name, folder in (tables or {}).items():
            points = [
                read_scene(folder, scene_name(level, number), scene, schema)
                for number, scene in enumerate(scenes)
            ]
            yield StabilityRow(level, name, score_tracks(scenes, points))


def write_scenes(
    data: Path,
    folder: Path,
    config: StabilityConfig,
    *,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Write every scene of the benchmark as a video for other trackers.

    Args:
        data: Folder of labelled faces.
        folder: Folder to write to.
        config: Benchmark settings.
        report: Called with the number of videos done and the total.

    Returns:
        The number of videos.

    Raises:
        UsageError: `data` holds no faces, or a number is out of range.
        SinkError: A video cannot be written.
    """
    schema = load_schema(IBUG68)
    _check(config)
    faces = faces_of(data, held_back=config.held_back)
    done_frames, total = 0, len(config.noise) * config.sequences
    for level in config.noise:
        scene_config = preset(config.scenes, config.frames, level)
        for number, scene in enumerate(_scenes(faces, schema, config, scene_config)):
            write_scene(folder, scene_name(level, number), scene)
            done_frames += 1
            report(done_frames, total)
    return done_frames


def _check(config: StabilityConfig) -> None:
    preset(config.scenes, config.frames, 1)
    for level in config.noise:
        if level not in NOISE:
            raise UsageError(f"noise level {level}: choose of {', '.join(map(str, NOISE))}")
    if config.sequences < 1 or config.frames < 12:
        raise UsageError("the benchmark needs a sequence at least, and 12 frames in each")


def _curves(
    scenes: Sequence[Scene], raw: Sequence[Values], level: int, choices: Sequence[str]
) -> Iterator[StabilityRow]:
    """Yield the results of filters of raw landmarks with other settings."""
    for entry in point_filters():
        if entry.name not in choices or not any(p.tried for p in entry.parameters):
            continue
        for setting, chosen in tried_settings(entry).items():
            point_filter = make_filter(chosen)
            points = [
                run_filter(point_filter, p, s.times_s) for p, s in zip(raw, scenes, strict=True)
            ]
            yield StabilityRow(level, entry.name, score_tracks(scenes, points), setting)


def faces_of(data: Path, *, held_back: bool) -> list[LabelledFace]:
    """Return the labelled faces of a folder, converted to the iBUG schema.

    Args:
        data: Folder of labelled faces.
        held_back: Whether to return only faces that no training has used.

    Returns:
        The faces.

    Raises:
        UsageError: The folder holds no such faces.
    """
    found, _ = open_dataset(data)
    faces = [face for face in found if not held_back or _is_held(face)]
    if not faces:
        raise UsageError(f"{data} holds no labelled faces: name a folder in 300W form with --data")
    return [face if face.schema == IBUG68 else face.mapped(IBUG68) for face in faces]


def _is_held(face: LabelledFace) -> bool:
    return is_held_back(face.source_photo, HELD_BACK["train"])


def scenes_of(
    faces: list[LabelledFace], config: StabilityConfig, scene_config: SceneConfig
) -> list[Scene]:
    """Create the scenes of one noise level, for use in other benchmarks.

    Args:
        faces: Labelled faces.
        config: Benchmark settings, with the number of scenes.
        scene_config: Settings of the scenes.

    Returns:
        The scenes.

    Raises:
        UsageError: A number is out of range.
    """
    _check(config)
    return list(_scenes(faces, load_schema(IBUG68), config, scene_config))


def possible_choices(settings: TrackSettings, choices: Sequence[str]) -> tuple[str, ...]:
    """Return the stabilizers that the model has.

    Args:
        settings: Tracking settings.
        choices: Names of stabilizers.

    Returns:
        The available names.

    Raises:
        UsageError: None is available, or a name is unknown.
    """
    missing, available = [], []
    for choice in choices:
        try:
            landmark_card(replace(settings, stabilizer=choice))
        except WeightsError as error:
            missing.append(str(error))
            continue
        available.append(choice)
    if len(missing) == len(choices):
        raise UsageError(missing[0])
    return tuple(available)


def _scenes(
    faces: list[LabelledFace],
    schema: LandmarkSchema,
    config: StabilityConfig,
    scene_config: SceneConfig,
) -> Iterator[Scene]:
    order = np.random.default_rng((config.seed, 4)).permutation(len(faces))
    for number in range(config.sequences):
        face = faces[int(order[number % len(faces)])]
        yield make_scene(
            face.load_image(),
            face.points,
            schema,
            number,
            name=face.name,
            seed=config.seed,
            config=scene_config,
        )


def _tracked(
    scenes: Sequence[Scene], settings: TrackSettings, schema: LandmarkSchema
) -> Iterator[tuple[Values, Values]]:
    """Yield raw and stabilized landmarks of each scene."""
    detector = TruthDetector(schema)
    tracker = make_tracker(replace(open_models(settings), detector=detector), settings)
    offline = offline_filter(settings.chosen)
    for scene in scenes:
        raw, steady = track_scene(scene, tracker, detector)
        if offline is not None:
            steady = offline.smooth(raw, scene.times_s)
        yield raw, steady
