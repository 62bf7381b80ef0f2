"""Training of recurrent cells over a frozen detector: heatmap1d's tracker and a ConvLSTM."""

from __future__ import annotations

import dataclasses
import shutil
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.heatmap_losses import (
    PIXEL_LOSSES,
    change_loss,
    jitter_loss,
    jitter_modulation,
)
from steadymark.models.networks.pdc import px_to_bins
from steadymark.models.networks.stabilizer.convlstm import ConvLstmConfig
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    Heats,
    Stabilizer,
    StabilizerConfig,
)
from steadymark.models.networks.stabilizer.refiner import RefinerConfig
from steadymark.models.networks.stabilizer.shape_motion import noise_along, shape_basis
from steadymark.models.training.data.image_sequences import SequenceConfig
from steadymark.models.training.landmarks.landmark_task import clean_crops, open_faces, sources_of
from steadymark.models.training.stabilizer.frozen_backbone import BackboneInfo
from steadymark.models.training.stabilizer.open_backbone import open_backbone
from steadymark.models.training.stabilizer.sequence_task import SequenceTask
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.cache_budget import CacheBudget

_JITTER = "jitter"


@lru_cache(maxsize=1)
def sequence_faces(data: Path, val: Path | None, schema: str) -> tuple[FaceImages, FaceImages]:
    """Load the faces of `open_faces` for training and validation.

    The result is cached, because the backbone check and the training both need it.
    """
    training, held_back, _ = open_faces(data, schema, val)
    return training, held_back


@dataclass(frozen=True)
class RecurrentSystem(System[Stabilizer]):
    """Common base of both recurrent systems.

    Attributes:
        paper: Title of the paper.
        cell_name: Name of the cell in the model card.
        backbone: Properties of the backbone, see `over`.
        sequences: Greatest numbers of training and validation sequences.
        unroll: Frames through which gradients are propagated back.
        through: See `StabilizerConfig`; 0 in the papers.
        moves: Multiples of the noise from which lids and lips, and all other parts, count as
            moving, see `shape_motion`. Empty if the recurrent state follows only the face as a
            whole, as in the papers.
        sequence: Parameters of the sequences.
    """

    paper: ClassVar[str]
    cell_name: ClassVar[str]

    rate: float = 1e-3
    weight_decay: float = 0.0
    batch: int = 8
    backbone: BackboneInfo = field(default_factory=BackboneInfo)
    sequences: tuple[int, int] = (800, 60)
    unroll: int = 16
    through: float = 0.06
    moves: tuple[float, ...] = ()
    sequence: SequenceConfig = field(default_factory=SequenceConfig)

    def over(self, info: BackboneInfo, data: Path, val: Path | None = None) -> Self:
        """Return this system over a trained detector.

        Args:
            info: Properties of the detector. They are completed from its file and by measurements
                on faces of the data.
            data: The data folder or data set.
            val: Another data set for validation.
        """
        backbone = open_backbone(info)
        # Raises an error if the cell cannot use this backbone.
        dataclasses.replace(self, backbone=backbone.info).cell_config()
        size, margin, schema = backbone.info.crop, info.margin, load_schema(info.schema)
        backbone.calibrate(
            lambda: clean_crops(
                sequence_faces(data, val, schema.name)[0], size, margin, schema=schema
            )
        )
        info = backbone.info
        return dataclasses.replace(
            self, backbone=info, sequence=dataclasses.replace(self.sequence, margin=info.margin)
        )

    @abstractmethod
    def cell_config(self) -> RefinerConfig | ConvLstmConfig:
        """Return the configuration of each cell."""

    def build(self) -> Stabilizer:
        return Stabilizer(
            StabilizerConfig(
                self.cell_config(),
                self.backbone.crop,
                self.backbone.size,
                self.through,
                bool(self.moves),
            )
        )

    def calibrate(self, network: Stabilizer, task: SequenceTask) -> None:
        if network.shape is None:
            return
        basis, part_count = shape_basis(task.shapes, task.schema)
        noise = noise_along(task.held_back_errors(network), basis)
        noise[:part_count] *= self.moves[0]
        noise[part_count:] *= self.moves[-1]
        network.shape.basis.copy_(torch.from_numpy(basis))
        network.shape.least.copy_(torch.from_numpy(noise))

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        cache_budget: CacheBudget | None = None,
    ) -> SequenceTask:
        source = Path(self.backbone.file)
        backbone = open_backbone(self.backbone)
        copy = self.backbone_copy(out)
        # The run's folder must hold all that its export needs.
        if source.resolve() != copy.resolve():
            shutil.copyfile(source, copy)
            card = source.with_suffix(".json")
            if source.suffix == ".onnx" and card.is_file():
                shutil.copyfile(card, copy.with_suffix(".json"))
        return SequenceTask(
            sequence_faces(data, val, self.backbone.schema),
            out / "bank",
            backbone,
            self.loss,
            seed=seed,
            counts=self.sequences,
            unroll=self.unroll,
            config=self.sequence,
            cache_budget=cache_budget,
            descriptions=[name for name in sources_of(data, val) if name != "faces/none"],
        )

    def backbone_copy(self, run: Path) -> Path:
        """Return the path of the copy of the backbone in a run's folder."""
        return run / f"backbone{Path(self.backbone.file).suffix or '.pt'}"

    @abstractmethod
    def loss(self, network: nn.Module, heats: Heats, moved: Tensor, points: Tensor) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            network: The stabilizer.
            heats: Heatmaps (B, T, K, ...), one tensor, or one for x and one for y.
            moved: (B, T, 2, 3) transforms to the crop before.
            points: (B, T, K, 2) landmarks in crop pixels.
        """

    def _unrolled(
        self, network: nn.Module, heats: Heats, moved: Tensor, points: Tensor
    ) -> tuple[Heats, Tensor]:
        """Return the stabilized heatmaps of the frames with gradients, and their true landmarks."""
        steady = tuple(part.float() for part in network(heats, moved, self.unroll))
        return steady, points[:, -steady[0].shape[1] :]

    def targets(self, points: Tensor) -> Heats:
        """Return the true heatmaps (B, T, K, ...) with peaks of 1."""
        size, sigma = self.backbone.size, self.backbone.sigma
        sides = (size[-1], size[0])  # lengths of the x and y axes
        heatmaps = []
        for axis, length in enumerate(sides):
            bins = px_to_bins(points[..., axis], self.backbone.crop, length)
            grid = torch.arange(length, device=points.device, dtype=points.dtype)
            heatmaps.append(torch.exp(-0.5 * ((grid - bins.unsqueeze(-1)) / sigma).square()))
        if len(size) == 1:
            return tuple(heatmaps)
        return (heatmaps[1].unsqueeze(-1) * heatmaps[0].unsqueeze(-2),)

    def export(self, network: Stabilizer, run: Path, path: Path) -> dict[str, Any]:
        info = dataclasses.replace(self.backbone, file=str(self.backbone_copy(run)))
        facts = open_backbone(info).export(network, path)
        size = self.backbone.crop
        return {
            "kind": "landmarks",
            "schema": self.backbone.schema,
            "crop": size,
            "margin": self.backbone.margin,
            "input": {"type": "uint8", "layout": "NCHW BGR", "size": f"{size}x{size}"},
            "paper": self.paper,
            "cell": self.cell_name,
            **facts,
        }


@dataclass(frozen=True)
class TrackerSystem(RecurrentSystem):
    """Training of heatmap1d's tracker: temporal refinement, eq. 13, with the loss of eq. 14.

    Attributes:
        l1: Weight of the landmarks' error in crop pixels, added to the heatmaps' squared error.
        steady: Weight of `change_loss`, which is not in the paper.
        cell: Configuration of the cell.
    """

    name: ClassVar[str] = "heatmap1d-tracker"
    cell_name: ClassVar[str] = "refine"
    paper: ClassVar[str] = "heatmap1d: Attentive One-Dimensional Heatmap Regression (MM 2020)"

    l1: float = 0.5
    steady: float = 1.0
    cell: RefinerConfig = field(default_factory=lambda: RefinerConfig(decay=0.8))

    def cell_config(self) -> RefinerConfig:
        if len(self.backbone.size) != 1:
            raise ValueError(
                f"{self.name} is for lines of x and of y, and {self.backbone.file} gives maps: use "
                "'steadymark-train stabilize'"
            )
        count = load_schema(self.backbone.schema).count
        return dataclasses.replace(self.cell, landmarks=count)

    def loss(self, network: nn.Module, heats: Heats, moved: Tensor, points: Tensor) -> Tensor:
        steady, points = self._unrolled(network, heats, moved, points)
        pairs = zip(steady, self.targets(points), strict=True)
        heatmap_loss = torch.stack([(a - b).square().sum(-1).mean() for a, b in pairs]).sum()
        stabilized = _points(network, steady)
        point_loss = self.l1 * (stabilized - points).abs().mean()
        return heatmap_loss + point_loss + self.steady * change_loss(stabilized, points)


@dataclass(frozen=True)
class StabilizerSystem(RecurrentSystem):
    """Training of a ConvLSTM over a backbone's 1D or 2D heatmaps with the Jitter loss, eqs. 2-7.

    Attributes:
        heatmap_loss: `jitter`, or `l2` or `awing`, with which the paper compares it (figure 6).
        threshold: Θ of the paper.
        xi: ξ of eq. 3, in crop pixels.
        least: λ of eq. 8.
        l1: As in `TrackerSystem`.
        steady: Weight of `change_loss`, which is not in the paper.
        kernel: Kernel size of the cell; its number of axes is that of the heatmaps.
        rank: Rank of the cell.

    Raises:
        ValueError: There is no such loss.
    """

    name: ClassVar[str] = "stabilizer"
    cell_name: ClassVar[str] = "convlstm"
    paper: ClassVar[str] = "A Backbone Replaceable Fine-tuning Framework for Stable Face Alignment"

    moves: tuple[float, ...] = (1.8, 5.0)
    heatmap_loss: str = _JITTER
    threshold: float = 1.0
    xi: float = 0.25
    least: float = 0.1
    l1: float = 0.5
    steady: float = 1.0
    kernel: int = 9
    rank: int = 32

    def __post_init__(self) -> None:
        if self.heatmap_loss not in (_JITTER, *PIXEL_LOSSES):
            raise ValueError(
                f"heatmap_loss={self.heatmap_loss}: choose one of "
                f"{', '.join((_JITTER, *PIXEL_LOSSES))}"
            )

    def cell_config(self) -> ConvLstmConfig:
        axes = len(self.backbone.size)
        kernel = self.kernel if axes == 1 else min(self.kernel, 3)
        count = load_schema(self.backbone.schema).count
        return ConvLstmConfig(landmarks=count, axes=axes, kernel=kernel, rank=self.rank)

    def loss(self, network: nn.Module, heats: Heats, moved: Tensor, points: Tensor) -> Tensor:
        steady, points = self._unrolled(network, heats, moved, points)
        stabilized = _points(network, steady)
        total = self.l1 * (stabilized - points).abs().mean()
        total = total + self.steady * change_loss(stabilized, points)
        psi = self._modulation(stabilized, points)
        for heat, target in zip(steady, self.targets(points), strict=True):
            later_heat, later_target = heat[:, 1:].flatten(0, 1), target[:, 1:].flatten(0, 1)
            total = total + self._heatmap_loss(later_heat, later_target, psi)
        return total

    def _heatmap_loss(self, heat: Tensor, target: Tensor, psi: Tensor) -> Tensor:
        if self.heatmap_loss == _JITTER:
            return jitter_loss(heat, target, psi, threshold=self.threshold, least=self.least)
        return PIXEL_LOSSES[self.heatmap_loss](heat, target).flatten(2).sum(-1).mean()

    def _modulation(self, stabilized: Tensor, points: Tensor) -> Tensor:
        """Return Ψ (B*(T-1), K) of landmarks (B, T, K, 2)."""
        return jitter_modulation(
            stabilized[:, 1:],
            points[:, 1:],
            stabilized[:, :-1],
            points[:, :-1],
            threshold=self.threshold,
            xi=self.xi,
        ).flatten(0, 1)


def _points(network: nn.Module, heats: Heats) -> Tensor:
    """Return the landmarks of heatmaps by PDC; the network may be wrapped to share gradients."""
    inner = network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network
    assert isinstance(inner, Stabilizer)
    return inner.points(heats)[0]


TRACKER = TrackerSystem()
TRACKER_PAPER = TrackerSystem(
    preset="paper",
    rate=1e-4,
    batch=10,
    through=0.0,
    l1=0.0,
    steady=0.0,
    cell=RefinerConfig(width=128, kernel=9),
)
STABILIZER = StabilizerSystem()
STABILIZER_PAPER = StabilizerSystem(
    preset="paper", rate=1e-4, through=0.0, least=0.0, l1=0.0, steady=0.0, rank=0, moves=()
)
