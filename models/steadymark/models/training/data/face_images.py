"""Labelled faces in memory, with a fixed validation split."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.datasets import LabelledFace, open_dataset
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back
from steadymark.models.errors import DataError
from steadymark.models.face.crop import Crop, cut, inverse, transform
from steadymark.models.face.schema import IBUG68, IBUG68_3D, load_schema

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points

SIDE_OF_EXTENT = (
    1.9  # side of the kept part of a large image / longer side of the landmarks' extent
)
MAX_SIDE_PX = 320  # largest side of that part, pixels
MIN_HELD_BACK = 12  # least number of photos held back, if _SHARE_OF_FEW allows it
_SHARE_OF_FEW = 0.15  # largest share held back of a data set with few photos
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FaceImages:
    """N labelled faces in memory.

    Attributes:
        names: Name of each face.
        photos: Photo or video that each face comes from.
        images: N images (H, W, 3) uint8 BGR.
        points: (N, K, 2) landmarks in pixels.
    """

    names: tuple[str, ...]
    photos: tuple[str, ...]
    images: tuple[Image, ...]
    points: Points

    def __len__(self) -> int:
        return len(self.names)

    def subset(self, keep: list[int]) -> FaceImages:
        """Return the faces at these indices."""
        return FaceImages(
            tuple(self.names[i] for i in keep),
            tuple(self.photos[i] for i in keep),
            tuple(self.images[i] for i in keep),
            self.points[keep],
        )


def load_faces(path: Path, schema: str, part: str | None = None) -> FaceImages:
    """Load any data set of `open_dataset` into memory; bad labels are logged and left out.

    If an image is much larger than its face, only the part around the face is kept, at most KEPT_PX
    wide.

    Args:
        path: The data set.
        schema: Schema to which the landmarks are converted.
        part: Part of a data set that has parts, see `open_dataset`.

    Raises:
        DataError: No face is left, or faces lack landmarks of the schema.
    """
    load_schema(schema)
    labelled, defects = open_dataset(path, schema=None if part is None else schema, part=part)
    if not labelled and schema != IBUG68:  # .pts files do not contain their schema
        labelled, defects = open_dataset(path, schema=schema)
    for defect in defects:
        _log.warning("left out: %s", defect)
    if not labelled:
        raise DataError(f"{path} holds no face that can be read: {defects[0]}")
    mapped = [face if face.schema == schema else _mapped(face, schema) for face in labelled]
    lacking = [face for face in mapped if not np.isfinite(face.points).all()]
    if lacking:
        missing = int((~np.isfinite(lacking[0].points).all(1)).sum())
        raise DataError(
            f"{len(lacking)} of the {len(mapped)} faces in {path} lack landmarks of {schema} "
            f"({lacking[0].name}: {missing}): take a data set that has them all"
        )
    images_and_points = [_cut_around_face(face) for face in mapped]
    return FaceImages(
        tuple(face.name for face in mapped),
        tuple(face.source_photo for face in mapped),
        tuple(image for image, _ in images_and_points),
        np.stack([points for _, points in images_and_points]),
    )


def _mapped(face: LabelledFace, schema: str) -> LabelledFace:
    """Return a face in another schema; a hidden jaw is not taken for a visible edge."""
    return face.mapped(schema, exact=IBUG68_3D in (face.schema, schema))


def _cut_around_face(face: LabelledFace) -> tuple[Image, Points]:
    """Return the image around a face and the landmarks in it; small images are kept whole."""
    image = face.load_image()
    low, high = face.points.min(0), face.points.max(0)
    side = SIDE_OF_EXTENT * float((high - low).max())
    if max(image.shape[:2]) <= max(1.5 * side, MAX_SIDE_PX):
        return image, face.points
    size = min(MAX_SIDE_PX, max(1, round(side)))
    x, y = (low + high) / 2
    matrix = Crop(float(x), float(y), side).matrix_to_image(size)
    return cut(image, matrix, size), transform(inverse(matrix), face.points)


def load_backgrounds(folder: Path) -> tuple[Image, ...]:
    """Load all .jpg images of a folder as BGR."""
    images = (cv2.imread(str(f), cv2.IMREAD_COLOR) for f in sorted(folder.glob("*.jpg")))
    return tuple(p.astype(np.uint8, copy=False) for p in images if p is not None)


def split(faces: FaceImages) -> tuple[FaceImages, FaceImages]:
    """Split faces into training and validation faces; faces of one photo stay together.

    The photo's name decides, so the split is the same on every machine. If a data set has few
    photos, a greater share is held back.
    """
    photos = sorted(set(faces.photos), key=_digest)
    held_back = {photo for photo in photos if is_held_back(photo, HELD_BACK["train"])}
    if len(held_back) < MIN_HELD_BACK:
        held_back = (
            set(photos[: min(MIN_HELD_BACK, round(_SHARE_OF_FEW * len(photos)))]) | held_back
        )
        held_back = held_back or set(photos[:1])
    return (
        faces.subset([i for i, photo in enumerate(faces.photos) if photo not in held_back]),
        faces.subset([i for i, photo in enumerate(faces.photos) if photo in held_back]),
    )


def _digest(photo: str) -> bytes:
    return hashlib.sha256(photo.encode()).digest()
