"""What a training run needs of a system: network, batches, loss, validation and export."""

from __future__ import annotations

import dataclasses
import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from torch import Tensor, nn

if typing.TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from steadymark.models.training.stabilizer.cache_budget import CacheBudget

Network = TypeVar("Network", bound=nn.Module)
Batch = tuple[Tensor, ...]
Config = TypeVar("Config")


class Task(Protocol):
    """A system on a particular data set.

    Attributes:
        figures: Names of the values that `validate` returns, in its order.
        sources: Plain values that a model card states about the data.
    """

    figures: tuple[str, ...]
    sources: dict[str, Any]

    def batch(self, number: int, size: int) -> Batch:
        """Return batch `number` of an endless stream; it depends on this number and `Feedback`."""
        ...

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the mean loss over the batch.

        Args:
            network: The system's network, which may be wrapped to share gradients between
                processes.
            batch: A batch of `batch`.
            phase: Phase of the training, from 0.
        """
        ...

    def validate(self, network: Any) -> dict[str, float]:
        """Return the figures on held-back faces; the first is the score, and lower is better."""
        ...


class Feedback(Protocol):
    """Influence of the training on its samples; its state is part of the checkpoint."""

    def update(self, network: Any, done: int) -> None:
        """Follow the averaged network after a training step.

        Args:
            network: The averaged network.
            done: Number of batches that all processes have trained on. Workers may already have
                prepared later ones, whose samples must not depend on this update.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        ...


@dataclass(frozen=True)
class System(ABC, Generic[Network]):
    """One trainable system at one size; its frozen fields determine the whole training.

    Attributes:
        name: Name of the system.
        preset: Name of the size, such as `lite` or `paper`.
        rate: Learning rate of AdamW.
        weight_decay: Weight decay of AdamW.
        batch: Batch size.
        warmup: Greatest length of the learning rate's warm-up in steps; it is at most 5 % of them.
        cooled: Last share of the training, in which the learning rate falls by half a cosine.
        phases: Number of phases, which are trained in order with equal numbers of steps; each has
            its own schedule.
    """

    name: ClassVar[str]

    preset: str = "lite"
    rate: float = 2e-3
    weight_decay: float = 0.02
    batch: int = 32
    warmup: int = 500
    cooled: float = 1.0
    phases: ClassVar[int] = 1

    @abstractmethod
    def build(self) -> Network:
        """Build the network with random weights from torch's generator."""

    @abstractmethod
    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        cache_budget: CacheBudget | None = None,
    ) -> Task:
        """Open the task on a data set.

        Args:
            data: The data folder or data set.
            out: Folder of the run, where data that is slow to prepare may be cached.
            seed: Seed of the samples.
            val: Another data set for validation; by default a part of `data`.
            cache_budget: Time budget for data that is prepared before training.

        Raises:
            ValueError: The data set lacks something that is needed.
        """

    @abstractmethod
    def export(self, network: Network, run: Path, path: Path) -> dict[str, Any]:
        """Write the ONNX file that the tracker runs, and return entries for its model card.

        Args:
            network: The trained network.
            run: Folder of the run.
            path: The ONNX file to write.
        """

    def calibrate(self, network: Network, task: Any) -> None:
        """Set constants of the network that are measured on the data before training."""

    def feedback(self, task: Any) -> Feedback | None:
        """Return how the training changes the samples of its task; None if it does not."""
        return None

    def card_entries(self, figures: dict[str, float]) -> dict[str, Any]:
        """Return entries of the model card that the validation chose.

        Args:
            figures: Result of the last validation of the exported weights.
        """
        return {}

    def scores_of(self, measured: dict[str, Any]) -> dict[str, float]:
        """Return the scores of the model card from a JSON file of measured figures."""
        return {name: float(value) for name, value in measured.items()}

    def load_onnx_weights(self, file: Path, network: Network, task: Task) -> None:
        """Initialize the network with the weights of an exported model.

        Raises:
            ValueError: The system cannot read weights from this file.
        """
        raise ValueError(f"{self.name} cannot begin with {file}: give a run's last.pt or best.pt")

    def parameters(self, network: Network, phase: int) -> Iterable[nn.Parameter]:
        """Return the parameters that train in this phase; the others are frozen."""
        return network.parameters()

    def train_mode(self, network: Network, phase: int) -> None:
        """Set the modules that train in this phase to training mode."""
        network.train()

    def describe(self) -> dict[str, Any]:
        """Return the recipe for checkpoints and cards; `dataclass_from_dict` reads it."""
        return {"system": self.name, **dataclasses.asdict(self)}


def dataclass_from_dict(kind: type[Config], values: dict[str, Any]) -> Config:
    """Rebuild a (nested) dataclass from the result of `dataclasses.asdict`, ignoring unknown keys.

    If a field's type is a union of dataclasses, the first one whose fields fit is built.

    Args:
        kind: The dataclass.
        values: Result of `dataclasses.asdict`.
    """
    hints = typing.get_type_hints(kind)
    content = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.init and field.name in values:
            content[field.name] = _rebuild_value(hints[field.name], values[field.name])
    return kind(**content)


def _rebuild_value(hint: Any, value: Any) -> Any:
    if isinstance(value, dict):
        kinds = [k for k in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(k)]
        for kind in kinds:
            if {f.name for f in dataclasses.fields(kind)} >= value.keys():
                return dataclass_from_dict(typing.cast("type[Any]", kind), value)
        return value
    return tuple(value) if isinstance(value, list) else value
