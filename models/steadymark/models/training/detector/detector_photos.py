"""Training photos of face_net, with the labels of every face in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from steadymark.models.datasets.hard_faces import hard_photos
from steadymark.models.datasets.photo_splits import photo_of, photos
from steadymark.models.face.crop import Image, Matrix, fit_crop, transform
from steadymark.models.face.landmark_boxes import (
    CROWDS_TO_EXTENT,
    YUNET_TO_EXTENT,
    landmark_box,
    widen,
)
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, load_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Floats = NDArray[np.float32]
# Least YuNet score at which its box counts as a face; boxes with less are ignored regions.
_MIN_TEACHER_SCORE = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class PhotoFace:
    """One labelled face, in photo pixels.

    Attributes:
        box: (4,) left, top, right, bottom of the landmarks' extent.
        points: (68, 2) landmarks, or None.
        roll_deg: Roll in degrees, or NaN.
    """

    box: Floats
    points: Floats | None = None
    roll_deg: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class DetectorPhoto:
    """A photo in memory as JPEG, with its faces.

    Attributes:
        jpeg: Bytes of the JPEG file.
        faces: The labelled faces.
        ignored: (m, 4) regions in which a face is uncertain.
    """

    jpeg: NDArray[np.uint8]
    faces: tuple[PhotoFace, ...] = ()
    ignored: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))

    def image(self) -> Image:
        """Decode the photo to (H, W, 3) uint8 BGR.

        Raises:
            ValueError: The photo cannot be decoded.
        """
        decoded = cv2.imdecode(self.jpeg, cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("a photo cannot be decoded")
        return decoded.astype(np.uint8, copy=False)


def frozen(photo: DetectorPhoto) -> dict[str, Any]:
    """Convert a photo to tensors and plain values, for `save_checkpoint`."""
    tensor = torch.tensor
    faces = [
        (tensor(f.box), None if f.points is None else tensor(f.points), float(f.roll_deg))
        for f in photo.faces
    ]
    return {"jpeg": tensor(photo.jpeg), "faces": faces, "ignored": tensor(photo.ignored)}


def photo_from_tensors(content: Mapping[str, Any]) -> DetectorPhoto:
    """Restore the photo that `frozen` converted."""
    faces = tuple(
        PhotoFace(box.numpy(), None if points is None else points.numpy(), roll_deg)
        for box, points, roll_deg in content["faces"]
    )
    return DetectorPhoto(content["jpeg"].numpy(), faces, content["ignored"].numpy())


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Return the intersection of a box (4,) and boxes (n, 4), divided by the smaller area, (n,)."""
    if len(boxes) == 0:
        return np.zeros(0, np.float32)
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = sides.clip(0).prod(1)
    smaller = np.minimum((box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1))
    ratio: Floats = (intersection / smaller.clip(1e-6)).astype(np.float32)
    return ratio


def move_face(face: PhotoFace, matrix: Matrix, turn_deg: float) -> PhotoFace:
    """Transform a face by a similarity (2, 3) that rotates by `turn_deg`.

    Without landmarks, the face is assumed to be the ellipse inscribed in its upright box.
    """
    roll = (face.roll_deg + turn_deg + 180) % 360 - 180
    if face.points is not None:
        points = transform(matrix, face.points)
        return PhotoFace(landmark_box(points), points, roll)
    middle = transform(matrix, ((face.box[:2] + face.box[2:]) / 2)[None])[0]
    half = (face.box[2:] - face.box[:2]) / 2
    half_extent = np.sqrt(((matrix[:, :2] * half) ** 2).sum(1))
    return PhotoFace(
        np.concatenate((middle - half_extent, middle + half_extent)).astype(np.float32), None, roll
    )


def mirror_face(face: PhotoFace, width: int) -> PhotoFace:
    """Return the face in the mirrored image of this width."""
    left, top, right, bottom = face.box
    box = np.array([width - 1 - right, top, width - 1 - left, bottom], np.float32)
    points = face.points
    if points is not None:
        mirrored = points[load_schema(IBUG68).mirror]
        points = np.stack((width - 1 - mirrored[:, 0], mirrored[:, 1]), 1).astype(np.float32)
    return PhotoFace(box, points, -face.roll_deg)


class LabelTeacher:
    """The detector YuNet, which labels unlabelled faces and the roll of upright boxes."""

    def __init__(self, path: Path) -> None:
        self._net: Any = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.5, 0.3, 5000)

    def rows(self, image: Image) -> Floats:
        """Detect faces, and return (n, 15): x, y, w, h, five points (right eye first), score."""
        self._net.setInputSize((image.shape[1], image.shape[0]))
        rows = self._net.detect(image)[1]
        found: Floats = np.zeros((0, 15), np.float32) if rows is None else rows
        return found


def _complete_labels(photo: DetectorPhoto, teacher: LabelTeacher) -> DetectorPhoto:
    """Complete a photo's labels with the teacher's detections."""
    faces = list(photo.faces)
    boxes = np.array([f.box for f in faces], np.float32).reshape(-1, 4)
    uncertain = []
    for row in teacher.rows(photo.image()):
        yunet_box = np.array([row[0], row[1], row[0] + row[2], row[1] + row[3]], np.float32)
        box = widen(yunet_box, YUNET_TO_EXTENT)
        roll = math.degrees(math.atan2(row[7] - row[5], row[6] - row[4]))
        overlaps = overlap(box, boxes)
        is_sure = row[14] >= _MIN_TEACHER_SCORE
        if len(overlaps) and overlaps.max() > 0.4:
            matched = int(overlaps.argmax())
            if is_sure and row[2] >= 16 and math.isnan(faces[matched].roll_deg):
                faces[matched] = PhotoFace(faces[matched].box, None, roll)
        elif is_sure and row[3] >= 14:
            faces.append(PhotoFace(box, None, roll))
        else:
            uncertain.append(widen(yunet_box, (-0.2, -0.2, 0.2, 0.2)))
    return DetectorPhoto(photo.jpeg, tuple(faces), np.array(uncertain, np.float32).reshape(-1, 4))


def _frame_points(data: Path, stem: str, boxes: Floats) -> list[Floats]:
    """Return the landmarks of each labelled face in photo pixels, from its 320 pixel crop."""
    same_photo = sorted((data / "300w" / "train").glob(f"{stem.rsplit('_', 1)[0]}_*.pts"))
    files = same_photo if len(boxes) > 1 else [data / "300w" / "train" / f"{stem}.pts"]
    if len(files) != len(boxes):
        return []
    points = []
    for path, box in zip(files, boxes, strict=True):
        crop = read_pts(path)
        scale = (box[2:] - box[:2]).max() / (crop.max(0) - crop.min(0)).max()
        centre = (landmark_box(crop)[:2] + landmark_box(crop)[2:]) / 2
        points.append(((crop - centre) * scale + (box[:2] + box[2:]) / 2).astype(np.float32))
    return points


def _faces(data: Path, name: str, file: str, boxes: Floats) -> tuple[PhotoFace, ...]:
    if name == "crowds":
        return tuple(PhotoFace(widen(box, CROWDS_TO_EXTENT)) for box in boxes)
    points_of_faces = _frame_points(data, file[:-4], boxes)
    if not points_of_faces:
        return tuple(PhotoFace(box) for box in boxes)
    faces = []
    for box, points in zip(boxes, points_of_faces, strict=True):
        is_consistent = np.abs(landmark_box(points) - box).max() <= 0.05 * (box[2:] - box[:2]).max()
        faces.append(
            PhotoFace(
                box, points, fit_crop(points, load_schema(IBUG68).mean_shape, margin=1).roll_deg
            )
            if is_consistent
            else PhotoFace(box)
        )
    return tuple(faces)


def load_photos(data: Path, name: str) -> list[DetectorPhoto]:
    """Load the training part of faces/train, faces/crowds or faces/none."""
    model = data / "detectors" / "yunet_n_dynamic.onnx"
    teacher = LabelTeacher(model) if model.is_file() and name != "none" else None
    hard = hard_photos(data) if name == "train" else set()
    found = []
    for file, boxes in photos(data, name, held_back=False).items():
        if photo_of(file.rsplit(".", 1)[0]) in hard:
            continue
        jpeg = np.fromfile(data / "faces" / name / file, np.uint8)
        photo = DetectorPhoto(jpeg, _faces(data, name, file, boxes))
        found.append(_complete_labels(photo, teacher) if teacher else photo)
    return found
