"""The tracker of heatmap1d (section 4.2): temporal refinement of 1D heatmaps, eq. 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class RefinerConfig:
    """CNN_3 and CNN_4 of one axis. decay: λ of eq. 13. width: channels of U and V."""

    landmarks: int = 68
    width: int = 64
    kernel: int = 5
    decay: float = 0.3


class RefinerState(NamedTuple):
    """v: (B, C, L), the V of eq. 13."""

    v: Tensor


class Refiner(nn.Module):
    """One axis: V_t = U_t + λ V_{t-1}, which is eq. 13 as a recurrence; E'_t = CNN_4(V_t)."""

    def __init__(self, config: RefinerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RefinerConfig()
        k, c, pad = config.landmarks, config.width, config.kernel // 2
        self.cnn3 = nn.Sequential(
            nn.Conv1d(k, c, config.kernel, padding=pad),
            nn.ReLU(inplace=True),
            nn.Conv1d(c, c, config.kernel, padding=pad),
        )
        self.cnn4 = nn.Sequential(
            nn.Conv1d(c, c, 1),
            nn.ReLU(inplace=True),
            nn.Conv1d(c, k, config.kernel, padding=pad),
        )
        last = self.cnn4[-1]
        assert isinstance(last, nn.Conv1d)
        nn.init.normal_(last.weight, std=1e-3)  # it starts as the detector that it refines
        assert last.bias is not None
        nn.init.zeros_(last.bias)

    def start(self, faces: int, bins: int) -> RefinerState:
        """V_0 of new faces: (faces, C, L) zeros."""
        return RefinerState(next(self.parameters()).new_zeros(faces, self.config.width, bins))

    def forward(self, heat: Tensor, state: RefinerState) -> tuple[Tensor, RefinerState]:
        """heat: E_t (B, K, L), peaks about 1 → E_t + E'_t of the same shape, and V_t."""
        v = self.cnn3(heat) + self.config.decay * state.v
        return heat + self.cnn4(v), RefinerState(v)
