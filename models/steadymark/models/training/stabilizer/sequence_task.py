"""Training of recurrent cells on cached sequences of heatmaps.

The backbone sees every sequence once, before training; its heatmaps are kept in a file.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.face.crop import transform
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data.augment import clean_crop
from steadymark.models.training.data.image_sequences import SequenceConfig
from steadymark.models.training.stabilizer.cache_budget import CacheBudget
from steadymark.models.training.stabilizer.cache_filling import CacheFiller
from steadymark.models.training.stabilizer.heatmap_cache import unpack_heatmaps
from steadymark.models.training.stabilizer.stabilizer_score import StabilizerScore, stabilizer_score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.networks.stabilizer.heatmap_stabilizer import Heats, Stabilizer
    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone
    from steadymark.models.training.system import Batch

_MEASURES = tuple(field.name for field in fields(StabilizerScore))
_VALIDATION_BATCH = 12  # sequences per validation batch


class SequenceTask:
    """A `Task` of cached heatmap sequences.

    Args:
        faces: Training and held-back faces.
        folder: Folder of the caches.
        backbone: The frozen backbone.
        loss: Returns the mean loss, from network, heatmaps, moved and points.
        seed: Seed of the sequences and of their order.
        counts: Greatest numbers of training and validation sequences, see `CacheFiller`.
        unroll: Frames through which gradients are propagated back.
        config: Parameters of the sequences.
        cache_budget: Time budget for generating sequences.
        told: Descriptions of the data for the model card.
    """

    figures: tuple[str, ...] = ("score", *_MEASURES, *(f"raw_{name}" for name in _MEASURES))

    def __init__(
        self,
        faces: tuple[FaceImages, FaceImages],
        folder: Path,
        backbone: Backbone,
        loss: Callable[[nn.Module, Heats, Tensor, Tensor], Tensor],
        *,
        seed: int,
        counts: tuple[int, int],
        unroll: int,
        config: SequenceConfig | None = None,
        cache_budget: CacheBudget | None = None,
        descriptions: Sequence[str] = (),
    ) -> None:
        config = config or SequenceConfig()
        filler = CacheFiller(
            folder,
            faces,
            backbone,
            counts=counts,
            seed=seed,
            config=config,
            cache_budget=cache_budget or CacheBudget(),
        )
        self.cache, self.held_back = filler.fill()
        self.seed, self.unroll, self._loss = seed, unroll, loss
        self.schema = load_schema(backbone.info.schema)
        self.shapes = upright_shapes(faces[0], self.schema, backbone.info.crop, config.margin)
        self.sources: dict[str, Any] = {
            "data": list(descriptions),
            "faces": [len(part) for part in faces],
            "sequences": [len(self.cache), len(self.held_back)],
            "frames": config.frames,
        }

    def batch(self, number: int, size: int) -> Batch:
        """Return packed heatmaps, motion and landmarks of `size` sequences.

        They are code (B, T, n, K, ...) and ends (B, T, n, K, 2), see `heatmap_cache`, moved (B, T,
        2, 3), and points (B, T, K, 2) in crop pixels. T varies from `unroll` to the whole length,
        so that the recurrent state has any age when gradients begin.
        """
        chosen = []
        for i in range(number * size, (number + 1) * size):
            epoch, place = divmod(i, len(self.cache))
            order = np.random.default_rng((self.seed, epoch, 3)).permutation(len(self.cache))
            chosen.append(int(order[place]))
        all_frames = self.cache.points.shape[1]
        rng = np.random.default_rng((self.seed, number, 5))
        frames = int(rng.integers(min(self.unroll, all_frames), all_frames + 1))
        return (
            torch.from_numpy(np.stack([self.cache.code[i][:frames] for i in chosen])),
            torch.from_numpy(np.stack([self.cache.ends[i][:frames] for i in chosen])),
            torch.from_numpy(self.cache.moved[chosen, :frames]),
            torch.from_numpy(self.cache.points[chosen, :frames]),
        )

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the mean loss of a batch."""
        code, ends, moved, points = batch
        return self._loss(network, unpack_heatmaps(code, ends).unbind(2), moved, points)

    @torch.no_grad()
    def held_back_errors(self, network: Stabilizer) -> NDArray[np.float64]:
        """Return the backbone's errors (N, T, K, 2) on held-back sequences, in crop pixels."""
        errors = []
        for number, truth in enumerate(self.held_back.points):
            found = network.points(self.held_back.heats(number).unbind(1))[0]
            errors.append(found.double().numpy() - truth)
        return np.stack(errors)

    @torch.no_grad()
    def validate(self, network: Stabilizer) -> dict[str, float]:
        """Return the measures of `StabilizerScore` on held-back sequences, stabilized and raw."""
        parts = [
            self._tracked(network, slice(i, i + _VALIDATION_BATCH))
            for i in range(0, len(self.held_back), _VALIDATION_BATCH)
        ]
        stabilized, raw = (np.concatenate(part) for part in zip(*parts, strict=True))
        truth = self.held_back.points.astype(np.float64)
        steady, raw_score = (
            stabilizer_score(points, truth, self.schema) for points in (stabilized, raw)
        )
        return {
            "score": steady.score(raw_score),
            **asdict(steady),
            **{f"raw_{name}": value for name, value in asdict(raw_score).items()},
        }

    def _tracked(
        self, network: Stabilizer, part: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return stabilized and raw landmarks (n, T, K, 2) of some held-back sequences."""
        device = next(network.parameters()).device
        heat = self.held_back.heats(part).to(device)  # (n, T, 2 or 1, K, ...)
        moved = torch.from_numpy(self.held_back.moved[part]).to(device)
        state = network.start(len(heat))
        steady, raw = [], []
        for t in range(heat.shape[1]):
            output, state = network.step(heat[:, t].unbind(1), state, moved[:, t])
            steady.append(output.points.double().cpu().numpy())
            raw.append(output.raw_points.double().cpu().numpy())
        return np.stack(steady, 1), np.stack(raw, 1)


def upright_shapes(
    faces: FaceImages, schema: LandmarkSchema, size: int, margin: float
) -> NDArray[np.float64]:
    """Return landmarks (2N, K, 2) of faces and their mirror images, in pixels of upright crops."""
    shapes: list[NDArray[np.floating]] = []
    for index, points in enumerate(faces.points):
        crop = clean_crop(faces, index, schema, margin)
        shape = transform(crop.matrix_from_image(size), points)
        shapes += [shape, schema.mirrored(shape, size)]
    return np.stack(shapes).astype(np.float64)
