"""Distillation: training landmarks are moved towards the predictions of trained models."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import Crop, cut, mirror_image, transform
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model
from steadymark.models.training.data.augment import clean_crop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.models.face.crop import Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.zoo import ModelCard
    from steadymark.models.training.data.face_images import FaceImages

_CROPS = 3  # crops per face; each is also used mirrored


def distilled_targets(
    faces: FaceImages, schema: LandmarkSchema, teachers: Sequence[str], trust: float, *, seed: int
) -> FaceImages:
    """Move the landmarks of faces by the share `trust` towards the mean of the teachers.

    A teacher's prediction is the mean over a few crops and their mirror images, which is more
    precise than a single prediction.

    Args:
        faces: Faces whose landmarks are moved.
        schema: Schema of the landmarks.
        teachers: Names of zoo models, or .onnx files with their cards.
        trust: Weight of the teachers, 0 to 1.
        seed: Seed of the random crops.

    Raises:
        WeightsError: A teacher is missing.
        ValueError: A teacher has landmarks of another schema.
    """
    cards = [find_model(name, "landmarks") for name in teachers]
    for card in cards:
        check_teacher(card, schema)
    networks = [LandmarkNetwork(card, device="cpu") for card in cards]
    points = faces.points.copy()
    for index in range(len(faces)):
        rng = np.random.default_rng((seed, index, 5))
        predictions = [
            _predict(network, faces, index, matrix, schema, mirrored=mirrored)
            for network in networks
            for matrix, mirrored in _displaced_crops(faces, index, schema, network, rng)
        ]
        points[index] += trust * (np.mean(predictions, 0) - points[index])
    return dataclasses.replace(faces, points=points)


def check_teacher(card: ModelCard, schema: LandmarkSchema) -> None:
    """Check that a teacher has the landmarks that are learned.

    Args:
        card: Card of the teacher.
        schema: Schema that is learned.

    Raises:
        ValueError: The teacher has landmarks of another schema.
    """
    if card.schema != schema.name:
        raise ValueError(
            f"the teacher {card.name} has landmarks of {card.schema}, not of {schema.name}: name"
            " another one with --set teachers"
        )


def _displaced_crops(
    faces: FaceImages,
    index: int,
    schema: LandmarkSchema,
    network: LandmarkNetwork,
    rng: np.random.Generator,
) -> Iterator[tuple[Matrix, bool]]:
    base, size = clean_crop(faces, index, schema, network.card.margin), network.card.crop
    for number in range(_CROPS):
        x, y, growth, roll_change = rng.normal(0, 1, 4) * (0.02, 0.02, 0.04, 4.0) * (number > 0)
        crop = Crop(
            base.x + x * base.side,
            base.y + y * base.side,
            base.side * float(np.exp(growth)),
            base.roll_deg + roll_change,
        )
        matrix = crop.matrix_to_image(size)
        yield matrix, False
        yield mirror_image(matrix, size), True


def _predict(
    network: LandmarkNetwork,
    faces: FaceImages,
    index: int,
    matrix: Matrix,
    schema: LandmarkSchema,
    *,
    mirrored: bool,
) -> Points:
    """Predict the landmarks (K, 2) in pixels of the image."""
    crop = cut(faces.images[index], matrix, network.card.crop)
    points = transform(matrix, network.step(crop[None]).points[0])
    return points[schema.mirror] if mirrored else points
