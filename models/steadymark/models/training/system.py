"""What a training run needs of a published system: network, batches, loss, score, export."""

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

N = TypeVar("N", bound=nn.Module)
Batch = tuple[Tensor, ...]
C = TypeVar("C")


class Task(Protocol):
    """A system on a data folder. figures: names of what `validate` gives, in its order.

    sources: plain values that a model card tells of the data.
    """

    figures: tuple[str, ...]
    sources: dict[str, Any]

    def batch(self, number: int, size: int) -> Batch:
        """Batch `number` of the endless stream: it follows from this number alone."""
        ...

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """The mean over the batch. network: the system's, or that wrapped to share gradients."""
        ...

    def validate(self, network: Any) -> dict[str, float]:
        """Figures of the faces held back; the lower the first, the better. See `figures`."""
        ...


@dataclass(frozen=True)
class System(ABC, Generic[N]):
    """One system at one size. Frozen, and its fields tell everything that training follows from.

    preset: `paper` or `lite`. rate, weight_decay, batch: of AdamW. phases: trained one after the
    other, each with its own schedule, for the same number of steps.
    """

    name: ClassVar[str]

    preset: str = "lite"
    rate: float = 2e-3
    weight_decay: float = 0.02
    batch: int = 32
    phases: ClassVar[int] = 1

    @abstractmethod
    def build(self) -> N:
        """The network, its weights drawn by torch's generator."""

    @abstractmethod
    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        allowance: CacheBudget | None = None,
    ) -> Task:
        """The task on a data folder. out: the run's folder, where what costs time may be kept.

        val: another data set, to validate by. allowance: for what is made before training.

        Raises:
            ValueError: the folder does not hold what is needed.
        """

    @abstractmethod
    def export(self, network: N, run: Path, path: Path) -> dict[str, Any]:
        """Write the ONNX file that the tracker runs; gives what its model card says of it."""

    def calibrate(self, network: N, task: Any) -> None:
        """Set what the network takes from the data before it trains."""

    def take_weights(self, file: Path, network: N, task: Task) -> None:
        """Begin with the weights of an exported model.

        Raises:
            ValueError: they cannot be had of it.
        """
        raise ValueError(f"{self.name} cannot begin with {file}: give a run's last.pt or best.pt")

    def parameters(self, network: N, phase: int) -> Iterable[nn.Parameter]:
        """What trains in this phase; the rest stands still."""
        return network.parameters()

    def train_mode(self, network: N, phase: int) -> None:
        """Set the modules that train to training mode."""
        network.train()

    def describe(self) -> dict[str, Any]:
        """The recipe for a checkpoint and a model card: plain values, read back by `thaw`."""
        return {"system": self.name, **dataclasses.asdict(self)}


def thaw(kind: type[C], values: dict[str, Any]) -> C:
    """A (nested) dataclass out of what `dataclasses.asdict` made of it; unknown keys are dropped.

    A field that may be one of several dataclasses becomes the one whose fields fit.
    """
    hints = typing.get_type_hints(kind)
    content = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.init and field.name in values:
            content[field.name] = _thaw_value(hints[field.name], values[field.name])
    return kind(**content)


def _thaw_value(hint: Any, value: Any) -> Any:
    if isinstance(value, dict):
        kinds = [k for k in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(k)]
        for kind in kinds:
            if {f.name for f in dataclasses.fields(kind)} >= value.keys():
                return thaw(typing.cast("type[Any]", kind), value)
        return value
    return tuple(value) if isinstance(value, list) else value
