"""What the systems that learn from single crops share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.training.data.augment import AugmentConfig
from steadymark.models.training.landmarks.distillation import distilled_targets
from steadymark.models.training.landmarks.landmark_export import export_landmarks
from steadymark.models.training.landmarks.landmark_task import LandmarkTask
from steadymark.models.training.loop.weights_from_onnx import take_weights
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.system import Task

N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class LandmarkSystem(System[N]):
    """A network from a crop to landmarks.

    face_weight: of the face score's cross entropy. teachers, trust: see `distilled_targets`.
    """

    paper: ClassVar[str]

    face_weight: float = 0.3
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    teachers: tuple[str, ...] = ()
    trust: float = 0.5

    @property
    @abstractmethod
    def crop(self) -> int:
        """F, pixels."""

    @abstractmethod
    def decoded(self, network: N) -> nn.Module:
        """uint8 crops (B, 3, F, F) → points (B, K, 2) crop px, scores (B, K), face (B,)."""

    @abstractmethod
    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        """images: (B, 3, F, F), points: (B, K, 2) crop pixels, face: (B,), 1 or 0 → the mean."""

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        allowance: CacheBudget | None = None,
    ) -> LandmarkTask[N]:
        task = LandmarkTask(
            data, self.crop, self.augment, seed=seed, loss=self.loss, decoded=self.decoded, val=val
        )
        if self.teachers:
            task.training = distilled_targets(
                task.training, task.schema, self.teachers, self.trust, seed=seed
            )
        return task

    def export(self, network: N, run: Path, path: Path) -> dict[str, Any]:
        facts = export_landmarks(self.decoded(network), self.crop, path)
        return {**facts, "margin": self.augment.margin, "paper": self.paper}

    def take_weights(self, file: Path, network: N, task: Task) -> None:
        device = next(network.parameters()).device
        crops, _, _ = task.batch(0, 256)
        take_weights(file, self.decoded(network).cpu(), crops.permute(0, 3, 1, 2))
        network.to(device)

    def with_score(self, loss: Tensor, logit: Tensor, face: Tensor) -> Tensor:
        """Mean loss of the samples with a face, plus the face score's cross entropy of all.

        loss: (B,), or () where it is that mean already.
        """
        if loss.ndim:
            loss = (loss * face).sum() / face.sum().clamp_min(1)
        score = functional.binary_cross_entropy_with_logits(logit.float(), face)
        return loss + self.face_weight * score
