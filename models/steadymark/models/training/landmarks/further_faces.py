"""Further training faces of landmark networks: turned heads, and faces that a teacher labels.

Photos that `hard_faces` and `photo_splits` hold back are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch

from steadymark.models.datasets.hard_faces import (
    HALF_OF_AFLW2000,
    hard_photos,
    is_for_training,
    turned_faces,
)
from steadymark.models.errors import DataError
from steadymark.models.face.crop import Crop, cut, transform
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, IBUG68_3D, IBUG_ORDER
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model
from steadymark.models.synthesis.faces.head_rotation import turn_head, turn_head_3d
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.detector.detector_hard_faces import draw_turn, single_face
from steadymark.models.training.detector.detector_photos import LabelTeacher
from steadymark.models.training.landmarks.distillation import check_teacher, distilled_targets
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema

KINDS = ("labelled", "turned", "profiled", "unlabelled")
MOST_HIDDEN = 4  # a synthetic face is left out if its head hides more landmarks than these
LEAST_SCORE = 0.7  # least score of the teachers' face and of YuNet's box
MOST_DISAGREEMENT = 0.012  # of two means over views, as a share of the outer-eye distance
_YAW_SHARE = 0.6  # of the angles that the detector learns, which hide too many landmarks
_YAW_SHARES_3D = (0.0, 1.2)  # least and greatest share of these angles in ibug68_3d
_JPEG_QUALITY = 95  # of synthetic images
_CROP_OF_BOX = 1.55  # side of the first crop, as a multiple of the box's longer side


def parse_kinds(texts: Sequence[str]) -> dict[str, int]:
    """Parse kinds of faces and how often each face of a kind is used in an epoch.

    Args:
        texts: Such as `turned*3`, or `unlabelled` for `unlabelled*1`; see `KINDS`.

    Returns:
        The number of uses by kind. `labelled` is the data set itself, which is used at least once.

    Raises:
        ValueError: A kind is unknown, or a number is not above 0.
    """
    uses = {"labelled": 1}
    for text in texts:
        kind, _, number = text.partition("*")
        if kind not in KINDS or not (number or "1").isdigit() or int(number or 1) < 1:
            raise ValueError(
                f"further={text}: give {', '.join(KINDS)}, and how often it is used, as in turned*3"
            )
        uses[kind] = int(number or 1)
    return uses


def with_further_faces(
    labelled: FaceImages,
    data: Path,
    uses: dict[str, int],
    cache: Path,
    *,
    schema: LandmarkSchema,
    teachers: Sequence[str],
    seed: int,
) -> FaceImages:
    """Return the training faces of all kinds, each as often as it is used.

    The photos of `hard_photos` are left out of the labelled faces, so that they measure accuracy.

    Args:
        labelled: The training faces of the data set.
        data: The data folder.
        uses: Number of uses by kind, see `parse_kinds`.
        cache: Folder in which faces that take minutes to make are kept.
        schema: Schema of the landmarks, ibug68 or ibug68_3d.
        teachers: Networks that label the faces of `unlabelled`, see `find_model`.
        seed: Seed of the synthetic faces and of the teachers' crops.

    Raises:
        ValueError: The schema has no further faces, or not of a kind.
        DataError: A kind has no faces in the data folder.
        WeightsError: A teacher is missing.
    """
    _check_kinds(uses, data, schema, teachers)
    hard = hard_photos(data)
    easy = labelled.subset([i for i, photo in enumerate(labelled.photos) if photo not in hard])
    parts = [easy] * uses["labelled"]
    for kind, count in uses.items():
        if kind == "labelled":
            continue
        file, made_of = cache / f"{kind}.pt", [str(data), seed, *teachers]
        made_of += [] if schema.name == IBUG68 else [schema.name]
        cached = load_checkpoint(file) if file.is_file() else {}
        if cached.get("made_of") != made_of:
            faces = _faces_of(kind, data, schema, teachers, seed)
            cached = {"made_of": made_of, "faces": [_as_tensors(face) for face in faces]}
            save_checkpoint(file, cached)
        faces = [EncodedFace(n, jpeg.numpy(), xy.numpy()) for n, jpeg, xy in cached["faces"]]
        if not faces:
            raise DataError(f"{data} has no faces of the kind '{kind}': leave it out of further")
        parts += [_decoded(faces)] * count
    return _joined(parts)


def describe_kinds(uses: dict[str, int], teachers: Sequence[str]) -> list[str]:
    """Describe the faces of all kinds but the labelled ones for a model card.

    Args:
        uses: Number of uses by kind, see `parse_kinds`.
        teachers: Networks that label the faces of `unlabelled`.
    """
    texts = {
        "turned": f"aflw2000: {HALF_OF_AFLW2000}",
        "profiled": "300w/train: copies with turned heads (ICT-FaceKit, MIT)",
        "unlabelled": f"faces/unlabelled, labelled by {', '.join(Path(n).stem for n in teachers)}",
    }
    return [texts[kind] for kind in uses if kind in texts]


def _check_kinds(
    uses: dict[str, int], data: Path, schema: LandmarkSchema, teachers: Sequence[str]
) -> None:
    """Check that the further faces have landmarks of the schema."""
    if schema.name not in IBUG_ORDER:
        raise ValueError(
            f"further: there are further faces of {' and '.join(IBUG_ORDER)}, not of {schema.name}"
        )
    if schema.name == IBUG68_3D and "turned" in uses and turned_faces(data, held_back=False):
        raise ValueError(
            "further=turned: in ibug68_3d the turned faces are the labelled ones: give labelled*3"
        )
    for name in teachers if "unlabelled" in uses else ():
        check_teacher(find_model(name, "landmarks"), schema)


class EncodedFace(NamedTuple):
    """A labelled face: name, the bytes of its .jpg image, and landmarks (K, 2) in its pixels."""

    name: str
    jpeg: NDArray[np.uint8]
    points: Points


def _faces_of(
    kind: str, data: Path, schema: LandmarkSchema, teachers: Sequence[str], seed: int
) -> list[EncodedFace]:
    if kind == "turned":
        folder = data / "aflw2000"
        files = [folder / f"{stem}.pts" for stem in turned_faces(data, held_back=False)]
        return [EncodedFace(p.stem, _read_jpeg(p), read_pts(p).astype(np.float32)) for p in files]
    if kind == "profiled":
        return make_profiled(data, seed, schema.name)
    return label_faces(data, schema, teachers, seed)


def make_profiled(data: Path, seed: int, schema: str = IBUG68) -> list[EncodedFace]:
    """Turn the head of each photo of 300w/train.

    In ibug68, heads that hide many landmarks are left out, because their labels are uncertain. In
    ibug68_3d the 3D head gives all landmarks, so that heads turn further.

    Args:
        data: The data folder.
        seed: Seed of the angles.
        schema: ibug68 or ibug68_3d.
    """
    hard, found = hard_photos(data), []
    for number, path in enumerate(sorted((data / "300w" / "train").glob("*.pts"))):
        if not is_for_training(path.stem, hard):
            continue
        rng, points = np.random.default_rng((seed, number, 11)), read_pts(path)
        yaw, pitch = draw_turn(points, rng)
        photo = _decode(_read_jpeg(path))
        if schema == IBUG68_3D:
            image, turned = turn_head_3d(photo, points, rng.uniform(*_YAW_SHARES_3D) * yaw, pitch)
        else:
            image, turned = turn_head(photo, points, _YAW_SHARE * yaw, pitch)
            distances = np.linalg.norm(turned[:, None] - turned, axis=-1)
            hidden = (distances < 1e-3).sum(1) > 1  # it lies on its visible neighbour
            if hidden.sum() > MOST_HIDDEN:
                continue
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
        found.append(EncodedFace(path.stem, jpeg.ravel().astype(np.uint8), turned))
    return found


def label_faces(
    data: Path, schema: LandmarkSchema, teachers: Sequence[str], seed: int
) -> list[EncodedFace]:
    """Label the images of faces/unlabelled that show exactly one certain face.

    The teachers predict the landmarks in several displaced and mirrored crops. The crops of a
    second pass follow the means of the first. Faces whose two means differ are left out.

    Args:
        data: The data folder.
        schema: Schema of the teachers' landmarks.
        teachers: Names of zoo models, or .onnx files with their cards.
        seed: Seed of the crops.
    """
    model = data / "detectors" / "yunet_n_dynamic.onnx"
    files = sorted((data / "faces" / "unlabelled").glob("*.jpg"))
    if not files or not model.is_file():
        return []
    yunet = LabelTeacher(model)
    network = LandmarkNetwork(find_model(teachers[0], "landmarks"), device="cpu")
    found = []
    for path in files:
        jpeg = _read_jpeg(path)
        points = first_points(_decode(jpeg), yunet, network)
        if points is not None:
            found.append(EncodedFace(path.stem, jpeg, points))
    first = distilled_targets(_decoded(found), schema, teachers, 1.0, seed=seed)
    second = distilled_targets(first, schema, teachers, 1.0, seed=seed + 1)
    right, left = schema.eyes
    eye_distances = np.linalg.norm(second.points[:, right] - second.points[:, left], axis=-1)
    differences = np.linalg.norm(second.points - first.points, axis=-1).mean(1)
    agree = differences <= MOST_DISAGREEMENT * np.maximum(eye_distances, 1)
    means = (first.points + second.points) / 2
    return [found[i]._replace(points=means[i]) for i in np.flatnonzero(agree)]


def first_points(image: Image, yunet: LabelTeacher, network: LandmarkNetwork) -> Points | None:
    """Return the landmarks (K, 2) of the only certain face in an image, or None."""
    face = single_face(image, yunet, LEAST_SCORE)
    if face is None:
        return None
    box = face.box
    side = _CROP_OF_BOX * float(max(box[2] - box[0], box[3] - box[1]))
    crop = Crop(float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2, side)
    size = network.card.crop
    matrix = crop.matrix_to_image(size)
    prediction = network.step(cut(image, matrix, size)[None])
    if prediction.face[0] < LEAST_SCORE:
        return None
    return transform(matrix, prediction.points[0]).astype(np.float32)


def _read_jpeg(label: Path) -> NDArray[np.uint8]:
    return np.fromfile(label.with_suffix(".jpg"), np.uint8)


def _decode(jpeg: NDArray[np.uint8]) -> Image:
    image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    if image is None:
        raise DataError("an image of a face cannot be decoded: copy the data folder again")
    return image.astype(np.uint8, copy=False)


def _as_tensors(face: EncodedFace) -> tuple[str, torch.Tensor, torch.Tensor]:
    return face.name, torch.from_numpy(face.jpeg), torch.from_numpy(face.points)


def _decoded(faces: Sequence[EncodedFace]) -> FaceImages:
    names = tuple(face.name for face in faces)
    images = tuple(_decode(face.jpeg) for face in faces)
    return FaceImages(names, names, images, np.stack([face.points for face in faces]))


def _joined(parts: Sequence[FaceImages]) -> FaceImages:
    return FaceImages(
        tuple(name for part in parts for name in part.names),
        tuple(photo for part in parts for photo in part.photos),
        tuple(image for part in parts for image in part.images),
        np.concatenate([part.points for part in parts]),
    )
