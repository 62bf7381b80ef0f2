"""Difficult training faces for face_net: real and synthetic turned heads, pseudo-labelled faces.

Faces that `hard_faces` and `photo_splits` hold back are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.datasets.hard_faces import hard_photos, is_for_training, turned_faces
from steadymark.models.face.crop import fit_crop
from steadymark.models.face.landmark_boxes import YUNET_TO_EXTENT, landmark_box, widen
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.faces.head_rotation import turn_head
from steadymark.models.training.detector.detector_photos import (
    DetectorPhoto,
    Floats,
    LabelTeacher,
    PhotoFace,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

    from steadymark.models.face.crop import Image, Points

_MIN_TEACHER_SCORE = 0.85  # least teacher score at which its box counts as a face
_BORDER_SHARE = (
    0.35  # border added to tightly cropped images for the teacher, as a share of their size
)
_JPEG_QUALITY = 92  # JPEG quality of synthetic images


def load_turned(data: Path) -> list[DetectorPhoto]:
    """Load the training part of aflw2000; boxes come from the landmarks of the visible face."""
    folder = data / "aflw2000"
    return [
        DetectorPhoto(np.fromfile(folder / f"{stem}.jpg", np.uint8), (_face(points),))
        for stem in turned_faces(data, held_back=False)
        for points in [read_pts(folder / f"{stem}.pts").astype(np.float32)]
    ]


def load_unlabelled(data: Path) -> list[DetectorPhoto]:
    """Load the images of faces/unlabelled in which the teacher finds exactly one certain face.

    The result is empty if the folder or the teacher is missing.
    """
    model = data / "detectors" / "yunet_n_dynamic.onnx"
    folder = data / "faces" / "unlabelled"
    if not model.is_file() or not folder.is_dir():
        return []
    teacher = LabelTeacher(model)
    found = (_pseudo_labelled(path, teacher) for path in sorted(folder.glob("*.jpg")))
    return [photo for photo in found if photo is not None]


def _pseudo_labelled(path: Path, teacher: LabelTeacher) -> DetectorPhoto | None:
    jpeg = np.fromfile(path, np.uint8)
    face = single_face(DetectorPhoto(jpeg).image(), teacher, _MIN_TEACHER_SCORE)
    return None if face is None else DetectorPhoto(jpeg, (face,))


def single_face(image: Image, teacher: LabelTeacher, least_score: float) -> PhotoFace | None:
    """Return the only face that the teacher finds in an image, with its box and roll.

    Args:
        image: (H, W, 3) uint8 BGR, which the face may fill; a border is added for the teacher.
        teacher: The detector.
        least_score: Least score of the teacher.

    Returns:
        The face; None if there are several, or if it is not certain.
    """
    height, width = image.shape[:2]
    border = round(_BORDER_SHARE * max(height, width))
    padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_CONSTANT)
    rows = teacher.rows(padded.astype(np.uint8, copy=False))
    if len(rows) != 1 or rows[0, 14] < least_score:
        return None
    row = rows[0]
    box = np.array([row[0], row[1], row[0] + row[2], row[1] + row[3]], np.float32) - border
    roll = math.degrees(math.atan2(row[7] - row[5], row[6] - row[4]))
    return PhotoFace(widen(box, YUNET_TO_EXTENT), None, roll)


def make_profiled(data: Path, count: int, seed: int) -> list[DetectorPhoto]:
    """Make `count` images of 300w/train whose heads are turned by up to 60 degrees and pitched.

    Args:
        data: The data folder.
        count: Number of images to try; photos that cannot be read are skipped.
        seed: Seed of the photos and of the angles.
    """
    hard = hard_photos(data)
    files = [
        path
        for path in sorted((data / "300w" / "train").glob("*.pts"))
        if is_for_training(path.stem, hard)
    ]
    photos: list[DetectorPhoto] = []
    for number in range(count if files else 0):
        rng = np.random.default_rng((seed, number))
        path = files[int(rng.integers(len(files)))]
        image = cv2.imread(str(path.with_suffix(".jpg")))
        if image is not None:
            photos.append(_profiled(image.astype(np.uint8, copy=False), read_pts(path), rng))
    return photos


def _profiled(image: Image, points: Points, rng: Generator) -> DetectorPhoto:
    turned, visible_points = turn_head(image, points, *draw_turn(points, rng))
    encoded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return DetectorPhoto(encoded.astype(np.uint8, copy=False).ravel(), (_face(visible_points),))


def draw_turn(points: Points, rng: Generator) -> tuple[float, float]:
    """Draw the yaw and pitch in degrees by which a head is turned.

    A head that is already turned is turned further to the same side, because the photo does not
    show the other side.

    Args:
        points: (68, 2) iBUG landmarks.
        rng: Makes all random choices.
    """
    yaw = float(rng.uniform(15, 60)) * (1 if rng.random() < 0.5 else -1)
    left, right = (float(np.linalg.norm(points[30] - points[i])) for i in (2, 14))
    if left > 1.3 * right:
        yaw = abs(yaw)
    elif right > 1.3 * left:
        yaw = -abs(yaw)
    return yaw, float(np.clip(rng.normal(0, 18), -40, 40))


def _face(points: Floats) -> PhotoFace:
    roll = fit_crop(points, load_schema(IBUG68).mean_shape, margin=1).roll_deg
    return PhotoFace(landmark_box(points), points, roll)
