"""Held-back faces with and without occluders, to fit and to measure the scores of landmarks."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.pts_file import read_pts
from steadymark.models.synthesis.conditions.known_occlusion import OCCLUDERS, occlude
from steadymark.models.synthesis.hard_variants import hard_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

PLAIN = "plain"
EXACT_VERSIONS = ("rolled", "dark", "40 px")
"""The versions of `hard_variants` whose landmarks are those of the photo, exactly."""
KINDS = (PLAIN, *OCCLUDERS, *EXACT_VERSIONS)
FIT, MEASURE, TRAIN = "fit", "measure", "train"
_SHARE_TO_FIT = 0.5
_MOST_TEXTURES = 150


class ScoreFace(NamedTuple):
    """A face image whose hidden landmarks are known.

    Attributes:
        kind: One of `KINDS`.
        name: Name of the photo.
        image: (H, W, 3) uint8 BGR.
        points: (68, 2) true landmarks in pixels.
        hidden: (68,) bool, True where an occluder hides the landmark.
    """

    kind: str
    name: str
    image: Image
    points: Points
    hidden: NDArray[np.bool_]


def score_files(data: Path, part: str) -> list[Path]:
    """Return the .pts files of a part of 300w/train.

    Args:
        data: The data folder.
        part: `train` for the photos that trainings use. The photos that are held back from them are
            `fit` or `measure`, so that a calibration is not measured on the photos of its fit.

    Raises:
        DataError: The part has no faces.
    """
    files = [
        path
        for path in sorted((data / "300w" / "train").glob("*.pts"))
        if part_of(photo_of(path.stem)) == part
    ]
    if not files:
        raise DataError(
            f"{data / '300w' / 'train'} holds no photos to {part} scores with: name the data "
            "folder that contains 300w"
        )
    return files


def part_of(photo: str) -> str:
    """Return the part of 300w/train that a photo belongs to, see `score_files`."""
    if not is_held_back(photo, HELD_BACK["train"]):
        return TRAIN
    return FIT if is_held_back(f"scores/{photo}", _SHARE_TO_FIT) else MEASURE


def score_faces(
    files: Sequence[Path], kinds: Sequence[str], textures: Sequence[Image]
) -> Iterator[ScoreFace]:
    """Yield each face of some files in each kind; the result is always the same.

    Args:
        files: .pts files with a .jpg image beside each.
        kinds: Some of `KINDS`.
        textures: Photos for the occluders of the kind `photo`.

    Raises:
        DataError: An image or its landmarks cannot be read.
    """
    for file in files:
        image, points = _read(file)
        for kind in kinds:
            seed = zlib.crc32(f"{kind}/{file.stem}".encode())
            shown, moved, hidden = image, points, np.zeros(len(points), np.bool_)
            if kind in OCCLUDERS:
                rng = np.random.default_rng(seed)
                shown, hidden = occlude(kind, image, points, textures, rng)
            elif kind != PLAIN:
                shown, moved = hard_version(kind, image, points, seed)
            yield ScoreFace(kind, file.stem, shown, moved, hidden)


def occluder_textures(data: Path, files: Sequence[Path]) -> list[Image]:
    """Return photos for the occluders of the kind `photo`.

    Args:
        data: The data folder; photos of faces/none that are held back are used if there are any.
        files: .pts files of faces that are used beside them.
    """
    photos = sorted((data / "faces" / "none").glob("*.jpg"))
    photos = [path for path in photos if is_held_back(path.stem, HELD_BACK["none"])]
    chosen = [*photos[:_MOST_TEXTURES], *(file.with_suffix(".jpg") for file in files)]
    images = (cv2.imread(str(path)) for path in chosen[: 2 * _MOST_TEXTURES])
    return [image.astype(np.uint8, copy=False) for image in images if image is not None]


def _read(file: Path) -> tuple[Image, Points]:
    image = cv2.imread(str(file.with_suffix(".jpg")))
    if image is None:
        raise DataError(f"{file.with_suffix('.jpg')} cannot be read: the data are not complete")
    points = read_pts(file)
    if len(points) != 68:
        raise DataError(f"{file} holds {len(points)} landmarks: 68 are needed")
    return image.astype(np.uint8, copy=False), points
