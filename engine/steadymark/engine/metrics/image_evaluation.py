"""Evaluate a model on labelled images: a folder in 300W form, or another data set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Frame
from steadymark.engine.metrics.accuracy_scores import FacePlace, LandmarkComparison
from steadymark.engine.metrics.landmark_correspondence import (
    Correspondence,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.face_pass import TrackerConfig, align_faces
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.datasets import open_dataset
from steadymark.models.datasets.image_folders import label_files, label_folders, read_label
from steadymark.models.datasets.image_loaders import ImageBesideLabel
from steadymark.models.datasets.labelled_face import check_points
from steadymark.models.errors import DataError
from steadymark.models.face.schema import IBUG68

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.core.types import Landmarks
    from steadymark.engine.tracking.face_pass import LandmarkModel
    from steadymark.models.datasets.labelled_face import LabelledFace
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema

TRUTH, TRUTH_COUNT = IBUG68, 68  # Schema of the ground truth of folders in 300W form.
MOST_FACES = 16  # Faces that are tracked in an image.


class LabelledImage(NamedTuple):
    """An image with the true landmarks of one face.

    Attributes:
        place: The image's name and where it can be read again.
        label: The file, or its line, that holds the landmarks; for messages.
        image: (H, W, 3) uint8 BGR.
        points: True landmarks, (K, 2), in 0-based pixels.
        schema: Their schema; empty for a folder in 300W form, whose files do not name it.
    """

    place: FacePlace
    label: str
    image: Image
    points: Points
    schema: str = ""


class LabelledImages:
    """The labelled images of a data set, which are read one by one.

    One bad image is an error, because a score of a part of a data set is not a score of the data
    set.

    Args:
        data: A folder in 300W form, a folder of such folders, or another data set of labelled
            images, see `open_dataset`.

    Raises:
        UsageError: There are no labelled images, or labels of a list are unusable.
    """

    def __init__(self, data: Path) -> None:
        self._files: list[Path] = []
        self._faces: tuple[LabelledFace, ...] = ()
        self._of_folders = False  # names then begin with the folder's name
        try:
            if data.is_dir() and any(data.glob("*.pts")):
                self._files = label_files(data)
                return
            folders = label_folders(data) if data.is_dir() else []
            if folders and not any(data.glob("*.mat")):
                self._files = [file for folder in folders for file in label_files(folder)]
                self._of_folders = True
                return
            self._faces, defects = open_dataset(data)
        except DataError as error:
            raise UsageError(
                f"{error}: name labelled images, for example a folder in 300W form, with --data"
            ) from error
        if defects:
            raise UsageError(str(defects[0]))

    def __len__(self) -> int:
        return len(self._files) or len(self._faces)

    def __iter__(self) -> Iterator[LabelledImage]:
        """Read each image.

        Raises:
            UsageError: An image or its landmarks are unusable.
            LandmarkFileError: A .pts file cannot be parsed.
        """
        for path in self._files:
            read = _read_300w(path)
            if self._of_folders:
                name = f"{path.parent.name}/{path.stem}"
                read = read._replace(place=read.place._replace(name=name))
            yield read
        for face in self._faces:
            place = FacePlace(face.name, face.name, load_image=face.load_image)
            yield LabelledImage(place, face.name, face.load_image(), face.points, face.schema)


def _read_300w(path: Path) -> LabelledImage:
    try:
        file, image = ImageBesideLabel(path).found()
        points = read_label(path)
        check_points(points, image.shape[1], image.shape[0])
    except ValueError as error:
        raise UsageError(f"{path} {str(error).removeprefix(f'{path} ')}") from error
    return LabelledImage(FacePlace(path.stem, str(file)), str(path), image, points)


def compare_faces(
    network: LandmarkModel,
    images: LabelledImages,
    schema: LandmarkSchema,
    *,
    detector: FaceDetector | None = None,
    config: TrackerConfig | None = None,
    chosen: Correspondence | None = None,
    on_face: Callable[[int], None] = lambda _: None,
    follower: LandmarkModel | None = None,
) -> LandmarkComparison:
    """Predict the landmarks of every labelled face of a data set.

    Without a detector, the model starts from the box of the true landmarks, whatever the face score
    is. With a detector, a tracker processes the image as the first frame of a video. Among at most
    `MOST_FACES` tracked faces, the one that overlaps the true face most is scored; if no tracked
    face overlaps it, the face counts as missed.

    Ground truth of another schema than the model's is compared by the landmarks that both share. In
    a folder in 300W form, 68 landmarks are those of iBUG.

    Args:
        network: Landmark model to evaluate.
        images: The labelled images.
        schema: Landmark schema of the model.
        detector: Face detector; None starts from the true boxes.
        config: Tracker settings; None means the defaults.
        chosen: Which landmarks are scored, and their numbers in the ground truth; None chooses them
            from the schemas.
        on_face: Called with the number of faces done so far.
        follower: Second network for faces that `network` has aligned; see `Tracker`.

    Returns:
        Predicted and true landmarks of all faces.

    Raises:
        UsageError: An image is unusable, or the labelled landmarks do not match the model's.
        LandmarkFileError: A .pts file cannot be parsed.
    """
    config = config or TrackerConfig()
    tracker = _tracker(network, detector, schema, config, follower) if detector else None
    places, found, truths = [], [], []
    no_face = np.full((schema.count, 2), np.nan)
    for place, label, image, truth, named in images:
        theirs = named or (TRUTH if len(truth) == TRUTH_COUNT != schema.count else schema.name)
        if chosen is None and theirs != schema.name:
            chosen = Correspondence.of_schemas(schema.name, theirs)
        truths.append(in_our_numbers(truth, schema, chosen, label))
        predicted = (
            _from_truth(network, image, truth, schema, config, follower)
            if tracker is None
            else _tracked(tracker, image, truth)
        )
        found.append(no_face if predicted is None else predicted.xy_px.astype(np.float64))
        places.append(place)
        on_face(len(places))
    scored = scored_landmarks(schema, chosen)
    return LandmarkComparison(tuple(places), np.stack(found), np.stack(truths), schema, scored)


def _tracker(
    network: LandmarkModel,
    detector: FaceDetector,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None,
) -> Tracker:
    config_for_all = replace(config, max_faces=MOST_FACES)
    return Tracker(detector, network, NoStabilizer(), schema, config_for_all, follower=follower)


def _tracked(tracker: Tracker, image: Image, truth: Points) -> Landmarks | None:
    """Return the landmarks of the tracked face that overlaps the labelled face most."""
    tracker.reset()
    true_box = box_of_landmarks(truth, score=1.0)
    tracked = [face.stabilized for face in tracker.track(Frame(image, 0, 0.0)).faces]
    overlaps = [
        (true_box.iou(box_of_landmarks(each.xy_px, score=1.0)), each)
        for each in tracked
        if each is not None
    ]
    best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def _from_truth(
    network: LandmarkModel,
    image: Image,
    truth: Points,
    schema: LandmarkSchema,
    config: TrackerConfig,
    follower: LandmarkModel | None,
) -> Landmarks | None:
    box = box_of_landmarks(truth, score=1.0)
    any_face = replace(config, find_from=0.0)
    (tracked,) = align_faces(network, image, [box], schema, any_face, follower)
    return None if tracked is None else tracked.stabilized
