"""Common base of the systems that learn from single crops."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.runtime.zoo import DEFAULT_MODEL
from steadymark.models.training.data.augment import AugmentConfig
from steadymark.models.training.landmarks.distillation import distilled_targets
from steadymark.models.training.landmarks.further_faces import (
    describe_kinds,
    parse_kinds,
    with_further_faces,
)
from steadymark.models.training.landmarks.landmark_export import export_landmarks
from steadymark.models.training.landmarks.landmark_task import LandmarkTask
from steadymark.models.training.loop.weights_from_onnx import load_onnx_weights
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.system import Task

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class LandmarkSystem(System[Network]):
    """Training of a network from a crop to landmarks.

    Attributes:
        paper: Title of the paper.
        schema: Schema of the landmarks that the network learns.
        more_outputs: Names of the outputs of `decoded` after the first three.
        face_weight: Weight of the face score's cross entropy.
        augment: Augmentation of the samples.
        teachers: Teacher models, see `distilled_targets`.
        trust: Weight of the teachers in the labelled faces, see `distilled_targets`.
        further: Kinds of further training faces, such as `turned*3`, see `parse_kinds`. Photos of
            the hard set are then left out of the training, so that they measure accuracy.

    Raises:
        ValueError: The network does not have as many landmarks as the schema.
    """

    paper: ClassVar[str]
    more_outputs: ClassVar[tuple[str, ...]] = ()

    schema: str = IBUG68
    face_weight: float = 0.3
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    teachers: tuple[str, ...] = ()
    trust: float = 0.5
    further: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = load_schema(self.schema).count
        if self.landmarks != count:
            raise ValueError(
                f"the network has {self.landmarks} landmarks, the schema {self.schema} {count}: "
                "change both, as in --set schema=menpo84 --set network.landmarks=84"
            )

    @property
    @abstractmethod
    def landmarks(self) -> int:
        """Number of the network's landmarks, K."""

    @property
    @abstractmethod
    def crop(self) -> int:
        """Side F of the crop in pixels."""

    @abstractmethod
    def decoded(self, network: Network) -> nn.Module:
        """Return a module from uint8 crops (B, 3, F, F) to landmarks, scores and face scores.

        The landmarks are (B, K, 2) in crop pixels, the scores (B, K), the face scores (B,).
        """

    @abstractmethod
    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        """Return the mean loss of a batch.

        Args:
            network: The network.
            images: (B, 3, F, F) float.
            points: (B, K, 2) landmarks in crop pixels.
            face: (B,), 1 if there is a face, otherwise 0.
            phase: Phase of the training, from 0.
        """

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        cache_budget: CacheBudget | None = None,
    ) -> LandmarkTask[Network]:
        task = LandmarkTask(
            data,
            self.crop,
            self.augment,
            schema=load_schema(self.schema),
            seed=seed,
            loss=self.loss,
            decoded=self.decoded,
            val=val,
        )
        if self.teachers and self.trust:
            task.training = distilled_targets(
                task.training, task.schema, self.teachers, self.trust, seed=seed
            )
        if self.further:
            uses, teachers = parse_kinds(self.further), self.teachers or (DEFAULT_MODEL,)
            task.training = with_further_faces(
                task.training, data, uses, out, schema=task.schema, teachers=teachers, seed=seed
            )
            task.sources["data"] += describe_kinds(uses, teachers)
        return task

    def export(self, network: Network, run: Path, path: Path) -> dict[str, Any]:
        decoded = self.decoded(network)
        facts = export_landmarks(decoded, self.crop, path, more=self.more_outputs)
        entries = {"schema": self.schema, "margin": self.augment.margin, "paper": self.paper}
        return {**facts, **entries}

    def load_onnx_weights(self, file: Path, network: Network, task: Task) -> None:
        device = next(network.parameters()).device
        crops, _, _ = task.batch(0, 256)
        load_onnx_weights(file, self.decoded(network).cpu(), crops.permute(0, 3, 1, 2))
        network.to(device)

    def with_score(self, loss: Tensor, logit: Tensor, face: Tensor) -> Tensor:
        """Return the mean loss of samples with a face, plus the face score's cross entropy of all.

        Args:
            loss: (B,), or () if it is that mean already.
            logit: (B,) logits of the face score.
            face: (B,), 1 if there is a face, otherwise 0.
        """
        if loss.ndim:
            loss = (loss * face).sum() / face.sum().clamp_min(1)
        score = functional.binary_cross_entropy_with_logits(logit.float(), face)
        return loss + self.face_weight * score
