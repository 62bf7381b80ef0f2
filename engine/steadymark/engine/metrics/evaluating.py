"""Accuracy of a model on a folder in 300W form: NAME.jpg (or .png) with NAME.pts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.errors import UsageError
from steadymark.engine.geometry import box_of_landmarks
from steadymark.engine.looking import TrackerConfig, align
from steadymark.engine.metrics.correspondence import (
    Correspondence,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.engine.metrics.scoring import Accuracy, Comparison, Place, accuracy_of
from steadymark.models.datasets.folders import label_files, read_label
from steadymark.models.datasets.labelled import check_points
from steadymark.models.datasets.pictures import PictureBeside
from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.looking import LandmarkModel
    from steadymark.engine.ports import FaceDetector
    from steadymark.engine.types import FaceBox
    from steadymark.models.cropping import Image, Points
    from steadymark.models.schema import LandmarkSchema

TRUTH, TRUTH_COUNT = "ibug68", 68  # of folders in 300W form


def labelled(folder: Path) -> Iterator[tuple[Path, Image, Points]]:
    """File and content (BGR) of each picture of a folder, with landmarks (K, 2), 0-based pixels.

    Raises:
        UsageError: the folder has no labelled pictures, or one is bad: a score of a part of a data
            set is no score of it.
        LandmarkFileError: a file is no .pts file.
    """
    try:
        files = label_files(folder)
    except DataError as error:
        raise UsageError(
            f"no .pts files in {folder}: name a folder in 300W form with --data"
        ) from error
    for path in files:
        try:
            file, picture = PictureBeside(path).found()
            points = read_label(path)
            check_points(points, picture.shape[1], picture.shape[0])
        except ValueError as error:
            raise UsageError(f"{path} {str(error).removeprefix(f'{path} ')}") from error
        yield file, picture, points


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
    box that overlaps the true one most. follower: see Tracker. Truth of iBUG's 68 landmarks is
    compared with models of other schemas by the landmarks that both share.

    Raises:
        UsageError: as `labelled`, or the landmarks are not those of the model.
    """
    config = replace(config or TrackerConfig(), find_from=0.0)
    places, found, truths = [], [], []
    nothing = np.full((schema.count, 2), np.nan)
    for path, picture, truth in labelled(folder):
        if chosen is None and len(truth) == TRUTH_COUNT != schema.count:
            chosen = Correspondence.of_schemas(schema.name, TRUTH)
        truths.append(in_our_numbers(truth, schema, chosen, str(path.with_suffix(".pts"))))
        box = _box(picture, truth, detector)
        boxes = [] if box is None else [box]
        (aligned,) = align(network, picture, boxes, schema, config, follower) or [None]
        found.append(nothing if aligned is None else aligned.steady.xy_px.astype(np.float64))
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
