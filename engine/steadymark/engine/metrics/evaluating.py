"""Accuracy of a model on a folder in 300W form: NAME.jpg (or .png) with NAME.pts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.errors import UsageError
from steadymark.engine.geometry import box_of_landmarks
from steadymark.engine.metrics.correspondence import in_our_numbers, scored_landmarks
from steadymark.engine.metrics.scoring import Accuracy, Comparison, Place, accuracy_of
from steadymark.engine.sources.images import read_image
from steadymark.engine.tracking import TrackerConfig, align
from steadymark.models.pts_file import read_pts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.metrics.correspondence import Correspondence
    from steadymark.engine.ports import FaceDetector
    from steadymark.engine.tracking import LandmarkModel
    from steadymark.engine.types import FaceBox
    from steadymark.models.cropping import Image, Points
    from steadymark.models.schema import LandmarkSchema


def labelled(folder: Path) -> Iterator[tuple[Path, Image, Points]]:
    """File and content (BGR) of each picture of a folder, with landmarks (K, 2), 0-based pixels.

    Raises:
        UsageError: the folder has no labelled pictures, or one cannot be read.
    """
    files = sorted(folder.glob("*.pts"))
    if not files:
        raise UsageError(f"no .pts files in {folder}: name a folder in 300W form with --data")
    for path in files:
        pictures = [p for s in (".jpg", ".png") if (p := path.with_suffix(s)).is_file()]
        picture = read_image(pictures[0]) if pictures else None
        if picture is None:
            raise UsageError(f"{path} has no readable picture (.jpg or .png) beside it")
        yield pictures[0], picture, read_pts(path)


def compare(
    network: LandmarkModel,
    folder: Path,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
    chosen: Correspondence | None = None,
    on_face: Callable[[int], None] = lambda _: None,
    follower: LandmarkModel | None = None,
) -> Comparison:
    """Align every face as the tracker would a new one.

    It starts from the box of the true landmarks or, where a detector is given, from the detector's
    box that overlaps the true one most. follower: see Tracker.

    Raises:
        UsageError: as `labelled`, or the landmarks are not those of the model.
    """
    config = replace(config or TrackerConfig(), find_from=0.0)
    places, found, truths = [], [], []
    nothing = np.full((schema.count, 2), np.nan)
    for path, picture, truth in labelled(folder):
        truths.append(in_our_numbers(truth, schema, chosen, str(path.with_suffix(".pts"))))
        box = _box(picture, truth, detector)
        aligned = None if box is None else align(network, picture, box, schema, config, follower)
        found.append(nothing if aligned is None else aligned[2].xy_px.astype(np.float64))
        places.append(Place(path.stem, str(path)))
        on_face(len(places))
    scored = scored_landmarks(schema, chosen)
    return Comparison(tuple(places), np.stack(found), np.stack(truths), schema, scored)


def evaluate(
    network: LandmarkModel,
    folder: Path,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
) -> Accuracy:
    """The accuracy of `compare`."""
    return accuracy_of(compare(network, folder, schema, detector=detector, config=config))


def _box(picture: Image, truth: Points, detector: FaceDetector | None) -> FaceBox | None:
    true_box = box_of_landmarks(truth, score=1.0)
    if detector is None:
        return true_box
    boxes = [box for box in detector.detect(picture) if box.iou(true_box) > 0]
    return max(boxes, key=true_box.iou) if boxes else None
