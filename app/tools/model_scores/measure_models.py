"""Measure the shipped landmark models and the face detector."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from steadymark.app.cli.reports.detector_report import report_detectors
from steadymark.engine.bench.detector_benchmark import detect_all, recall
from steadymark.engine.bench.group_proxies import measure_groups
from steadymark.engine.bench.landmark_benchmark import measure_landmarks, prepare_sets
from steadymark.engine.bench.speed_benchmark import measure_crops
from steadymark.engine.tracking.settings import TrackSettings, open_detector, open_models
from steadymark.models.datasets.photo_splits import read_boxes
from steadymark.models.face.schema import IBUG68_3D
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, DEFAULT_MODEL, list_models
from tools.model_scores.measure_3d import measure_3d

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Measured figures of one model.

    Attributes:
        accuracy: Rows of `AccuracyRow`, for a landmark model.
        groups: Rows of `GroupRow`, for a landmark model.
        scores: Further figures by name.
    """

    accuracy: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)


def landmark_models() -> tuple[str, ...]:
    """Return the names of the shipped landmark models without a stabilizer, the default first.

    Models of the 3D scheme are left out, see `models_3d`.
    """
    names = [
        card.name
        for card in list_models()
        if card.kind == "landmarks" and not card.cell and card.schema != IBUG68_3D
    ]
    return tuple(sorted(names, key=lambda name: (name != DEFAULT_MODEL, name)))


def models_3d() -> tuple[str, ...]:
    """Return the names of the shipped models of the 3D scheme, and of their followers."""
    return tuple(card.name for card in list_models() if card.schema == IBUG68_3D)


def measure_models(
    names: Sequence[str],
    data: Path,
    cards: dict[str, dict[str, Any]],
    *,
    reported: bool,
    tell: Callable[[str], None],
) -> dict[str, ModelFigures]:
    """Measure models.

    Args:
        names: Names of landmark models, also of the 3D scheme, and DEFAULT_DETECTOR.
        data: The data folder.
        cards: The contents of the models' cards by name.
        reported: Whether to measure also on the sets that are only reported.
        tell: Called with the name of each part when it begins.

    Returns:
        The figures by the model's name.

    Raises:
        SteadymarkError: A model cannot be opened, or the data folder lacks something.
    """
    figures: dict[str, ModelFigures] = {}
    of_3d = [name for name in names if name in models_3d()]
    landmark_names = [name for name in names if name not in (DEFAULT_DETECTOR, *of_3d)]
    if landmark_names:
        figures |= _measure_landmarks(landmark_names, data, cards, reported=reported, tell=tell)
    for name in of_3d:
        figures[name] = ModelFigures(scores=measure_3d(name, data, reported=reported, tell=tell))
    if DEFAULT_DETECTOR in names:
        tell(f"{DEFAULT_DETECTOR}: as steadymark bench detector")
        figures[DEFAULT_DETECTOR] = ModelFigures(scores=_detector_scores(data, reported=reported))
    return figures


def _measure_landmarks(
    names: Sequence[str],
    data: Path,
    cards: dict[str, dict[str, Any]],
    *,
    reported: bool,
    tell: Callable[[str], None],
) -> dict[str, ModelFigures]:
    settings = {
        name: TrackSettings(model=name, stabilizer="none", device="cpu", threads=1)
        for name in names
    }
    models = {name: open_models(each) for name, each in settings.items()}
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        tell("writing the sets of faces")
        sets = prepare_sets(data, Path(folder), reported=reported)
        for name, opened in models.items():
            rows[name] = measure_landmarks(
                opened,
                sets,
                config=settings[name].tracker,
                hard_were_left_out=hard_were_left_out(cards[name]["recipe"]),
                on_set=lambda part, n=name: tell(f"{n}: {part}"),  # type: ignore[misc]
            )
    tell("groups of people (a proxy)")
    groups = measure_groups(models, data)
    tell("CPU time of one face")
    times = measure_crops(models)
    return {
        name: ModelFigures(
            [asdict(row) for row in rows[name]],
            [asdict(row) for row in groups.get(name, ())],
            {"crop_cpu_ms": round(times[name], 2)},
        )
        for name in names
    }


def hard_were_left_out(recipe: dict[str, Any]) -> bool:
    """Return whether a model, and all that it began with, learned without AFW's hardest photos.

    Trainings with further faces leave these photos out. Of an exported model with which a training
    began nothing is known, so it may have seen them.

    Args:
        recipe: The recipe of a model card or of one of its origins.
    """
    origins = recipe.get("began_with", [])
    return bool(recipe.get("further")) and all(
        hard_were_left_out({**origin.get("recipe", {}), "began_with": origin.get("began_with", [])})
        for origin in origins
    )


def _detector_scores(data: Path, *, reported: bool) -> dict[str, float]:
    """Return the scores of the detector's card, as `steadymark bench detector` measures them."""
    from steadymark.models.training.detector.face_net_card import scores_of  # imports torch

    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        report_detectors(
            data,
            [DEFAULT_DETECTOR],
            TrackSettings(),
            file,
            most_false=None,
            reported=reported,
            tracked=False,
            out=console,
            err=console,
        )
        scores = scores_of(json.loads(file.read_text(encoding="utf-8")))
    if reported:
        folder_of_common = data / "faces" / "common"
        boxes = read_boxes(folder_of_common)
        found = detect_all(open_detector(TrackSettings())[0], folder_of_common, boxes)
        common = recall(found, boxes)
        scores |= {
            "recall_common_percent": round(common.percent, 2),
            "iou_common": round(common.iou, 3),
        }
    return scores
