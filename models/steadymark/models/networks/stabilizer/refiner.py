"""The tracker of heatmap1d (section 4.2): temporal refinement of 1D heatmaps, eq. 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class RefinerConfig:
    """CNN_3 and CNN_4 of one axis. decay: λ of eq. 13. width: channels of U and V."""

    landmarks: int = 68
    width: int = 68
    kernel: int = 5
    decay: float = 0.3


class RefinerState(NamedTuple):
    """v: (B, C, L), the V of eq. 13."""

    v: Tensor


class Refiner(nn.Module):
    """One axis: V_t = U_t + λ V_{t-1}, which is eq. 13 as a recurrence; E'_t = CNN_4(V_t).

    It starts as a mean of the last frames: both networks pass on the heatmaps that they are given,
    and a gain, which no position depends on, brings E_t + E'_t back to peaks of 1.
    """

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
        for conv in (*self.cnn3, *self.cnn4):
            if isinstance(conv, nn.Conv1d):
                _pass_on(conv)
        self.gain = nn.Parameter(torch.tensor(1 / (1 + 1 / (1 - min(config.decay, 0.99)))))

    def start(self, faces: int, bins: int) -> RefinerState:
        """V_0 of new faces: (faces, C, L) zeros."""
        return RefinerState(next(self.parameters()).new_zeros(faces, self.config.width, bins))

    def forward(self, heat: Tensor, state: RefinerState) -> tuple[Tensor, RefinerState]:
        """heat: E_t (B, K, L), peaks about 1 → E_t + E'_t, scaled, of the same shape, and V_t."""
        v = self.cnn3(heat) + self.config.decay * state.v
        return self.gain * (heat + self.cnn4(v)), RefinerState(v)


@torch.no_grad()
def _pass_on(conv: nn.Conv1d) -> None:
    """Channels go through as they are, but for a tenth of what random weights make of all."""
    first = conv.weight.clone()
    nn.init.dirac_(conv.weight)
    conv.weight.add_(0.1 * first)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
