"""Single crops of a 300W folder: what the landmark networks learn from and are scored by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.errors import DataError
from steadymark.models.face.crop import cut, inverse, transform
from steadymark.models.face.schema import load_schema
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
    from steadymark.models.training.system import Batch

N = TypeVar("N", bound=nn.Module)


def open_faces(
    data: Path, val: Path | None = None, schema: str = "ibug68"
) -> tuple[FaceImages, FaceImages, tuple[Image, ...]]:
    """Faces to train and to validate, and pictures without faces.

    data: a folder with 300w/train and faces/none, or any data set of `open_dataset`; without
    faces/none the face score learns from other negatives alone. val: of the same forms, to validate
    by; by default photos of `data` are set aside.
    """
    faces = load_faces(_data_set(data), schema)
    training, held = split(faces) if val is None else (faces, load_faces(_data_set(val), schema))
    if not len(held) or not len(training):
        raise DataError(
            f"{data} holds faces of {len(set(faces.photos))} photo, too few to set some aside for "
            "validation: give another data set with --val"
        )
    return training, held, load_backgrounds(data / "faces" / "none")


def sources_of(data: Path, val: Path | None = None) -> list[str]:
    """What a model card says of the data of `open_faces`."""
    ours = data / "300w" / "train"
    name = "300w/train" if ours.is_dir() else data.name
    told = [f"{name} without the validation split (a hash of the photo)" if val is None else name]
    return told + (["faces/none"] if (data / "faces" / "none").is_dir() else [])


def _data_set(data: Path) -> Path:
    ours = data / "300w" / "train"
    return ours if ours.is_dir() else data


def clean_crops(
    faces: FaceImages, size: int, margin: float, *, schema: str = "ibug68", count: int = 32
) -> Image:
    """Crops (count, F, F, 3) of faces, as the true landmarks give them."""
    known = load_schema(schema)
    return np.stack(
        [
            cut(
                faces.pictures[index],
                clean_crop(faces, index, known, margin).to_picture(size),
                size,
            )
            for index in range(min(count, len(faces)))
        ]
    )


class LandmarkTask(Generic[N]):
    """A Task of system.py.

    loss: (network, images (B, 3, F, F), points (B, K, 2) crop px, face (B,), phase) → the mean.
    decoded: network → module from uint8 crops to (points, scores, face).
    """

    figures: tuple[str, ...] = ("nrmse",)

    def __init__(
        self,
        data: Path,
        crop: int,
        augment: AugmentConfig,
        *,
        seed: int,
        loss: Callable[[nn.Module, Tensor, Tensor, Tensor, int], Tensor],
        decoded: Callable[[N], nn.Module],
        val: Path | None = None,
    ) -> None:
        self.training, self.held, self.backgrounds = open_faces(data, val)
        self.sources: dict[str, Any] = {"data": sources_of(data, val)}
        self.crop, self.augment, self.seed = crop, augment, seed
        self.schema = load_schema()
        self._loss, self._decoded = loss, decoded

    def batch(self, number: int, size: int) -> Batch:
        """Crops (B, F, F, 3) uint8, points (B, K, 2) crop pixels, face (B,)."""
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
        """Mean over the batch; samples without a face teach the face score alone."""
        crops, points, face = batch
        return self._loss(network, to_image(crops), points, face.float(), phase)

    @torch.no_grad()
    def validate(self, network: N) -> dict[str, float]:
        """NRMSE in % with the crop that the true landmarks give."""
        decoded = self._decoded(network).eval()
        device = next(network.parameters()).device
        errors = []
        for index in range(len(self.held)):
            crop = clean_crop(self.held, index, self.schema, self.augment.margin)
            matrix = crop.to_picture(self.crop)
            image = cut(self.held.pictures[index], matrix, self.crop)
            planes = torch.from_numpy(image[None]).permute(0, 3, 1, 2).to(device)
            points = decoded(planes)[0][0].cpu().numpy()
            truth = transform(inverse(matrix), self.held.points[index])
            right, left = self.schema.eyes
            eyes = np.linalg.norm(truth[right] - truth[left])
            errors.append(np.linalg.norm(points - truth, axis=-1).mean() / eyes * 100)
        return {"nrmse": float(np.mean(errors))}
