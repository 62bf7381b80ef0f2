"""Training and validation of landmark networks on single crops of labelled faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.datasets.hard_faces import AFLW2000, HALF_OF_AFLW2000
from steadymark.models.datasets.image_folders import is_two_schemed
from steadymark.models.errors import DataError
from steadymark.models.face.crop import cut, inverse, transform
from steadymark.models.face.schema import IBUG68, IBUG68_3D
from steadymark.models.training.data.augment import AugmentConfig, clean_crop, make_sample
from steadymark.models.training.data.face_images import (
    FaceImages,
    load_backgrounds,
    load_faces,
    split,
)
from steadymark.models.training.loop.checkpoint import to_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.face.crop import Image
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.training.system import Batch

Network = TypeVar("Network", bound=nn.Module)


def open_faces(
    data: Path, schema: str, val: Path | None = None
) -> tuple[FaceImages, FaceImages, tuple[Image, ...]]:
    """Load faces for training and validation, and images without faces.

    In ibug68_3d, the labelled faces of a data folder are those of aflw2000: its training half, and
    for validation its held-back half. Faces whose alignment is exact are in neither.

    Args:
        data: A folder with 300w/train or aflw2000, and faces/none, or any data set of
            `open_dataset`. Without faces/none, the face score learns only from other negatives.
        schema: Schema of the landmarks.
        val: Another data set of the same forms for validation; by default some photos of `data` are
            held back.

    Returns:
        Training faces, validation faces and images without faces.

    Raises:
        DataError: There are too few photos to hold some back.
    """
    folder, part = _training_folder(data, schema)
    faces = load_faces(folder, schema, part)
    if val is not None:
        val_folder, val_part = _training_folder(val, schema)
        training = faces
        held_back = load_faces(val_folder, schema, val_part and "held-back")
    elif part is not None:
        training, held_back = faces, load_faces(folder, schema, "held-back")
    else:
        training, held_back = split(faces)
    if not len(held_back) or not len(training):
        raise DataError(
            f"{data} holds faces of {len(set(faces.photos))} photo, too few to set some aside for "
            "validation: give another data set with --val"
        )
    return training, held_back, load_backgrounds(data / "faces" / "none")


def sources_of(data: Path, val: Path | None = None, schema: str = IBUG68) -> list[str]:
    """Describe the data of `open_faces` for a model card."""
    folder, part = _training_folder(data, schema)
    name = "300w/train" if folder == data / "300w" / "train" else folder.name
    if part is not None:
        descriptions = [f"{name}: {HALF_OF_AFLW2000}"]
    elif val is None:
        descriptions = [f"{name} without the validation split (a hash of the photo)"]
    else:
        descriptions = [name]
    return descriptions + (["faces/none"] if (data / "faces" / "none").is_dir() else [])


def _training_folder(data: Path, schema: str) -> tuple[Path, str | None]:
    """Return the folder of the labelled faces, and the part of it that is for training."""
    turned = data / AFLW2000 if schema == IBUG68_3D and (data / AFLW2000).is_dir() else data
    if turned.is_dir() and is_two_schemed(turned):
        return turned, "training"
    train_folder = data / "300w" / "train"
    return (train_folder if train_folder.is_dir() else data), None


def clean_crops(
    faces: FaceImages, size: int, margin: float, *, schema: LandmarkSchema, count: int = 32
) -> Image:
    """Return crops (count, F, F, 3) of faces that the true landmarks define.

    Args:
        faces: The faces.
        size: Side F of the crops in pixels.
        margin: Side of the crop relative to the fitted size of the face.
        schema: Schema of the landmarks.
        count: Greatest number of crops.
    """
    return np.stack(
        [
            cut(
                faces.images[index],
                clean_crop(faces, index, schema, margin).matrix_to_image(size),
                size,
            )
            for index in range(min(count, len(faces)))
        ]
    )


class LandmarkTask(Generic[Network]):
    """A `Task` of single crops.

    Args:
        data: The data folder or data set.
        crop: Side F of the crops in pixels.
        augment: Augmentation of the samples.
        schema: Schema of the landmarks.
        seed: Seed of the samples.
        loss: Returns the mean loss, from network, images (B, 3, F, F), points (B, K, 2) in crop
            pixels, face (B,) and phase.
        decoded: Turns a network into a module from uint8 crops to points, scores and face.
        val: Another data set for validation.
    """

    figures: tuple[str, ...] = ("nrmse",)

    def __init__(
        self,
        data: Path,
        crop: int,
        augment: AugmentConfig,
        *,
        schema: LandmarkSchema,
        seed: int,
        loss: Callable[[nn.Module, Tensor, Tensor, Tensor, int], Tensor],
        decoded: Callable[[Network], nn.Module],
        val: Path | None = None,
    ) -> None:
        self.training, self.held_back, self.backgrounds = open_faces(data, schema.name, val)
        self.sources: dict[str, Any] = {"data": sources_of(data, val, schema.name)}
        self.crop, self.augment, self.seed = crop, augment, seed
        self.schema = schema
        self._loss, self._decoded = loss, decoded

    def batch(self, number: int, size: int) -> Batch:
        """Return crops (B, F, F, 3) uint8, landmarks (B, K, 2) in crop pixels, and face (B,)."""
        samples = [
            make_sample(
                self.training,
                self.backgrounds,
                self.schema,
                self.crop,
                number * size + i,
                seed=self.seed,
                config=self.augment,
            )
            for i in range(size)
        ]
        return (
            torch.from_numpy(np.stack([s.crop for s in samples])),
            torch.from_numpy(np.stack([s.points for s in samples])),
            torch.tensor([s.face for s in samples]),
        )

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the mean loss of a batch; samples without a face train only the face score."""
        crops, points, face = batch
        return self._loss(network, to_image(crops), points, face.float(), phase)

    @torch.no_grad()
    def validate(self, network: Network) -> dict[str, float]:
        """Return the NRMSE in % of the schema's `error_length`, on crops by the true landmarks."""
        decoded = self._decoded(network).eval()
        device = next(network.parameters()).device
        errors = []
        for index in range(len(self.held_back)):
            crop = clean_crop(self.held_back, index, self.schema, self.augment.margin)
            matrix = crop.matrix_to_image(self.crop)
            image = cut(self.held_back.images[index], matrix, self.crop)
            planes = torch.from_numpy(image[None]).permute(0, 3, 1, 2).to(device)
            points = decoded(planes)[0][0].cpu().numpy()
            truth = transform(inverse(matrix), self.held_back.points[index])
            length = self.schema.length_px(truth)
            errors.append(np.linalg.norm(points - truth, axis=-1).mean() / length * 100)
        return {"nrmse": float(np.mean(errors))}
