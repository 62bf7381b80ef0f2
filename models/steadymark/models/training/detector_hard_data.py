"""Harder faces for face_net: turned heads, real and made, and faces that only the teacher labels.

Faces that `hard_faces` and `splits` hold back are in none of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.cropping import fit_crop
from steadymark.models.extents import YUNET_TO_EXTENT, extent, widen
from steadymark.models.hard_faces import hard_photos, turned_faces
from steadymark.models.pts_file import read_pts
from steadymark.models.schema import load_schema
from steadymark.models.splits import HELD_BACK, is_held_back, photo_of
from steadymark.models.synthesis.head_turning import turn_head
from steadymark.models.training.detector_data import Face, Floats, Photo, Teacher

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator

    from steadymark.models.cropping import Image, Points

_SURE = 0.85  # the teacher's score from which its box is taken for a face
_PADDED = 0.35  # border laid round a tight picture before the teacher looks, shares of its size
_QUALITY = 92  # of the JPEG files that made pictures are kept as


def load_turned(data: Path) -> list[Photo]:
    """The training part of aflw2000, with its landmarks of the visible face."""
    folder = data / "aflw2000"
    return [
        Photo(np.fromfile(folder / f"{stem}.jpg", np.uint8), (_face(points),))
        for stem in turned_faces(data, held_back=False)
        for points in [read_pts(folder / f"{stem}.pts").astype(np.float32)]
    ]


def load_unlabelled(data: Path) -> list[Photo]:
    """Pictures of faces/unlabelled in which the teacher surely sees one face and nothing else."""
    model = data / "detectors" / "yunet_n_dynamic.onnx"
    folder = data / "faces" / "unlabelled"
    if not model.is_file() or not folder.is_dir():
        return []
    teacher = Teacher(model)
    found = (_pseudo_labelled(path, teacher) for path in sorted(folder.glob("*.jpg")))
    return [photo for photo in found if photo is not None]


def _pseudo_labelled(path: Path, teacher: Teacher) -> Photo | None:
    jpeg = np.fromfile(path, np.uint8)
    image = Photo(jpeg).image()
    height, width = image.shape[:2]
    edge = round(_PADDED * max(height, width))
    padded = cv2.copyMakeBorder(image, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    rows = teacher.rows(padded.astype(np.uint8, copy=False))
    if len(rows) != 1 or rows[0, 14] < _SURE:
        return None
    row = rows[0]
    plain = np.array([row[0], row[1], row[0] + row[2], row[1] + row[3]], np.float32) - edge
    roll = math.degrees(math.atan2(row[7] - row[5], row[6] - row[4]))
    return Photo(jpeg, (Face(widen(plain, YUNET_TO_EXTENT), None, roll),))


def make_profiled(data: Path, count: int, seed: int) -> list[Photo]:
    """`count` pictures of 300w/train whose heads are turned by up to 60 degrees and pitched."""
    hard = hard_photos(data)
    files = [
        path
        for path in sorted((data / "300w" / "train").glob("*.pts"))
        if photo_of(path.stem) not in hard
        and not is_held_back(photo_of(path.stem), HELD_BACK["train"])
    ]
    made: list[Photo] = []
    for number in range(count if files else 0):
        rng = np.random.default_rng((seed, number))
        path = files[int(rng.integers(len(files)))]
        image = cv2.imread(str(path.with_suffix(".jpg")))
        if image is not None:
            made.append(_profiled(image.astype(np.uint8, copy=False), read_pts(path), rng))
    return made


def _profiled(image: Image, points: Points, rng: Generator) -> Photo:
    turned, seen = turn_head(image, points, *drawn_turn(points, rng))
    coded = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return Photo(coded.astype(np.uint8, copy=False).ravel(), (_face(seen),))


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


def _face(points: Floats) -> Face:
    roll = fit_crop(points, load_schema().mean_shape, margin=1).roll_deg
    return Face(extent(points), points, roll)
