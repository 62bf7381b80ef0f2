"""The recurrent systems over a frozen detector: heatmap1d's tracker and the ConvLSTM stabilizer."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import shutil
from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.convlstm import ConvLstmConfig
from steadymark.models.export import count_macs, export_onnx
from steadymark.models.heatmap1d import Heatmap1d, Heatmap1dConfig, px_to_bins
from steadymark.models.losses import gaussian_targets, jitter_loss, jitter_modulation
from steadymark.models.refine import RefinerConfig
from steadymark.models.stabilizer import (
    Heats,
    Stabilized1dDecoded,
    Stabilizer,
    StabilizerConfig,
    flat,
    heats_of_logits,
)
from steadymark.models.training.loop import load, to_image
from steadymark.models.training.sequence_task import Halves, SequenceTask
from steadymark.models.training.sequences import SequenceConfig
from steadymark.models.training.system import System, thaw

if TYPE_CHECKING:
    from steadymark.models.cropping import Image


class Heatmap1dBackbone:
    """A trained heatmap1d as a HeatBackbone; `file` is a checkpoint of its run."""

    def __init__(self, file: Path) -> None:
        kept = load(file)
        self.recipe: dict[str, Any] = kept["recipe"]
        if self.recipe.get("system") != "heatmap1d":
            raise ValueError(f"{file} is of {self.recipe.get('system')}, heatmap1d is needed")
        self.config = thaw(Heatmap1dConfig, self.recipe["network"])
        self.sigma = float(self.recipe["sigma"])
        self.network = Heatmap1d(self.config).eval()
        self.network.load_state_dict(kept["averaged"])
        self.crop, self.size = self.config.crop, (self.config.bins,)
        weights = np.concatenate([v.flatten()[:64].float() for v in kept["averaged"].values()])
        self.identity = hashlib.sha256(weights.tobytes()).hexdigest()[:16]

    def __call__(self, crops: Image) -> Halves:
        with torch.no_grad():
            found = self.network(to_image(torch.from_numpy(crops)))
            heats = heats_of_logits(found.x, found.y, sigma=self.sigma)
        halves: Halves = torch.stack(heats, 1).half().numpy()
        return halves


@dataclass(frozen=True)
class Over1dSystem(System[Stabilizer]):
    """What both recurrent systems share.

    backbone: a checkpoint of heatmap1d; its network and sigma are filled in from there by `over`.
    """

    rate: float = 1e-3
    weight_decay: float = 0.0
    batch: int = 8
    backbone: str = ""
    detector: Heatmap1dConfig = field(default_factory=Heatmap1dConfig)
    sigma: float = 3.0
    sequences: tuple[int, int] = (2000, 120)
    sequence: SequenceConfig = field(default_factory=SequenceConfig)

    def over(self, backbone: Path) -> Self:
        """This system over a trained heatmap1d."""
        found = Heatmap1dBackbone(backbone)
        return dataclasses.replace(
            self, backbone=str(backbone), detector=found.config, sigma=found.sigma
        )

    @abstractmethod
    def cell_config(self) -> RefinerConfig | ConvLstmConfig:
        """Of the cell of each axis."""

    def build(self) -> Stabilizer:
        detector = self.detector
        return Stabilizer(StabilizerConfig(self.cell_config(), detector.crop, (detector.bins,)))

    def open(self, data: Path, out: Path, *, seed: int) -> SequenceTask:
        if not self.backbone:
            raise ValueError(
                f"{self.name} needs a trained heatmap1d: name its run's last.pt with --backbone"
            )
        backbone = Heatmap1dBackbone(Path(self.backbone))
        if Path(self.backbone) != out / "backbone.pt":  # the run keeps all that its export needs
            shutil.copyfile(self.backbone, out / "backbone.pt")
        return SequenceTask(
            data,
            out / "bank",
            backbone,
            self.loss,
            seed=seed,
            counts=self.sequences,
            config=self.sequence,
        )

    @abstractmethod
    def loss(self, network: nn.Module, heats: Heats, points: Tensor) -> Tensor:
        """heats: (B, T, K, L) for x and y; points: (B, T, K, 2) crop pixels."""

    def targets(self, points: Tensor) -> Heats:
        """True marginals (B, T, K, L) for x and y, peaks of 1."""
        bins = px_to_bins(points, self.detector)
        scale = math.sqrt(2 * math.pi) * self.sigma
        both = gaussian_targets(bins, self.detector.bins, self.sigma) * scale  # (B, T, K, 2, L)
        return both[..., 0, :], both[..., 1, :]

    def decoded(self, network: Stabilizer, backbone: Heatmap1dBackbone) -> Stabilized1dDecoded:
        """uint8 crops and memory → points, raw points, scores, face and memory."""
        return Stabilized1dDecoded(backbone.network, network, sigma=self.sigma).eval()

    def export(self, network: Stabilizer, run: Path, path: Path) -> dict[str, Any]:
        backbone = Heatmap1dBackbone(run / "backbone.pt")
        whole = self.decoded(network, backbone)
        names = network.memory_names()
        size = backbone.crop
        crops = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        memory = tuple(flat(network.start(2)))
        faces = torch.export.Dim("n")
        export_onnx(
            whole,
            (crops, memory),
            path,
            inputs=["crops", *names],
            outputs=["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)],
            dynamic=({0: faces}, tuple({0: faces} for _ in memory)),
        )
        return {
            "kind": "landmarks",
            "crop": size,
            "margin": self.sequence.margin,
            "input": {"type": "uint8", "layout": "NCHW BGR", "size": f"{size}x{size}"},
            "params": sum(p.numel() for p in whole.parameters()),
            "macs": count_macs(whole, crops[:1], tuple(part[:1] for part in memory)),
            "paper": self.paper,
        }

    paper: ClassVar[str]


@dataclass(frozen=True)
class TrackerSystem(Over1dSystem):
    """heatmap1d's tracker: temporal refinement, eq. 13, trained by eq. 14.

    l1: weight of the points' error in bins beside the squared error of the heatmaps.
    """

    name: ClassVar[str] = "heatmap1d-tracker"
    paper: ClassVar[str] = "heatmap1d: Attentive One-Dimensional Heatmap Regression (MM 2020)"

    l1: float = 0.5
    cell: RefinerConfig = field(default_factory=RefinerConfig)

    def cell_config(self) -> RefinerConfig:
        return self.cell

    def loss(self, network: nn.Module, heats: Heats, points: Tensor) -> Tensor:
        steady = tuple(part.float() for part in network(heats))
        pairs = zip(steady, self.targets(points), strict=True)
        squared = torch.stack([(a - b).square().sum(-1).mean() for a, b in pairs]).sum()
        return squared + self.l1 * (_points(network, steady) - points).abs().mean()


@dataclass(frozen=True)
class Stabilizer1dSystem(Over1dSystem):
    """ConvLSTM over 1D heatmaps, trained by the Jitter loss, eqs. 2-7.

    threshold: Θ. xi: ξ of eq. 3, crop pixels. least: λ of eq. 8. l1: as in TrackerSystem.
    """

    name: ClassVar[str] = "stabilizer-1d"
    paper: ClassVar[str] = "A Backbone Replaceable Fine-tuning Framework for Stable Face Alignment"

    threshold: float = 1.0
    xi: float = 0.25
    least: float = 0.1
    l1: float = 0.5
    cell: ConvLstmConfig = field(default_factory=lambda: ConvLstmConfig(rank=32))

    def cell_config(self) -> ConvLstmConfig:
        return self.cell

    def loss(self, network: nn.Module, heats: Heats, points: Tensor) -> Tensor:
        steady = tuple(part.float() for part in network(heats))
        found = _points(network, steady)
        psi = jitter_modulation(
            found[:, 1:],
            points[:, 1:],
            found[:, :-1],
            points[:, :-1],
            threshold=self.threshold,
            xi=self.xi,
        ).flatten(0, 1)  # (B*(T-1), K)
        total = self.l1 * (found - points).abs().mean()
        for heat, target in zip(steady, self.targets(points), strict=True):
            after, aim = heat[:, 1:].flatten(0, 1), target[:, 1:].flatten(0, 1)
            total = total + jitter_loss(after, aim, psi, threshold=self.threshold, least=self.least)
        return total


def _points(network: nn.Module, heats: Heats) -> Tensor:
    """PDC of the heatmaps, whether or not the network is wrapped to share gradients."""
    inner = network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network
    assert isinstance(inner, Stabilizer)
    return inner.points(heats)[0]


TRACKER = TrackerSystem()
TRACKER_PAPER = TrackerSystem(
    preset="paper", rate=1e-4, batch=10, cell=RefinerConfig(width=128, kernel=9)
)
STABILIZER = Stabilizer1dSystem()
STABILIZER_PAPER = Stabilizer1dSystem(
    preset="paper", rate=1e-4, least=0.0, l1=0.0, cell=ConvLstmConfig(kernel=9)
)
