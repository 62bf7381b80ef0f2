"""Train the face detector face_net.

`python -m steadymark.models.training.detector.train_face_net --data … --out … --steps N`
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

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
    thawed,
)
from steadymark.models.training.detector.detector_tiles import KINDS, TileConfig, TileMaker
from steadymark.models.training.detector.detector_validation import (
    DetectorScores,
    best_scores,
    validate_detector,
)
from steadymark.models.training.loop.checkpoint import commit, load_checkpoint, save_checkpoint


@dataclass(frozen=True, slots=True)
class FaceNetTraining:
    """Settings of the training.

    Attributes:
        steps: Total number of steps over all resumptions.
        cooled: Last share of the steps, in which the learning rate falls by half a cosine. Before
            it the rate is constant, so that a run can be extended.
        profiled: Number of images with synthetically turned heads.
        box_weight: Weight of the box loss relative to the score loss.
        roll_weight: Weight of the roll loss; it is high because arbitrary rolls are learned slowly.
        seed: Seed of weights and samples.
        rate: Peak learning rate.
        decay: Weight decay.
        warmup: Steps of the warm-up.
        average: Decay of the averaged weights per step.
        check_every_min: Minutes between validations.
        tiles: Probabilities and ranges of the tiles.
        network: Configuration of the network.
    """

    steps: int
    cooled: float = 0.35
    profiled: int = 3000
    box_weight: float = 2.0
    roll_weight: float = 3.0
    seed: int = 68
    rate: float = 3e-3
    decay: float = 0.02
    warmup: int = 150
    average: float = 0.9995
    check_every_min: float = 15.0
    tiles: TileConfig = field(default_factory=TileConfig)
    network: FaceNetConfig = field(default_factory=FaceNetConfig)


Batch = tuple[Tensor, Tensor, DetectorTargets]


class TileBatches(Dataset[Batch]):
    """Batches of tiles; batch i depends only on the seed, i and `hard`."""

    def __init__(
        self,
        sets: tuple[list[DetectorPhoto], ...],
        config: FaceNetTraining,
        first: int,
        hard: Tensor,
    ) -> None:
        """Set the photos and the settings.

        Args:
            sets: Photos of each of `KINDS`.
            config: Settings of the training.
            first: Number of the first batch.
            hard: Best score in each photo without faces, see `TileMaker`; its memory is shared with
                the trainer.
        """
        self.sets = sets
        self.hard = hard
        self.tiler: TileMaker | None = None
        self.config = config
        self.first = first

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> Batch:
        cv2.setNumThreads(1)
        if self.tiler is None:  # created in the worker process, which shares the memory of `hard`
            self.tiler = TileMaker(self.sets, self.config.tiles, self.hard.numpy())
        rng = np.random.default_rng((self.config.seed, self.first + index))
        size = int(rng.choice(self.config.tiles.sizes))
        count = max(1, self.config.tiles.pixels_a_batch // size**2)
        tiles = [self.tiler.tile(rng, size) for _ in range(count)]
        places = locations(size, size)
        told = [
            assign(places, *(torch.from_numpy(part) for part in (t.boxes, t.rolls, t.ignored)))
            for t in tiles
        ]
        images = torch.from_numpy(np.stack([t.image for t in tiles]))
        face, boxes, rolls = (torch.stack(part) for part in zip(*told, strict=True))
        return images, places, DetectorTargets(face, boxes, rolls)


@dataclass(slots=True)
class FaceNetRun:
    """State of a run that a checkpoint restores."""

    network: FaceNet
    mean: FaceNet
    optimizer: torch.optim.Optimizer
    step: int = 0
    minutes: float = 0.0
    samples: int = 0
    history: list[tuple[int, str]] = field(default_factory=list)

    def save(self, path: Path, config: FaceNetTraining) -> None:
        """Write the checkpoint atomically."""
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "minutes": self.minutes,
            "samples": self.samples,
            "config": asdict(config),
            "commit": commit(),
            "history": self.history,
        }
        save_checkpoint(path, state)

    def load(self, path: Path) -> None:
        """Restore the state of a checkpoint."""
        state = load_checkpoint(path)
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.minutes = state["step"], state["minutes"]
        self.samples = state["samples"]
        self.history = state.get("history", [(0, state["commit"])])


def start_run(config: FaceNetTraining) -> FaceNetRun:
    """Create a run at step 0."""
    torch.manual_seed(config.seed)
    network = FaceNet(config.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.rate)
    return FaceNetRun(network, copy.deepcopy(network).eval(), optimizer)


def rate_now(step: int, config: FaceNetTraining) -> float:
    """Return the learning rate: linear warm-up, constant, then half a cosine at the end."""
    left = (config.steps - step) / max(1.0, config.cooled * config.steps)
    warm = min((step + 1) / config.warmup, 1.0)
    return config.rate * warm * (0.5 - 0.5 * math.cos(math.pi * min(max(left, 0.0), 1.0))) + 1e-5


def _step(run: FaceNetRun, batch: Batch, config: FaceNetTraining) -> list[float]:
    """Run one training step, and return the three losses."""
    images, places, targets = batch
    x = images.permute(0, 3, 1, 2).float()  # this is already channels-last in memory
    for group in run.optimizer.param_groups:
        group["lr"] = rate_now(run.step, config)
    with torch.autocast("cpu", torch.bfloat16):
        rows = run.network(x)
    losses = face_losses(rows.float(), places, targets)
    run.optimizer.zero_grad(set_to_none=True)
    weighted = config.box_weight * losses.box + config.roll_weight * losses.roll
    (losses.score + weighted).backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), 10.0)
    run.optimizer.step()
    run.step += 1
    run.samples += len(images)
    _average(run, min(config.average, run.step / (run.step + 20)))
    return [float(loss.detach()) for loss in losses]


@torch.no_grad()
def _average(run: FaceNetRun, keep: float) -> None:
    """Update the exponential moving average of weights and batch norm statistics."""
    fresh = run.network.state_dict()
    for name, mean in run.mean.state_dict().items():
        if mean.is_floating_point():
            mean.lerp_(fresh[name], 1 - keep)
        else:
            mean.copy_(fresh[name])


def _hard(run: FaceNetRun, data: Path) -> Tensor:
    """Return the best score in each training photo without faces."""
    return torch.from_numpy(best_scores(run.mean, data, held_back=False))


def _photos(data: Path, out: Path, config: FaceNetTraining) -> tuple[list[DetectorPhoto], ...]:
    """Load the photos of `KINDS`; preparing them takes minutes, so they are cached in `out`."""
    kept = out / "photos.pt"
    if kept.is_file():
        return tuple(
            [thawed(photo) for photo in photos] for photos in load_checkpoint(kept)["sets"]
        )
    sets = (
        *(load_photos(data, name) for name in KINDS[:3]),
        load_turned(data),
        load_unlabelled(data),
        make_profiled(data, config.profiled, config.seed),
    )
    save_checkpoint(kept, {"sets": [[frozen(photo) for photo in photos] for photos in sets]})
    return sets


def _note(path: Path, run: FaceNetRun, losses: list[list[float]], result: DetectorScores) -> None:
    """Append a row to the training curve."""
    new = not path.is_file()
    means = np.mean(losses, 0).round(4).tolist()
    with path.open("a", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        if new:
            lines.writerow(["step", "minutes", "samples", "score", "box", "roll", *asdict(result)])
        row = [run.step, round(run.minutes, 1), run.samples, *means]
        lines.writerow([*row, *(round(v, 4) for v in asdict(result).values())])


def _loader(batches: TileBatches) -> DataLoader[Batch]:
    """Return a loader with one spawned worker; a forked one hangs after OpenCV has run threads."""
    return DataLoader(
        batches,
        batch_size=None,
        num_workers=1,
        prefetch_factor=4,
        multiprocessing_context="spawn",
        persistent_workers=True,
    )


def train_face_net(
    data: Path, out: Path, *, config: FaceNetTraining, resume: bool = False, threads: int = 1
) -> Path:
    """Train until all steps are done.

    Args:
        data: The data folder.
        out: Folder of the run.
        config: Settings of the training.
        resume: Continue from the checkpoint in `out`.
        threads: CPU threads of the network.

    Returns:
        Path of the ONNX file in `out`.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    run, kept, curve = start_run(config), out / "face_net.pt", out / "face_net_curve.csv"
    if resume and kept.is_file():
        run.load(kept)
    else:
        curve.unlink(missing_ok=True)
    run.history = [*run.history, (run.step, commit())]
    sets = _photos(data, out, config)
    hard = torch.ones(len(sets[2])).share_memory_()  # type: ignore[no-untyped-call]
    if run.step:
        hard.copy_(_hard(run, data))
    losses: list[list[float]] = []
    before, checked = time.monotonic(), run.minutes
    run.network.train()
    for batch in _loader(TileBatches(sets, config, run.step, hard)):
        losses.append(_step(run, batch, config))
        now = time.monotonic()
        run.minutes, before = run.minutes + (now - before) / 60, now
        over = run.step >= config.steps
        if over or run.minutes - checked >= config.check_every_min:
            run.save(kept, config)
            _note(curve, run, losses, validate_detector(run.mean, data))
            hard.copy_(_hard(run, data))
            losses, checked = [], run.minutes
        if over:
            break
    path = out / "face_net.onnx"
    export_face_net(run.mean, path)
    return path


def main(argv: list[str] | None = None) -> None:
    """Run the command line program."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--steps", type=int, default=120_000)
    options.add_argument("--rate", type=float, default=3e-3)
    options.add_argument("--seed", type=int, default=68)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--resume", action="store_true")
    given = options.parse_args(argv)
    config = FaceNetTraining(steps=given.steps, seed=given.seed, rate=given.rate)
    train_face_net(given.data, given.out, config=config, resume=given.resume, threads=given.threads)


if __name__ == "__main__":
    main()
