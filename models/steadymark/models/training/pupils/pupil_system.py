"""Training of the network that finds pupils."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.errors import DataError
from steadymark.models.face.eye_crop import EYE_WIDTH, MARGIN
from steadymark.models.networks.pupil_net import PupilNet, PupilNetConfig, export_pupil_net
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint
from steadymark.models.training.pupils.eye_augment import SEEN, UNSURE, EyeAugment, augment_eye
from steadymark.models.training.pupils.eye_pictures import (
    EyePicture,
    annotated_eyes,
    as_tensors,
    from_tensors,
    labelled_eyes,
    unlabelled_eyes,
)
from steadymark.models.training.pupils.eye_renders import render_eye
from steadymark.models.training.pupils.pupil_labels import closed_eyes, label_pupils
from steadymark.models.training.pupils.pupil_scores import (
    area_under_curve,
    crop_of_eye,
    error_percent,
    held_back_eyes,
)
from steadymark.models.training.system import System, dataclass_from_dict

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image
    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.system import Batch

_WIDTH_PX = EYE_WIDTH / MARGIN  # width of the wider eye in a crop
SEEN_FROM = 0.7  # least probability of a pupil that is seen, for the model card
_KINDS = ("labelled", "closed", "taught")
_LICENCE = (
    "weights trained on SCUT-FBP5500, UTKFace and 300W: for research purposes only, no commercial "
    "products"
)


@dataclass(frozen=True)
class PupilSystem(System[PupilNet]):
    """Training of the pupil network, see `pupil_net`.

    Attributes:
        teacher: Name of an earlier run in the folder of this one, whose network labels the eyes of
            300W and UTKFace; empty to learn without them.
        drawn: Share of the samples that are drawn eyes.
        closed: Share of the samples that are real closed eyes.
        taught: Share of the samples that the teacher labelled.
        seen_weight: Weight of the loss of the score.
        spread_weight: Weight of the heatmap's variance.
        augment: Random changes of the eyes.
        network: Configuration of the network.
    """

    name: ClassVar[str] = "pupils"

    rate: float = 3e-3
    weight_decay: float = 0.01
    batch: int = 128
    warmup: int = 200
    teacher: str = ""
    drawn: float = 0.12
    closed: float = 0.12
    taught: float = 0.36
    seen_weight: float = 2.5
    spread_weight: float = 0.02
    augment: EyeAugment = field(default_factory=EyeAugment)
    network: PupilNetConfig = field(default_factory=PupilNetConfig)

    def build(self) -> PupilNet:
        return PupilNet(self.network)

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        cache_budget: CacheBudget | None = None,
    ) -> PupilTask:
        cv2.setNumThreads(1)  # workers are forked, which OpenCV's threads do not survive
        eyes = _eyes(data, out, self.teacher, seed)
        return PupilTask(self, eyes, held_back_eyes(val or data, cache=out), seed=seed)

    def export(self, network: PupilNet, run: Path, path: Path) -> dict[str, Any]:
        return {**export_pupil_net(network, path), "threshold": SEEN_FROM}


class PupilTask:
    """A `Task` of eyes.

    Args:
        system: The system.
        eyes: The training eyes of each of `_KINDS`.
        held_back: Eyes with known pupils, and eyes without (closed or open), for validation.
        seed: Seed of the samples.
    """

    figures: tuple[str, ...] = ("error_percent", "error_95_percent", "closed_auc")

    def __init__(
        self,
        system: PupilSystem,
        eyes: dict[str, list[EyePicture]],
        held_back: dict[str, list[EyePicture]],
        *,
        seed: int,
    ) -> None:
        self.system, self.eyes, self.held_back, self.seed = system, eyes, held_back, seed
        taught = ["faces/unlabelled (UTKFace) and 300w/train, labelled by an earlier pupil network"]
        self.sources: dict[str, Any] = {
            "data": [
                "faces/unlabelled/pupils.csv (SCUT-FBP5500) without the held-back part",
                "300w/train: closed eyes, without the held-back part",
                *(taught if eyes["taught"] else []),
                "drawn eyes",
            ],
            "licence": _LICENCE,
        }

    def batch(self, number: int, size: int) -> Batch:
        """Return crops (B, H, W) uint8, centres (B, 2) and labels (B,), see `EyeSample`."""
        rng = np.random.default_rng((self.seed, number))
        samples = [augment_eye(self._draw(rng), self.system.augment, rng) for _ in range(size)]
        images, centres, seen = zip(*samples, strict=True)
        return (
            torch.from_numpy(np.stack(images)),
            torch.from_numpy(np.stack(centres)),
            torch.tensor(seen),
        )

    def _draw(self, rng: np.random.Generator) -> EyePicture:
        system, share = self.system, rng.random()
        if share < system.drawn:
            return render_eye(rng)
        share -= system.drawn
        closed = self.eyes["closed"]
        if share < system.closed and closed:
            return closed[int(rng.integers(len(closed)))]
        taught = self.eyes["taught"]
        if share < system.closed + system.taught and taught:
            return taught[int(rng.integers(len(taught)))]
        labelled = self.eyes["labelled"]
        return labelled[int(rng.integers(len(labelled)))]

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the loss of the centres in % of the eye's width, and that of the score."""
        crops, centres, label = batch
        with torch.autocast(crops.device.type, enabled=False):  # it is slower for so small layers
            xy, logit, spread = network(crops)
        is_seen, known = (label == SEEN).float(), (label != UNSURE).float()
        error = (xy - centres).norm(dim=1) / _WIDTH_PX * 100
        placed = functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none")
        placed = placed + self.system.spread_weight * spread
        placed = (placed * is_seen).sum() / is_seen.sum().clamp_min(1)
        score = functional.binary_cross_entropy_with_logits(logit, is_seen, reduction="none")
        score = (score * known).sum() / known.sum().clamp_min(1)
        total: Tensor = placed + self.system.seen_weight * score
        return total

    def validate(self, network: PupilNet) -> dict[str, float]:
        """Return mean and 95th percentile of the error, and how well closed eyes are told."""
        results = {
            kind: _run(network, np.stack([crop_of_eye(eye) for eye in eyes]))
            for kind, eyes in self.held_back.items()
            if eyes
        }
        labelled = self.held_back["labelled"]
        errors = error_percent(labelled, results["labelled"][0])
        is_closed = self.held_back["closed"] and self.held_back["open"]
        auc = area_under_curve(results["open"][1], results["closed"][1]) if is_closed else np.nan
        return dict(
            zip(
                self.figures,
                (float(errors.mean()), float(np.percentile(errors, 95)), float(auc)),
                strict=True,
            )
        )


@torch.no_grad()
def _run(network: PupilNet, crops: Image) -> tuple[Any, Any]:
    """Return the centres (n, 2) and the probabilities (n,) for crops (n, H, W)."""
    device = next(network.parameters()).device
    starts = range(0, len(crops), 256)
    parts = [network(torch.from_numpy(crops[i : i + 256]).to(device)) for i in starts]
    xy, seen = (torch.cat([part[i] for part in parts]).float().cpu() for i in (0, 1))
    return xy.numpy(), seen.sigmoid().numpy()


def _eyes(data: Path, out: Path, teacher: str, seed: int) -> dict[str, list[EyePicture]]:
    """Cut the training eyes of each kind; this takes minutes, so they are kept in `out`."""
    file, made_of = out / "eyes.pt", [str(data), teacher, seed]
    cached = load_checkpoint(file) if file.is_file() else {}
    if cached.get("made_of") == made_of:
        return {kind: from_tensors(cached[kind]) for kind in _KINDS}
    network = _teacher(out.parent / teacher) if teacher else None
    annotated = annotated_eyes(data, held_back=False)
    eyes = {
        "labelled": labelled_eyes(data, held_back=False),
        "closed": closed_eyes(annotated),
        "taught": [],
    }
    if network is not None:
        unlabelled = [*annotated, *unlabelled_eyes(data)]
        eyes["taught"] = label_pupils(unlabelled, partial(_run, network), seed=seed)
    save_checkpoint(file, {"made_of": made_of, **{k: as_tensors(v) for k, v in eyes.items()}})
    return eyes


def _teacher(run: Path) -> PupilNet:
    """Return the averaged network of an earlier run.

    Raises:
        DataError: There is no such run, or it trained something else.
    """
    file = run / "last.pt"
    if not file.is_file():
        raise DataError(f"teacher={run.name}: {file} does not exist: train it first")
    content = load_checkpoint(file)
    recipe = content.get("recipe", {})
    if recipe.get("system") != PupilSystem.name:
        raise DataError(f"teacher={run.name}: {file} is no run of the system pupils")
    network = dataclass_from_dict(PupilSystem, recipe).build()
    network.load_state_dict(content["averaged"])
    return network.eval()


PUPIL_SYSTEM = PupilSystem()
