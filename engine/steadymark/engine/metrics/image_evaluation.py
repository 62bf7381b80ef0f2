"""Evaluate a model on labelled images: a folder in 300W form, or another data set."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import Frame, Intrinsics, Landmarks
from steadymark.engine.face3d.face_fit import POINTS
from steadymark.engine.face3d.head_pose import head_pose
from steadymark.engine.metrics.accuracy_scores import FacePlace, HeadYaw, LandmarkComparison
from steadymark.engine.metrics.landmark_correspondence import (
    Correspondence,
    correspondence_with_truth,
    in_our_numbers,
    scored_landmarks,
)
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.face_pass import TrackerConfig, align_faces
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.datasets import open_dataset
from steadymark.models.datasets.image_folders import (
    is_two_schemed,
    label_files,
    label_folders,
    read_label,
)
from steadymark.models.datasets.image_loaders import ImageBesideLabel
from steadymark.models.datasets.labelled_face import check_points
from steadymark.models.errors import DataError
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from steadymark.engine.core.protocols import FaceDetector
    from steadymark.engine.metrics.accuracy import Values
    from steadymark.engine.tracking.face_pass import LandmarkModel
    from steadymark.models.datasets.labelled_face import LabelledFace
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema

YAW_GIVEN, YAW_ESTIMATED = "the data set", "the head pose of the true landmarks"
MOST_FACES = 16  # Faces that are tracked in an image.


class LabelledImage(NamedTuple):
    """An image with the true landmarks of one face.

    Attributes:
        place: The image's name and where it can be read again.
        label: The file, or its line, that holds the landmarks; for messages.
        image: (H, W, 3) uint8 BGR.
        points: True landmarks, (K, 2), in 0-based pixels.
        schema: Their schema; empty for a folder in 300W form, whose files do not name it.
        yaw_deg: Yaw of the head in degrees, if the data set tells it.
    """

    place: FacePlace
    label: str
    image: Image
    points: Points
    schema: str = ""
    yaw_deg: float | None = None

    def estimated_yaw_deg(self) -> float:
        """Return the yaw that the data set tells, or that of the head pose of its landmarks.

        Returns:
            The yaw in degrees; NaN if the landmarks are not in iBUG's order.
        """
        if self.yaw_deg is not None:
            return self.yaw_deg
        if len(self.points) != POINTS or self.schema not in ("", *IBUG_ORDER):
            return float("nan")
        scores = np.ones(POINTS, np.float32)
        camera = Intrinsics(self.image.shape[1], self.image.shape[0])
        pose = head_pose(Landmarks(self.points.astype(np.float32), scores), camera)
        return float("nan") if pose is None else math.degrees(pose.rotation_rad[1])


class LabelledImages:
    """The labelled images of a data set, which are read one by one.

    One bad image is an error, because a score of a part of a data set is not a score of the data
    set.

    Args:
        data: A folder in 300W form, a folder of such folders, or another data set of labelled
            images, see `open_dataset`.
        schema: Schema of the landmarks; None takes the usual one.
        part: Part of a data set that has parts, see `open_dataset`.

    Raises:
        UsageError: There are no labelled images, or labels of a list are unusable.
    """

    def __init__(self, data: Path, *, schema: str | None = None, part: str | None = None) -> None:
        self._files: list[Path] = []
        self._faces: tuple[LabelledFace, ...] = ()
        self._schema = schema or ""
        self._of_folders = False  # names then begin with the folder's name
        try:
            if data.is_dir() and any(data.glob("*.pts")) and not is_two_schemed(data):
                self._files = label_files(data)
                return
            folders = label_folders(data) if data.is_dir() else []
            if folders and not any(data.glob("*.mat")):
                self._files = [file for folder in folders for file in label_files(folder)]
                self._of_folders = True
                return
            self._faces, defects = open_dataset(data, schema=schema, part=part)
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
            read = _read_300w(path, self._schema)
            if self._of_folders:
                name = f"{path.parent.name}/{path.stem}"
                read = read._replace(place=read.place._replace(name=name))
            yield read
        for face in self._faces:
            place = FacePlace(face.name, face.name, load_image=face.load_image)
            yield LabelledImage(
                place, face.name, face.load_image(), face.points, face.schema, face.yaw_deg
            )


def _read_300w(path: Path, schema: str) -> LabelledImage:
    try:
        file, image = ImageBesideLabel(path).found()
        points = read_label(path)
        check_points(points, image.shape[1], image.shape[0])
    except ValueError as error:
        raise UsageError(f"{path} {str(error).removeprefix(f'{path} ')}") from error
    return LabelledImage(FacePlace(path.stem, str(file)), str(path), image, points, schema)


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

    Ground truth of another schema than the model's is compared by the landmarks that both share,
    see `correspondence_with_truth`.

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
    read, found, truths = _Faces(), [], []
    no_face = np.full((schema.count, 2), np.nan)
    for face in images:
        if chosen is None:
            chosen = correspondence_with_truth(
                schema, len(face.points), face.label, named=face.schema
            )
        truths.append(in_our_numbers(face.points, schema, chosen, face.label))
        predicted = (
            _from_truth(network, face.image, face.points, schema, config, follower)
            if tracker is None
            else _tracked(tracker, face.image, face.points)
        )
        found.append(no_face if predicted is None else predicted.xy_px.astype(np.float64))
        read.add(face)
        on_face(len(found))
    return LandmarkComparison(
        tuple(read.places),
        np.stack(found),
        np.stack(truths),
        schema,
        scored_landmarks(schema, chosen),
        np.stack(read.boxes_px),
        read.yaw(),
    )


class _Faces:
    """What is kept of each labelled image: where it is, the box of its landmarks, and its yaw."""

    def __init__(self) -> None:
        self.places: list[FacePlace] = []
        self.boxes_px: list[Values] = []
        self._yaw_deg: list[float] = []
        self._is_yaw_given = True

    def add(self, face: LabelledImage) -> None:
        self.places.append(face.place)
        self.boxes_px.append(np.ptp(face.points.astype(np.float64), axis=0))
        self._yaw_deg.append(face.estimated_yaw_deg())
        self._is_yaw_given &= face.yaw_deg is not None

    def yaw(self) -> HeadYaw | None:
        """Return the yaw of all faces; None if it is unknown."""
        yaw_deg = np.array(self._yaw_deg)
        if not np.isfinite(yaw_deg).any():
            return None
        return HeadYaw(yaw_deg, YAW_GIVEN if self._is_yaw_given else YAW_ESTIMATED)


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
