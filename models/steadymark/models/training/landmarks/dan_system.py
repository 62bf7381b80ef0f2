"""Training of the Deep Alignment Network, whose stages are trained one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.networks.dan import PRESETS, Dan, DanConfig, DanDecoded
from steadymark.models.networks.dan_loss import dan_loss, spread_loss
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn


@dataclass(frozen=True)
class DanSystem(LandmarkSystem[Dan]):
    """Training of one stage at a time with eq. 4 of the paper; earlier stages are frozen.

    Attributes:
        spread_weight: Weight of the likelihood loss that trains each landmark's score; it does not
            affect the landmarks.
        network: Configuration of the network; its schema is that of the system.

    Raises:
        ValueError: The network has another schema than the system, and not the default.
    """

    name: ClassVar[str] = "dan"
    paper: ClassVar[str] = "Deep Alignment Network (CVPRW 2017)"

    spread_weight: float = 0.05
    network: DanConfig = field(default_factory=DanConfig)

    def __post_init__(self) -> None:
        if self.network.schema == IBUG68 != self.schema:  # the default
            object.__setattr__(self, "network", replace(self.network, schema=self.schema))
        if self.network.schema != self.schema:
            raise ValueError(
                f"the network has the landmarks of {self.network.schema}, the training those of"
                f" {self.schema}: set the schema alone, as in --set schema={self.network.schema}"
            )
        super().__post_init__()

    @property
    def landmarks(self) -> int:
        return load_schema(self.network.schema).count

    @property
    def crop(self) -> int:
        return self.network.crop

    @property
    def phases(self) -> int:  # type: ignore[override]
        return self.network.stages

    def build(self) -> Dan:
        return Dan(self.network)

    def decoded(self, network: Dan) -> DanDecoded:
        return DanDecoded(network)

    def parameters(self, network: Dan, phase: int) -> Iterable[nn.Parameter]:
        return network.stage_parameters(phase + 1)

    def train_mode(self, network: Dan, phase: int) -> None:
        network.train_stage(phase + 1)

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        output = network(images, stages=phase + 1)
        schema = load_schema(self.network.schema)
        shape = output.shapes[-1].float()
        loss = dan_loss(shape, points, schema, face)
        spread = spread_loss(output.log_spread.float(), shape, points, schema, face)
        return self.with_score(100 * loss + self.spread_weight * spread, output.face, face)


LITE = DanSystem(rate=2e-3)
PAPER = DanSystem(preset="paper", rate=1e-3, weight_decay=0.0, batch=64, network=PRESETS["paper"])
