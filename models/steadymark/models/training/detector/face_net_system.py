"""Training of the face detector face_net on tiles of photos."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.errors import DataError
from steadymark.models.networks.face_net import FaceNet, FaceNetConfig, export_face_net, locations
from steadymark.models.training.detector.detector_hard_faces import (
    load_turned,
    load_unlabelled,
    make_profiled,
)
from steadymark.models.training.detector.detector_loss import DetectorTargets, assign, face_losses
from steadymark.models.training.detector.detector_photos import (
    DetectorPhoto,
    frozen,
    load_photos,
    photo_from_tensors,
)
from steadymark.models.training.detector.detector_tiles import KINDS, TileConfig, TileMaker
from steadymark.models.training.detector.detector_validation import (
    DetectorScores,
    best_scores,
    validate_detector,
)
from steadymark.models.training.detector.face_net_card import (
    detector_sources,
    network_facts,
    scores_of,
)
from steadymark.models.training.detector.face_net_start import load_face_net
from steadymark.models.training.detector.hard_negatives import HardNegatives
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.system import Batch, Task

_TILE = 320  # side in pixels of the tiles that the batch size counts


@dataclass(frozen=True)
class FaceNetSystem(System[FaceNet]):
    """Training of face_net, see `face_net`.

    The batch size counts tiles of 320 pixels. Larger tiles are fewer, so that all batches have
    about as many pixels. The learning rate is constant until the last 35 % of the steps, so that a
    run can be extended.

    Attributes:
        profiled: Number of images with synthetically turned heads.
        box_weight: Weight of the box loss relative to the score loss.
        roll_weight: Weight of the roll loss; it is high because arbitrary rolls are learned slowly.
        hard_every: Number of batches between two measurements of the photos without faces, see
            `HardNegatives`. It must exceed the number of batches that workers prepare in advance.
        tiles: Probabilities and ranges of the tiles.
        network: Configuration of the network.
    """

    name: ClassVar[str] = "face-net"

    rate: float = 3e-3
    batch: int = 16
    warmup: int = 150
    cooled: float = 0.35
    profiled: int = 3000
    box_weight: float = 2.0
    roll_weight: float = 3.0
    hard_every: int = 2000
    tiles: TileConfig = field(default_factory=TileConfig)
    network: FaceNetConfig = field(default_factory=FaceNetConfig)

    def build(self) -> FaceNet:
        return FaceNet(self.network)

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        cache_budget: CacheBudget | None = None,
    ) -> FaceNetTask:
        cv2.setNumThreads(1)  # workers are forked, which OpenCV's threads do not survive
        sets = _photos(data, out, self.profiled, seed)
        return FaceNetTask(self, sets, data, val or data, seed=seed)

    def feedback(self, task: FaceNetTask) -> HardNegatives:
        return task.hard

    def export(self, network: FaceNet, run: Path, path: Path) -> dict[str, Any]:
        export_face_net(network, path)
        return network_facts(network)

    def load_onnx_weights(self, file: Path, network: FaceNet, task: Task) -> None:
        load_face_net(file, network, task.batch(0, 16)[0].permute(0, 3, 1, 2))

    def card_entries(self, figures: dict[str, float]) -> dict[str, Any]:
        return {"threshold": round(figures["threshold"], 3)} if figures else {}

    def scores_of(self, measured: dict[str, Any]) -> dict[str, float]:
        return scores_of(measured)


class FaceNetTask:
    """A `Task` of tiles.

    Args:
        system: The system.
        sets: Photos of each of `detector_tiles.KINDS`.
        data: The data folder.
        held_back: The data folder whose held-back photos are used for validation.
        seed: Seed of the tiles.
    """

    figures: tuple[str, ...] = ("missed", *(f.name for f in fields(DetectorScores)))

    def __init__(
        self,
        system: FaceNetSystem,
        sets: tuple[list[DetectorPhoto], ...],
        data: Path,
        held: Path,
        *,
        seed: int,
    ) -> None:
        self.system, self.held_back, self.seed = system, held, seed
        self.tile_maker = TileMaker(sets, system.tiles)
        measure = partial(best_scores, data=data, held_back=False)
        self.hard = HardNegatives(len(sets[2]), system.hard_every, measure)
        self.sources: dict[str, Any] = detector_sources(data)

    def batch(self, number: int, size: int) -> Batch:
        """Return tiles and their targets; they depend on the number and on `HardNegatives`.

        Returns:
            Tiles (B, S, S, 3) uint8 BGR, and the parts of `DetectorTargets` (B, n, …).
        """
        rng = np.random.default_rng((self.seed, number))
        side = int(rng.choice(self.system.tiles.sizes))
        self.tile_maker.hard = self.hard.at(number)
        tiles = [self.tile_maker.tile(rng, side) for _ in range(max(1, size * _TILE**2 // side**2))]
        places = locations(side, side)
        targets = [
            assign(places, *(torch.from_numpy(part) for part in (t.boxes, t.rolls, t.ignored)))
            for t in tiles
        ]
        images = torch.from_numpy(np.stack([t.image for t in tiles]))
        face, boxes, rolls = (torch.stack(part) for part in zip(*targets, strict=True))
        return images, face, boxes, rolls

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the weighted sum of the losses of score, box and roll."""
        images, *targets = batch
        rows = network(images.permute(0, 3, 1, 2).float())  # already channels-last in memory
        places = locations(*images.shape[1:3]).to(rows.device)
        with torch.autocast(rows.device.type, enabled=False):
            losses = face_losses(rows.float(), places, DetectorTargets(*targets))
        weighted = self.system.box_weight * losses.box + self.system.roll_weight * losses.roll
        return losses.score + weighted

    def validate(self, network: FaceNet) -> dict[str, float]:
        """Return the share of missed faces in %, and `DetectorScores`."""
        scores = validate_detector(network, self.held_back)
        return {"missed": scores.missed, **asdict(scores)}


def _photos(data: Path, out: Path, profiled: int, seed: int) -> tuple[list[DetectorPhoto], ...]:
    """Load the photos of `KINDS`; preparing them takes minutes, so they are cached in `out`.

    Raises:
        DataError: A folder is missing, or faces/none has too few photos.
    """
    file, parameters = out / "photos.pt", [str(data), profiled, seed]
    cached = load_checkpoint(file) if file.is_file() else {}
    if cached.get("made_of") == parameters:
        return tuple([photo_from_tensors(photo) for photo in photos] for photos in cached["sets"])
    sets = (
        *(load_photos(data, name) for name in KINDS[:3]),
        load_turned(data),
        load_unlabelled(data),
        make_profiled(data, profiled, seed),
    )
    if not sets[2]:
        raise DataError(f"{data / 'faces' / 'none'} has no photo to learn from: add some .jpg")
    tensors = [[frozen(photo) for photo in photos] for photos in sets]
    save_checkpoint(file, {"made_of": parameters, "sets": tensors})
    return sets


FACE_NET = FaceNetSystem()
