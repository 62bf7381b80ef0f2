"""Measure the shipped models of the 3D scheme on the faces of AFLW2000-3D."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from steadymark.engine.bench.landmark_benchmark import DETECTOR, TRUTH
from steadymark.engine.metrics.accuracy_scores import accuracy_of
from steadymark.engine.metrics.image_evaluation import LabelledImages, compare_faces
from steadymark.engine.tracking.settings import TrackSettings, open_models
from steadymark.models.face.schema import IBUG68_3D

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HELD_BACK, EXACT = "held_back", "exact"
_PARTS = {HELD_BACK: "held-back", EXACT: "exact"}


def measure_3d(
    name: str, data: Path, *, reported: bool, tell: Callable[[str], None]
) -> dict[str, float]:
    """Measure a model as `steadymark evaluate NAME --data DATA/aflw2000 --schema ibug68_3d` does.

    Args:
        name: Name of the model.
        data: The data folder.
        reported: Whether to measure also on the exact faces, which are only reported.
        tell: Called with the name of each part when it begins.

    Returns:
        For each part and source of the boxes, the NME in % of √(w·h) of the landmarks' box (eq. 5
        of local_global) of all found faces and by yaw, and the number of missed faces. What no
        face tells is left out.

    Raises:
        SteadymarkError: The model cannot be opened, or the data folder lacks something.
    """
    settings = TrackSettings(model=name, stabilizer="none", device="cpu", threads=1)
    models = open_models(settings)
    figures: dict[str, float] = {}
    for part in (HELD_BACK, EXACT) if reported else (HELD_BACK,):
        images = LabelledImages(data / "aflw2000", schema=IBUG68_3D, part=_PARTS[part])
        for boxes in (TRUTH, DETECTOR):
            tell(f"{name}: AFLW2000-3D {part}, boxes: {boxes}")
            compared = compare_faces(
                models.network,
                images,
                models.schema,
                detector=models.detector if boxes == DETECTOR else None,
                config=settings.tracker,
                follower=models.follower,
            )
            scores = accuracy_of(compared)
            title = f"aflw2000_3d_{part}_{'true' if boxes == TRUTH else 'our'}_boxes"
            figures[f"{title}_nme_percent_of_box"] = round(scores.nrmse_box_size, 3)
            figures[f"{title}_missed_of_{scores.faces}"] = scores.missed
            for yaw, of_yaw in scores.yaw.items():
                degrees = yaw.replace("°", "").replace(" ", "_")
                figures[f"{title}_yaw_{degrees}_nme_percent_of_box"] = round(
                    of_yaw.nrmse_box_size, 3
                )
    return {name: value for name, value in figures.items() if math.isfinite(value)}
