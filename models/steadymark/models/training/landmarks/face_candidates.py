"""Crops of faces and of background that the face score of a landmark network is fitted on.

The crops are those that the tracker sees: boxes of the face detector, most of them with low scores,
re-centred by the network's own landmarks. Photos that `hard_faces` and `photo_splits` hold back
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.datasets.hard_faces import hard_photos, is_for_training, turned_faces
from steadymark.models.datasets.photo_splits import photos
from steadymark.models.errors import DataError
from steadymark.models.face.brightness import brighten_crops
from steadymark.models.face.crop import Crop, cut, fit_crop, transform
from steadymark.models.face.landmark_boxes import (
    CROWDS_TO_EXTENT,
    landmark_box,
    overlaps,
    suppress,
    widen,
)
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.detector_input import fit_frame
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_session
from steadymark.models.runtime.zoo import find_model
from steadymark.models.synthesis.hard_variants import VERSIONS, hard_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.runtime.zoo import ModelCard

    Floats = NDArray[np.float32]

_LEAST_SCORE = 0.05  # of a detected box
_MOST_IOU = 0.4  # overlap from which two boxes are one
_TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
_MOST_OF_BACKGROUND, _MOST_OF_CROWD, _MOST_OF_FACE = 8, 10, 3  # boxes of one image
_RIGHT, _WRONG = 0.10, 0.25  # mean error of landmarks, as a share of the face's longer side
_ON_FACE, _IN_CROWD, _BESIDE = 0.15, 0.45, 0.05  # overlaps of the landmarks' extent with a face
_TURNED_VERSIONS = ("occluded", "dark", "40 px")


class FaceCrops(NamedTuple):
    """Crops of one image.

    Attributes:
        photo: Name of the photo.
        is_background: Whether the photo shows no face at all.
        crops: (n, 3, F, F) uint8 BGR.
        is_face: (n,) bool: whether the landmarks in the crop are those of a face.
    """

    photo: str
    is_background: bool
    crops: Image
    is_face: NDArray[np.bool_]


class _Truth(NamedTuple):
    """What is known of an image: landmarks (K, 2) of its face, or boxes (n, 4) of all faces."""

    points: Points | None
    boxes: Floats


_NO_FACE = _Truth(None, np.zeros((0, 4), np.float32))


@dataclass(frozen=True, slots=True)
class _Photo:
    name: str
    image: Image
    truth: _Truth
    turns: Sequence[int | None]
    most: int


def face_crops(data: Path, card: ModelCard, seed: int) -> Iterator[FaceCrops]:
    """Yield crops of all training photos.

    Args:
        data: The data folder.
        card: The landmark network; its landmarks must be those of ibug68.
        seed: Seed of the versions of the photos and of their orientations.

    Raises:
        DataError: The data folder lacks photos without faces, or photos with faces.
        WeightsError: A model cannot be opened.
    """
    search = _CandidateSearch(card)
    backgrounds, faces = 0, 0
    for photo in _photos(data, np.random.default_rng(seed)):
        crops = search.crops_of(photo)
        background = photo.truth is _NO_FACE
        backgrounds, faces = backgrounds + background, faces + (not background)
        if crops is not None:
            yield FaceCrops(photo.name, background, *crops)
    if not backgrounds or not faces:
        raise DataError(f"{data} needs faces/none and 300w/train: copy the data folder again")


def _photos(data: Path, rng: np.random.Generator) -> Iterator[_Photo]:
    folder = data / "faces"
    if (folder / "none").is_dir():
        for name in photos(data, "none", held_back=False):
            image = _read(folder / "none" / name)
            yield _Photo(name, image, _NO_FACE, (None, *_TURNS), _MOST_OF_BACKGROUND)
    if (folder / "crowds").is_dir():
        for name, boxes in photos(data, "crowds", held_back=False).items():
            truth = _Truth(None, widen(boxes, CROWDS_TO_EXTENT))
            yield _Photo(name, _read(folder / "crowds" / name), truth, (None,), _MOST_OF_CROWD)
    hard, versions = hard_photos(data), ("plain", *VERSIONS)
    for number, path in enumerate(sorted((data / "300w" / "train").glob("*.pts"))):
        if is_for_training(path.stem, hard):
            yield _version(path, versions[number % len(versions)], number, rng)
    for number, stem in enumerate(sorted(turned_faces(data, held_back=False))):
        path = data / "aflw2000" / f"{stem}.pts"
        yield _version(path, "plain", number, rng)
        yield _version(path, _TURNED_VERSIONS[number % len(_TURNED_VERSIONS)], number, rng)


def _version(path: Path, kind: str, number: int, rng: np.random.Generator) -> _Photo:
    """Return a version of a photo, in its own and in other orientations."""
    image, points = _read(path.with_suffix(".jpg")), read_pts(path).astype(np.float32)
    if kind != "plain":
        image, points = hard_version(kind, image, points, number)
    truth = _Truth(points, landmark_box(points)[None])
    turns = _TURNS if kind == "rolled" else (_TURNS[int(rng.integers(len(_TURNS)))],)
    return _Photo(path.stem, image, truth, (None, *turns), _MOST_OF_FACE)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise DataError(f"{path} cannot be read: copy the data folder again")
    return image.astype(np.uint8, copy=False)


class _CandidateSearch:
    """Finds places that the detector takes for faces, even if it is very unsure."""

    def __init__(self, card: ModelCard) -> None:
        self._detector = open_session(find_model("face_net", "face_detector"), device="cpu")
        self._network = LandmarkNetwork(card, device="cpu")
        self._mean_shape = load_schema(card.schema).mean_shape

    def crops_of(self, photo: _Photo) -> tuple[Image, NDArray[np.bool_]] | None:
        """Return the crops (n, 3, F, F) of a photo whose label is certain, and the labels."""
        found = [crop for turn in photo.turns for crop in self._boxes(photo, turn)]
        if not found:
            return None
        first = self._run(photo.image, found)
        margin = self._network.card.margin
        centred = [fit_crop(points, self._mean_shape, margin=margin) for points in first]
        labels = [_is_face(p, photo.truth) for p in self._run(photo.image, centred)]
        kept = [i for i, label in enumerate(labels) if label is not None]
        size = self._network.card.crop
        if not kept:
            return None
        parts = [cut(photo.image, centred[i].matrix_to_image(size), size) for i in kept]
        planes = brighten_crops(np.stack(parts)).transpose(0, 3, 1, 2)
        return np.ascontiguousarray(planes), np.array([labels[i] for i in kept])

    def _boxes(self, photo: _Photo, turn: int | None) -> list[Crop]:
        """Return the crops of the best boxes in one orientation of the image."""
        image = photo.image if turn is None else np.ascontiguousarray(cv2.rotate(photo.image, turn))
        fitted = fit_frame(image.astype(np.uint8, copy=False))
        rows = self._detector(["boxes"], image=fitted.planes)[0]
        rows = rows[rows[:, 4] >= _LEAST_SCORE]
        rows[:, :4] = fitted.to_frame(rows[:, :4])
        kept = suppress(rows, _MOST_IOU)[: photo.most]
        return [self._crop(row, photo.image, turn) for row in rows[kept]]

    def _crop(self, row: Floats, image: Image, turn: int | None) -> Crop:
        """Return the crop of a box of the turned image, in pixels of the image itself."""
        height, width = image.shape[:2]
        x, y = float(row[0] + row[2]) / 2, float(row[1] + row[3]) / 2
        side = self._network.card.margin * float(max(row[2] - row[0], row[3] - row[1]))
        roll = float(row[5])
        if turn == cv2.ROTATE_180:
            return Crop(width - 1 - x, height - 1 - y, side, roll + 180)
        if turn == cv2.ROTATE_90_CLOCKWISE:
            return Crop(y, height - 1 - x, side, roll - 90)
        if turn == cv2.ROTATE_90_COUNTERCLOCKWISE:
            return Crop(width - 1 - y, x, side, roll + 90)
        return Crop(x, y, side, roll)

    def _run(self, image: Image, crops: Sequence[Crop]) -> list[Points]:
        """Return the landmarks (K, 2) in the image that the network gives to each crop."""
        size = self._network.card.crop
        matrices = [crop.matrix_to_image(size) for crop in crops]
        parts = np.stack([cut(image, matrix, size) for matrix in matrices])
        points = self._network.step(parts).points
        return [
            transform(matrix, xy).astype(np.float32)
            for matrix, xy in zip(matrices, points, strict=True)
        ]


def _is_face(points: Points, truth: _Truth) -> bool | None:
    """Return whether landmarks are those of a face; None if that is not certain."""
    if truth is _NO_FACE:
        return False
    share = float(overlaps(landmark_box(points), truth.boxes).max(initial=0.0))
    if truth.points is None:
        return True if share > _IN_CROWD else False if share < _BESIDE else None
    error = np.linalg.norm(points - truth.points, axis=1).mean()
    error /= np.ptp(truth.points, axis=0).max()
    if error < _RIGHT:
        return True
    # another face of the photo may have no label, but landmarks on this face are wrong
    return False if error > _WRONG and share > _ON_FACE else None
