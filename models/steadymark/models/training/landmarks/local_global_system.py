"""Training of the local_global network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from steadymark.models.networks.local_global import (
    PRESETS,
    LocalGlobal,
    LocalGlobalConfig,
    LocalGlobalDecoded,
    local_global_loss,
)
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class LocalGlobalSystem(LandmarkSystem[LocalGlobal]):
    """End-to-end training of heatmaps with part attention, followed by a shape regressor.

    Attributes:
        heat_weight: Weight of the paper's heatmap loss.
        point_weight: Weight of the paper's landmark loss.
        network: Configuration of the network.
    """

    name: ClassVar[str] = "local_global"
    paper: ClassVar[str] = "Combining Local and Global Features for 3D Face Tracking (ICCVW 2017)"

    heat_weight: float = 1.0
    point_weight: float = 1.0
    network: LocalGlobalConfig = field(default_factory=lambda: PRESETS["lite"])

    @property
    def landmarks(self) -> int:
        return self.network.landmarks

    @property
    def crop(self) -> int:
        return self.network.crop

    def build(self) -> LocalGlobal:
        return LocalGlobal(self.network)

    def decoded(self, network: LocalGlobal) -> LocalGlobalDecoded:
        return LocalGlobalDecoded(network)

    def loss(
        self, network: nn.Module, images: Tensor, points: Tensor, face: Tensor, phase: int
    ) -> Tensor:
        output = network(images)
        loss = local_global_loss(
            output,
            points,
            face,
            self.network,
            heat_weight=self.heat_weight,
            point_weight=self.point_weight,
        )
        return self.with_score(loss, output.face, face)


LITE = LocalGlobalSystem(rate=1e-3, batch=16)
PAPER = LocalGlobalSystem(
    preset="paper", rate=2.5e-4, weight_decay=0.0, batch=10, network=PRESETS["paper"]
)
