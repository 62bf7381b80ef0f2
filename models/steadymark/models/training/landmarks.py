"""Train heatmap1d on a 300W folder."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from steadymark.models.cropping import cut, inverse, transform
from steadymark.models.heatmap1d import (
    Heatmap1d,
    Heatmap1dConfig,
    Heatmap1dDecoded,
    px_to_bins,
)
from steadymark.models.losses import marginal_loss
from steadymark.models.schema import load_schema
from steadymark.models.training.augment import AugmentConfig, Sample, clean_crop, make_sample
from steadymark.models.training.faces import Faces, load_backgrounds, load_faces, split
from steadymark.models.training.loop import (
    Averaged,
    Clock,
    Curve,
    Schedule,
    commit,
    load,
    save,
    to_image,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LandmarkRecipe:
    """How heatmap1d is trained. sigma: of the target marginals, in bins. l1: a bin's weight."""

    minutes: float = 120.0
    rate: float = 2e-3
    weight_decay: float = 0.02
    batch: int = 32
    sigma: float = 3.0
    l1: float = 0.05
    face_weight: float = 0.3
    seed: int = 7
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    network: Heatmap1dConfig = field(default_factory=Heatmap1dConfig)


SAVE_S = 55.0  # seconds of training that an interruption may cost
CHECK_S = 240.0


class SampleStream(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Sample number → tensors; a batch follows from its number, so a resumed run sees the same."""

    def __init__(self, faces: Faces, backgrounds: tuple[Any, ...], recipe: LandmarkRecipe) -> None:
        self.faces, self.backgrounds, self.recipe = faces, backgrounds, recipe
        self.schema = load_schema()

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        recipe = self.recipe
        sample: Sample = make_sample(
            self.faces,
            self.backgrounds,
            self.schema,
            recipe.network.crop,
            number,
            seed=recipe.seed,
            config=recipe.augment,
        )
        return (
            torch.from_numpy(np.ascontiguousarray(sample.crop)),
            torch.from_numpy(sample.points),
            torch.tensor(sample.face),
        )


class Numbers:
    """Batches of consecutive sample numbers, from a step on, without end."""

    def __init__(self, batch: int, step: int) -> None:
        self.batch, self.step = batch, step

    def __iter__(self) -> Iterator[list[int]]:
        step = self.step
        while True:
            yield list(range(step * self.batch, (step + 1) * self.batch))
            step += 1


def batch_loss(
    network: Heatmap1d, batch: tuple[Tensor, Tensor, Tensor], recipe: LandmarkRecipe
) -> Tensor:
    """Mean over the batch; samples without a face teach the face score alone."""
    crops, points, face = batch
    device = next(network.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        heat = network(to_image(crops.to(device)))
    bins = px_to_bins(points.to(device), recipe.network)
    face = face.to(device, torch.float32)
    loss = marginal_loss(heat.x.float(), bins[..., 0], sigma=recipe.sigma, l1=recipe.l1)
    loss = loss + marginal_loss(heat.y.float(), bins[..., 1], sigma=recipe.sigma, l1=recipe.l1)
    points_loss = (loss * face).sum() / face.sum().clamp_min(1)
    face_loss = functional.binary_cross_entropy_with_logits(heat.face.float(), face)
    return points_loss + recipe.face_weight * face_loss


@torch.no_grad()
def validate(network: Heatmap1d, faces: Faces, recipe: LandmarkRecipe) -> float:
    """NRMSE in % with the crop that the true landmarks give."""
    schema, size = load_schema(), recipe.network.crop
    decoded = Heatmap1dDecoded(network).eval()
    errors = []
    for index in range(len(faces)):
        crop = clean_crop(faces, index, schema, recipe.augment.margin)
        matrix = crop.to_picture(size)
        image = cut(faces.pictures[index], matrix, size)
        points = decoded(torch.from_numpy(image[None]).permute(0, 3, 1, 2))[0][0].numpy()
        truth = transform(inverse(matrix), faces.points[index])
        eyes = np.linalg.norm(truth[schema.eyes[0]] - truth[schema.eyes[1]])
        errors.append(np.linalg.norm(points - truth, axis=-1).mean() / eyes * 100)
    return float(np.mean(errors))


class Run:
    """One training run: what changes from step to step, and its checkpoint `last.pt`."""

    def __init__(self, out: Path, recipe: LandmarkRecipe, *, resume: bool) -> None:
        self.out, self.recipe = out, recipe
        out.mkdir(parents=True, exist_ok=True)
        self.checkpoint = out / "last.pt"
        self.curve = Curve(out / "curve.csv", ("minute", "samples", "rate", "loss", "val_nrmse"))
        torch.manual_seed(recipe.seed)
        self.network = Heatmap1d(recipe.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = Averaged(self.network)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), recipe.rate, weight_decay=recipe.weight_decay
        )
        self.schedule = Schedule(recipe.minutes, recipe.rate)
        self.step, self.clock, self.loss = 0, Clock(), 0.0
        self.history: list[tuple[int, str]] = []
        if resume and self.checkpoint.exists():
            self._load()
        self.history = [*self.history, (self.step, commit())]

    def _load(self) -> None:
        kept = load(self.checkpoint)
        self.network.load_state_dict(kept["weights"])
        self.averaged.network.load_state_dict(kept["averaged"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.step, self.clock = kept["step"], Clock(kept["elapsed_s"])
        self.history = kept["history"]

    def save(self) -> None:
        """Write the checkpoint."""
        content = {
            "weights": self.network.state_dict(),
            "averaged": self.averaged.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed_s": self.clock.elapsed_s,
            "recipe": dataclasses.asdict(self.recipe),
            "schema": "ibug68",
            "commit": self.history[-1][1],
            "history": self.history,
        }
        save(self.checkpoint, content)

    def learn(self, batch: tuple[Tensor, Tensor, Tensor]) -> None:
        """One step."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.at(self.step, self.clock.elapsed_s)
        loss = batch_loss(self.network, batch, self.recipe)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.averaged.update(self.network, self.step)
        value = float(loss.detach())
        self.loss += (value - self.loss) * (0.01 if self.step else 1.0)
        self.step += 1

    def check(self, held: Faces) -> str:
        """Score the averaged weights, note it in the curve, and say it."""
        score = validate(self.averaged.network, held, self.recipe)
        minute, samples = self.clock.elapsed_s / 60, self.step * self.recipe.batch
        rate = self.optimizer.param_groups[0]["lr"]
        self.curve.add(minute=minute, samples=samples, rate=rate, loss=self.loss, val_nrmse=score)
        return f"{minute:.1f} min, {samples} samples, loss {self.loss:.3f}, val {score:.3f} %"


def train_landmarks(
    data: Path,
    out: Path,
    recipe: LandmarkRecipe,
    *,
    resume: bool,
    workers: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> Path:
    """Train to the end of the recipe's minutes; returns the checkpoint `last.pt` in `out`."""
    training, held = split(load_faces(data / "300w" / "train"))
    backgrounds = load_backgrounds(data / "faces" / "none")
    report(f"{len(training)} faces to train, {len(held)} to validate, {len(backgrounds)} without")
    run = Run(out, recipe, resume=resume)
    loader = DataLoader(
        SampleStream(training, backgrounds, recipe),
        batch_sampler=Numbers(recipe.batch, run.step),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    saved_s, checked_s = run.clock.elapsed_s, run.clock.elapsed_s
    run.network.train()
    for batch in loader:
        run.learn(batch)
        over = run.clock.elapsed_s >= recipe.minutes * 60
        if over or run.clock.elapsed_s > checked_s + CHECK_S:
            report(run.check(held))
            checked_s = run.clock.elapsed_s
        if over or run.clock.elapsed_s > saved_s + SAVE_S:
            run.save()
            saved_s = run.clock.elapsed_s
        if over:
            break
    return run.checkpoint
