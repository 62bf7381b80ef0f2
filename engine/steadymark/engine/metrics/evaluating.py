"""Accuracy of a model on a folder in 300W form: NAME.jpg (or .png) with NAME.pts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.errors import UsageError
from steadymark.engine.geometry import box_of_landmarks
from steadymark.engine.metrics.accuracy import auc, failure_rate, nrmse
from steadymark.engine.tracking import TrackerConfig, align
from steadymark.models.pts_file import read_pts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.ports import FaceDetector
    from steadymark.engine.tracking import LandmarkModel
    from steadymark.engine.types import FaceBox
    from steadymark.models.cropping import Image, Points
    from steadymark.models.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What a model reached on a folder.

    nrmse in % of the outer-eye distance, over the faces found; fr8, fr10: share of all faces
    with an error of 8 (10) % or more, those not found included; auc8: in [0, 1], a face not found
    counts 0. regions: nrmse of each. missed: faces that were not found.
    """

    faces: int
    missed: int
    nrmse: float
    median: float
    fr8: float
    fr10: float
    auc8: float
    regions: dict[str, float]


def labelled(folder: Path) -> Iterator[tuple[str, Image, Points]]:
    """Name, picture (BGR) and landmarks (K, 2), 0-based pixels, of each face of a folder.

    Raises:
        UsageError: the folder has no labelled pictures, or one cannot be read.
    """
    files = sorted(folder.glob("*.pts"))
    if not files:
        raise UsageError(f"no .pts files in {folder}: name a folder in 300W form with --data")
    for path in files:
        pictures = [p for s in (".jpg", ".png") if (p := path.with_suffix(s)).is_file()]
        content = np.fromfile(pictures[0], np.uint8) if pictures else np.zeros(0, np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
        if picture is None:
            raise UsageError(f"{path} has no readable picture (.jpg or .png) beside it")
        yield path.stem, picture.astype(np.uint8, copy=False), read_pts(path)


def evaluate(
    network: LandmarkModel,
    folder: Path,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
    on_face: Callable[[int], None] = lambda _: None,
) -> Accuracy:
    """Align every face as the tracker would a new one.

    It starts from the box of the true landmarks or, where a detector is given, from the detector's
    box that overlaps the true one most.
    """
    config = replace(config or TrackerConfig(), find_from=0.0)
    errors, by_region = [], []
    for number, (_, picture, truth) in enumerate(labelled(folder)):
        box = _box(picture, truth, detector)
        found = None if box is None else align(network, picture, box, schema, config)
        if found is None:
            errors.append(np.nan)
        else:
            xy = found[2].xy_px
            errors.append(float(nrmse(xy, truth)))
            by_region.append(_regions(xy, truth, schema))
        on_face(number + 1)
    values = np.array(errors)
    return Accuracy(
        faces=len(values),
        missed=int(np.isnan(values).sum()),
        nrmse=float(np.nanmean(values)),
        median=float(np.nanmedian(values)),
        fr8=failure_rate(values, 8.0),
        fr10=failure_rate(values, 10.0),
        auc8=auc(values, 8.0),
        regions={n: float(np.mean([r[n] for r in by_region])) for n in schema.regions},
    )


def _regions(xy: Points, truth: Points, schema: LandmarkSchema) -> dict[str, float]:
    right, left = schema.eyes
    eyes = float(np.linalg.norm(truth[right] - truth[left]))
    distance = np.linalg.norm(xy - truth, axis=-1) / eyes * 100
    return {name: float(distance[list(part)].mean()) for name, part in schema.regions.items()}


def _box(picture: Image, truth: Points, detector: FaceDetector | None) -> FaceBox | None:
    true_box = box_of_landmarks(truth, score=1.0)
    if detector is None:
        return true_box
    boxes = [box for box in detector.detect(picture) if box.iou(true_box) > 0]
    return max(boxes, key=true_box.iou) if boxes else None
