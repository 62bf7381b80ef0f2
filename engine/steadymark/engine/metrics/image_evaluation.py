"""Accuracy of a model on a folder in 300W form: NAME.jpg (or .png) with NAME.pts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Frame
from steadymark.engine.metrics.accuracy_scores import (
    AccuracyScores,
    FacePlace,
    LandmarkComparison,
    accuracy_of,
)
from steadymark.engine.metrics.landmark_correspondence import (
    Correspondence,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.engine.stabilizers.online_filters import NoStabilizer
from steadymark.engine.tracking.face_pass import TrackerConfig, align_faces
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.datasets.image_folders import label_files, read_label
from steadymark.models.datasets.image_loaders import ImageBesideLabel
from steadymark.models.datasets.labelled_face import check_points
from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.core.types import Landmarks
    from steadymark.engine.tracking.face_pass import LandmarkModel
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema

TRUTH, TRUTH_COUNT = "ibug68", 68  # of folders in 300W form
MOST_FACES = 16  # looked for in a picture, the most that a user can track


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
            file, picture = ImageBesideLabel(path).found()
            points = read_label(path)
            check_points(points, picture.shape[1], picture.shape[0])
        except ValueError as error:
            raise UsageError(f"{path} {str(error).removeprefix(f'{path} ')}") from error
        yield file, picture, points


def compare_faces(
    network: LandmarkModel,
    folder: Path,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
    chosen: Correspondence | None = None,
    on_face: Callable[[int], None] = lambda _: None,
    follower: LandmarkModel | None = None,
) -> LandmarkComparison:
    """Find the landmarks of every labelled face.

    Without a detector they start from the box of the true landmarks, whatever the face score is.
    With one, a tracker looks at the picture as at the first frame of a video, and of the faces that
    it tells, at most `MOST_FACES`, the one that overlaps the true one most counts; a face that it
    does not take for one is missed.

    follower: see Tracker. Truth of iBUG's 68 landmarks is compared with models of other schemas by
    the landmarks that both share.

    Raises:
        UsageError: as `labelled`, or the landmarks are not those of the model.
    """
    config = config or TrackerConfig()
    tracker = _tracker(network, detector, schema, config, follower) if detector else None
    places, found, truths = [], [], []
    nothing = np.full((schema.count, 2), np.nan)
    for path, picture, truth in labelled(folder):
        if chosen is None and len(truth) == TRUTH_COUNT != schema.count:
            chosen = Correspondence.of_schemas(schema.name, TRUTH)
        truths.append(in_our_numbers(truth, schema, chosen, str(path.with_suffix(".pts"))))
        told = (
            _from_truth(network, picture, truth, schema, config, follower)
            if tracker is None
            else _tracked(tracker, picture, truth)
        )
        found.append(nothing if told is None else told.xy_px.astype(np.float64))
        places.append(FacePlace(path.stem, str(path)))
        on_face(len(places))
    scored = scored_landmarks(schema, chosen)
    return LandmarkComparison(tuple(places), np.stack(found), np.stack(truths), schema, scored)


def evaluate(
    network: LandmarkModel,
    folder: Path,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
) -> AccuracyScores:
    """The accuracy of `compare_faces`."""
    return accuracy_of(compare_faces(network, folder, schema, detector=detector, config=config))


def _tracker(
    network: LandmarkModel,
    detector: FaceDetector,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None,
) -> Tracker:
    every = replace(config, max_faces=MOST_FACES)
    return Tracker(detector, network, NoStabilizer(), schema, every, follower=follower)


def _tracked(tracker: Tracker, picture: Image, truth: Points) -> Landmarks | None:
    """Of all faces in a picture the one that overlaps the labelled one most."""
    tracker.reset()
    true_box = box_of_landmarks(truth, score=1.0)
    seen = [face.stabilized for face in tracker.track(Frame(picture, 0, 0.0)).faces]
    shared = [
        (true_box.iou(box_of_landmarks(each.xy_px, score=1.0)), each)
        for each in seen
        if each is not None
    ]
    best = max(shared, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def _from_truth(
    network: LandmarkModel,
    picture: Image,
    truth: Points,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None,
) -> Landmarks | None:
    box = box_of_landmarks(truth, score=1.0)
    any_face = replace(config, find_from=0.0)
    (seen,) = align_faces(network, picture, [box], schema, any_face, follower)
    return None if seen is None else seen.steady
