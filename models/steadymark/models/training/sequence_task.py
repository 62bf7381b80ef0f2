"""Sequences of heatmaps: what recurrent cells over a frozen backbone learn from.

The backbone sees every sequence once, before training; its heatmaps are kept in a file.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.cropping import transform
from steadymark.models.schema import load_schema
from steadymark.models.training.augment import clean_crop
from steadymark.models.training.landmark_task import open_faces
from steadymark.models.training.sequences import SequenceConfig, make_sequence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.stabilizer import Heats, Stabilizer
    from steadymark.models.training.backbones import Backbone, Halves
    from steadymark.models.training.faces import Faces
    from steadymark.models.training.system import Batch


class HeatBank:
    """Sequences' heatmaps (N, T, n, K, *size) float16, on disk, and what is known of them.

    points: (N, T, K, 2); moved: (N, T, 2, 3), see Stabilizer.step.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.heat: Halves = np.load(folder / f"{name}.heat.npy", mmap_mode="r")
        self.points: NDArray[np.float32] = np.load(folder / f"{name}.points.npy")
        self.moved: NDArray[np.float32] = np.load(folder / f"{name}.moved.npy")

    def __len__(self) -> int:
        return len(self.points)


def fill_bank(
    folder: Path,
    name: str,
    faces: Faces,
    backbone: Backbone,
    count: int,
    *,
    seed: int,
    config: SequenceConfig,
    report: Callable[[int], None] = lambda _: None,
) -> HeatBank:
    """Make `count` sequences unless a bank of the same make is already there."""
    folder.mkdir(parents=True, exist_ok=True)
    make = json.dumps(
        {"form": 4, "count": count, "seed": seed, "backbone": backbone.identity, **asdict(config)}
    )
    told = folder / f"{name}.json"
    if told.is_file() and told.read_text(encoding="utf-8") == make:
        return HeatBank(folder, name)
    schema = load_schema()
    points, moved = [], []
    heat: Halves | None = None
    for number in range(count):
        sequence = make_sequence(
            faces, schema, backbone.info.crop, number, seed=seed, config=config
        )
        seen = backbone(sequence.crops)
        if heat is None:
            path = folder / f"{name}.heat.npy"
            heat = np.lib.format.open_memmap(path, "w+", np.float16, (count, *seen.shape))
        heat[number] = seen
        points.append(sequence.points)
        moved.append(sequence.moved)
        report(number + 1)
    assert heat is not None
    heat.flush()  # type: ignore[attr-defined]
    np.save(folder / f"{name}.points.npy", np.stack(points))
    np.save(folder / f"{name}.moved.npy", np.stack(moved))
    told.write_text(make, encoding="utf-8")
    return HeatBank(folder, name)


class SequenceTask:
    """A Task of system.py over banks of heatmaps."""

    figures: tuple[str, ...] = ("nrmse_x_mav", "nrmse", "mav", "raw_nrmse", "raw_mav")

    def __init__(
        self,
        data: Path,
        folder: Path,
        backbone: Backbone,
        loss: Callable[[nn.Module, Heats, Tensor, Tensor], Tensor],
        *,
        seed: int,
        counts: tuple[int, int],
        unroll: int,
        config: SequenceConfig | None = None,
    ) -> None:
        config = config or SequenceConfig()
        training, held, _ = open_faces(data)
        make = {"seed": seed, "config": config}
        self.bank = fill_bank(folder, "train", training, backbone, counts[0], **make)  # type: ignore[arg-type]
        self.held = fill_bank(folder, "held", held, backbone, counts[1], **make)  # type: ignore[arg-type]
        self.seed, self.unroll, self._loss = seed, unroll, loss
        self.eyes = load_schema().eyes
        self.shapes = upright_shapes(training, backbone.info.crop, config.margin)

    def batch(self, number: int, size: int) -> Batch:
        """Heat (B, T, n, K, ...) float16, moved (B, T, 2, 3), points (B, T, K, 2) crop pixels.

        T is `unroll` or more: what is remembered of a face is of any length when learning begins.
        """
        chosen = []
        for i in range(number * size, (number + 1) * size):
            epoch, place = divmod(i, len(self.bank))
            order = np.random.default_rng((self.seed, epoch, 3)).permutation(len(self.bank))
            chosen.append(int(order[place]))
        whole = self.bank.points.shape[1]
        rng = np.random.default_rng((self.seed, number, 5))
        frames = int(rng.integers(min(self.unroll, whole), whole + 1))
        return (
            torch.from_numpy(np.stack([self.bank.heat[i][:frames] for i in chosen])),
            torch.from_numpy(self.bank.moved[chosen, :frames]),
            torch.from_numpy(self.bank.points[chosen, :frames]),
        )

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Mean over the batch."""
        heat, moved, points = batch
        return self._loss(network, heat.float().unbind(2), moved, points)

    @torch.no_grad()
    def held_errors(self, network: Stabilizer) -> NDArray[np.float64]:
        """(N, T, K, 2) crop px, of the backbone's points of the sequences held back."""
        errors = []
        for heat, truth in zip(self.held.heat, self.held.points, strict=True):
            found = network.points(torch.from_numpy(np.array(heat)).float().unbind(1))[0]
            errors.append(found.double().numpy() - truth)
        return np.stack(errors)

    @torch.no_grad()
    def validate(self, network: Stabilizer) -> dict[str, float]:
        """NRMSE in %, and MAV of the error in (% of the outer-eye distance)², raw and stabilized.

        The first is their product, by which the paper chooses (its tables 3 and 4).
        """
        device = next(network.parameters()).device
        steady, raw = [], []
        for number in range(len(self.held)):
            heat = torch.from_numpy(np.array(self.held.heat[number])).float().to(device)
            state = network.start(1)
            moved = torch.from_numpy(self.held.moved[number]).to(device)
            for frame, move in zip(heat, moved, strict=True):  # (n, K, ...), (2, 3)
                heats = tuple(part[None] for part in frame)
                found, state = network.step(heats, state, move[None])
                steady.append(found.points)
                raw.append(found.raw_points)
        truth = torch.from_numpy(self.held.points).to(device)
        shape = truth.shape
        error, error_raw = (torch.cat(part).reshape(shape) - truth for part in (steady, raw))
        eyes = (truth[:, :, self.eyes[0]] - truth[:, :, self.eyes[1]]).norm(dim=-1)
        scale = 100 / eyes.mean(1)  # (N,)
        nrmse, nrmse_raw = (
            float((e.norm(dim=-1).mean(-1) * 100 / eyes).mean()) for e in (error, error_raw)
        )
        mav, mav_raw = (_mav(e, scale) for e in (error, error_raw))
        figures = (nrmse * mav, nrmse, mav, nrmse_raw, mav_raw)
        return dict(zip(self.figures, figures, strict=True))


def upright_shapes(faces: Faces, size: int, margin: float) -> NDArray[np.float64]:
    """Landmarks (2N, K, 2) of faces and of their mirror images, in upright crops' pixels."""
    schema = load_schema()
    shapes: list[NDArray[np.floating]] = []
    for index, points in enumerate(faces.points):
        crop = clean_crop(faces, index, schema, margin)
        shape = transform(crop.from_picture(size), points)
        shapes += [shape, schema.mirrored(shape, size)]
    return np.stack(shapes).astype(np.float64)


def _mav(error: Tensor, scale: Tensor) -> float:
    """Eq. 11 of convlstm_jitter_pdc on errors (N, T, K, 2): Σ(e_{t+1} - e_t)² / (2(T-1))."""
    change = (error[:, 1:] - error[:, :-1]) * scale[:, None, None, None]
    return float((change.square().sum(1) / (2 * (error.shape[1] - 1))).mean())
