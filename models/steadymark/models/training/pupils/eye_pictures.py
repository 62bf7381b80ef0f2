"""Pictures of single eyes with their lids and pupils, cut out of photos of faces."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from steadymark.models.datasets.photo_splits import is_held_back, photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.crop import cut, fit_crop, inverse, transform
from steadymark.models.face.eye_crop import EYES, eye_crops
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import DEFAULT_MODEL, find_model
from steadymark.models.training.detector.detector_photos import LabelTeacher
from steadymark.models.training.landmarks.further_faces import first_points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

HELD_BACK = 0.25  # share of the photos that is never trained on, by a hash of the photo's name
PICTURE = 96  # side of the square pictures, pixels
PICTURE_MARGIN = 2.4  # side of the picture, as a multiple of the wider eye's width
EYE_SCALE = PICTURE / PICTURE_MARGIN  # width of the wider eye in a picture, pixels
CLOSED_BELOW, OPEN_ABOVE = 0.07, 0.22  # distance of the lids, as a share of the eye's width


@dataclass(frozen=True, slots=True, eq=False)
class EyePicture:
    """An eye, shown as the person's right eye.

    Attributes:
        name: Name of the photo.
        eye: 0 for the person's right eye, 1 for the left.
        image: (PICTURE, PICTURE) uint8 grey.
        lids: (6, 2) float32 landmarks of the eye in pixels of the picture, see `RIGHT_EYE`.
        pupil: (2,) float32 centre of the pupil in pixels of the picture; NaN if it is not known.
    """

    name: str
    eye: int
    image: Image
    lids: Points
    pupil: Points

    @property
    def opening(self) -> float:
        """Distance of the lids as a share of the wider eye's width."""
        upper, lower = self.lids[1:3].mean(0), self.lids[4:6].mean(0)
        return float(np.hypot(*(upper - lower))) / EYE_SCALE

    @property
    def is_labelled(self) -> bool:
        """Whether the pupil is known."""
        return bool(np.isfinite(self.pupil).all())


def eye_pictures(
    name: str, image: Image, points: Points, pupils: NDArray[np.floating] | None = None
) -> tuple[EyePicture, EyePicture]:
    """Cut both eyes out of a photo.

    Args:
        name: Name of the photo.
        image: (H, W, 3) uint8 BGR photo.
        points: (68, 2) landmarks in iBUG's order, pixels.
        pupils: (2, 2) centres of the right and the left pupil, pixels; None if not known.

    Returns:
        The right and the left eye.
    """
    pictures = []
    for eye, crop in enumerate(eye_crops(points, margin=PICTURE_MARGIN, size=PICTURE)):
        back = inverse(crop.to_image)
        grey = cv2.cvtColor(cut(image, crop.to_image, PICTURE), cv2.COLOR_BGR2GRAY)
        known = np.full(2, np.nan) if pupils is None else pupils[eye]
        lids, pupil = transform(back, points[list(EYES[eye])]), transform(back, known)
        pictures.append(EyePicture(name, eye, grey.astype(np.uint8, copy=False), lids, pupil))
    return pictures[0], pictures[1]


def labelled_eyes(data: Path, *, held_back: bool) -> list[EyePicture]:
    """Return the eyes of faces/unlabelled/pupils.csv, whose pupils are known.

    Args:
        data: The data folder.
        held_back: Return the held-back part instead of the training part.

    Raises:
        DataError: The table is missing or holds no face.
    """
    folder = data / "faces" / "unlabelled"
    pupils = read_pupils(folder / "pupils.csv")
    names = [name for name in sorted(pupils) if is_held_back(name, HELD_BACK) == held_back]
    found = [
        eye
        for name, image, points in _with_landmarks(data, [folder / name for name in names])
        for eye in eye_pictures(name, image, points, pupils[name])
    ]
    if not found:
        raise DataError(f"{folder} holds no picture of pupils.csv: copy the data folder again")
    return found


def unlabelled_eyes(data: Path) -> list[EyePicture]:
    """Return the eyes of the photos of UTKFace in faces/unlabelled, whose pupils are unknown."""
    files = sorted((data / "faces" / "unlabelled").glob("utk_*.jpg"))
    return [
        eye
        for name, image, points in _with_landmarks(data, files)
        for eye in eye_pictures(name, image, points)
    ]


def annotated_eyes(data: Path, *, held_back: bool) -> list[EyePicture]:
    """Return the eyes of 300w/train, whose lids were labelled by hand, with unknown pupils.

    Args:
        data: The data folder.
        held_back: Return the held-back part instead of the training part.
    """
    found: list[EyePicture] = []
    for file in sorted((data / "300w" / "train").glob("*.pts")):
        if is_held_back(photo_of(file.stem), HELD_BACK) != held_back:
            continue
        image = cv2.imread(str(file.with_suffix(".jpg")))
        if image is not None:
            points = read_pts(file).astype(np.float32)
            found += eye_pictures(file.stem, image.astype(np.uint8, copy=False), points)
    return found


def read_pupils(table: Path) -> dict[str, NDArray[np.float64]]:
    """Read the centres of pupils.

    Args:
        table: CSV file with the columns file, left_x, left_y, right_x and right_y, where left and
            right are those of the picture.

    Returns:
        (2, 2) centres of the person's right and left pupil in 0-based pixels, by file name.

    Raises:
        DataError: The table cannot be read, or a row is malformed.
    """
    columns = ("left_x", "left_y", "right_x", "right_y")
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return {
                row["file"]: np.array([float(row[c]) for c in columns]).reshape(2, 2)
                for row in csv.DictReader(file)
            }
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise DataError(
            f"{table} cannot be read ({error}): give columns file, {', '.join(columns)}"
        ) from error


def _with_landmarks(data: Path, files: Iterable[Path]) -> Iterator[tuple[str, Image, Points]]:
    """Yield the photos that show one certain face, with the landmarks of the default model."""
    yunet = LabelTeacher(data / "detectors" / "yunet_n_dynamic.onnx")
    network = LandmarkNetwork(find_model(DEFAULT_MODEL, "landmarks"), device="cpu")
    schema, card = load_schema(network.card.schema), network.card
    for file in files:
        read = cv2.imread(str(file))
        if read is None:
            continue
        image = read.astype(np.uint8, copy=False)
        points = first_points(image, yunet, network)
        if points is None:
            continue
        crop = fit_crop(points, schema.mean_shape, margin=card.margin)
        matrix = crop.matrix_to_image(card.crop)
        found = network.step(cut(image, matrix, card.crop)[None]).points[0]
        yield file.name, image, transform(matrix, found)


def as_tensors(eyes: list[EyePicture]) -> dict[str, Any]:
    """Return eyes as the content of a checkpoint."""
    images = np.array([eye.image for eye in eyes], np.uint8).reshape(-1, PICTURE, PICTURE)
    lids = np.array([eye.lids for eye in eyes], np.float32).reshape(-1, 6, 2)
    pupils = np.array([eye.pupil for eye in eyes], np.float32).reshape(-1, 2)
    parts = {"images": images, "lids": lids, "pupils": pupils}
    tensors: dict[str, Any] = {name: torch.from_numpy(part) for name, part in parts.items()}
    return {"names": [f"{eye.eye}{eye.name}" for eye in eyes], **tensors}


def from_tensors(content: dict[str, Any]) -> list[EyePicture]:
    """Return the eyes of `as_tensors`."""
    parts = (content[name].numpy() for name in ("images", "lids", "pupils"))
    return [
        EyePicture(re.sub("^[01]", "", name), int(name[0]), *each)
        for name, *each in zip(content["names"], *parts, strict=True)
    ]
