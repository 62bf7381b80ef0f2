"""Harder faces for face_net: turned heads, real and made, and faces that only the teacher labels.

Faces that `hard_faces` and `splits` hold back are in none of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.datasets.hard_faces import hard_photos, turned_faces
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of
from steadymark.models.face.crop import fit_crop
from steadymark.models.face.landmark_boxes import YUNET_TO_EXTENT, landmark_box, widen
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import load_schema
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

_SURE = 0.85  # the teacher's score from which its box is taken for a face
_PADDED = 0.35  # border laid round a tight picture before the teacher looks, shares of its size
_QUALITY = 92  # of the JPEG files that made pictures are kept as


def load_turned(data: Path) -> list[DetectorPhoto]:
    """The training part of aflw2000, with its landmarks of the visible face."""
    folder = data / "aflw2000"
    return [
        DetectorPhoto(np.fromfile(folder / f"{stem}.jpg", np.uint8), (_face(points),))
        for stem in turned_faces(data, held_back=False)
        for points in [read_pts(folder / f"{stem}.pts").astype(np.float32)]
    ]


def load_unlabelled(data: Path) -> list[DetectorPhoto]:
    """Pictures of faces/unlabelled in which the teacher surely sees one face and nothing else."""
    model = data / "detectors" / "yunet_n_dynamic.onnx"
    folder = data / "faces" / "unlabelled"
    if not model.is_file() or not folder.is_dir():
        return []
    teacher = LabelTeacher(model)
    found = (_pseudo_labelled(path, teacher) for path in sorted(folder.glob("*.jpg")))
    return [photo for photo in found if photo is not None]


def _pseudo_labelled(path: Path, teacher: LabelTeacher) -> DetectorPhoto | None:
    jpeg = np.fromfile(path, np.uint8)
    image = DetectorPhoto(jpeg).image()
    height, width = image.shape[:2]
    edge = round(_PADDED * max(height, width))
    padded = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    rows = teacher.rows(padded.astype(np.uint8, copy=False))
    if len(rows) != 1 or rows[0, 14] < _SURE:
        return None
    row = rows[0]
    plain = np.array([row[0], row[1], row[0] + row[2], row[1] + row[3]], np.float32) - edge
    roll = math.degrees(math.atan2(row[7] - row[5], row[6] - row[4]))
    return DetectorPhoto(jpeg, (PhotoFace(widen(plain, YUNET_TO_EXTENT), None, roll),))


def make_profiled(data: Path, count: int, seed: int) -> list[DetectorPhoto]:
    """`count` pictures of 300w/train whose heads are turned by up to 60 degrees and pitched."""
    hard = hard_photos(data)
    files = [
        path
        for path in sorted((data / "300w" / "train").glob("*.pts"))
        if photo_of(path.stem) not in hard
        and not is_held_back(photo_of(path.stem), HELD_BACK["train"])
    ]
    made: list[DetectorPhoto] = []
    for number in range(count if files else 0):
        rng = np.random.default_rng((seed, number))
        path = files[int(rng.integers(len(files)))]
        image = cv2.imread(str(path.with_suffix(".jpg")))
        if image is not None:
            made.append(_profiled(image.astype(np.uint8, copy=False), read_pts(path), rng))
    return made


def _profiled(image: Image, points: Points, rng: Generator) -> DetectorPhoto:
    turned, seen = turn_head(image, points, *drawn_turn(points, rng))
    coded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return DetectorPhoto(coded.astype(np.uint8, copy=False).ravel(), (_face(seen),))


def drawn_turn(points: Points, rng: Generator) -> tuple[float, float]:
    """Yaw and pitch in degrees by which a head is turned.

    A head that is turned already is turned on to the same side, since the photo does not show the
    other one.
    """
    yaw = float(rng.uniform(15, 60)) * (1 if rng.random() < 0.5 else -1)
    left, right = (float(np.linalg.norm(points[30] - points[i])) for i in (2, 14))
    if left > 1.3 * right:
        yaw = abs(yaw)
    elif right > 1.3 * left:
        yaw = -abs(yaw)
    return yaw, float(np.clip(rng.normal(0, 18), -40, 40))


def _face(points: Floats) -> PhotoFace:
    roll = fit_crop(points, load_schema().mean_shape, margin=1).roll_deg
    return PhotoFace(landmark_box(points), points, roll)
