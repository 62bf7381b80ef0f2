"""Temporal refinement of 1D heatmaps, the tracker of heatmap1d (section 4.2, eq. 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class RefinerConfig:
    """Sizes of CNN_3 and CNN_4 of one axis.

    Attributes:
        landmarks: Number of landmarks, K.
        width: Channels C of U and V.
        kernel: Kernel size of the convolutions.
        decay: λ of eq. 13.
    """

    landmarks: int = 68
    width: int = 68
    kernel: int = 5
    decay: float = 0.3


class RefinerState(NamedTuple):
    """The recurrent state: V of eq. 13, (B, C, L)."""

    v: Tensor


class Refiner(nn.Module):
    """The refinement of one axis, which is eq. 13 as a recurrence.

    V_t = U_t + λ V_{t-1} with U_t = CNN_3(E_t), and E'_t = CNN_4(V_t).

    Before training it is nearly a mean of the last frames, because both networks nearly pass their
    input through. A gain scales E_t + E'_t to peaks of 1; it does not change positions.
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
                _init_near_identity(conv)
        self.gain = nn.Parameter(torch.tensor(1 / (1 + 1 / (1 - min(config.decay, 0.99)))))

    def start(self, faces: int, bins: int) -> RefinerState:
        """Return the state V_0 of new faces: zeros (faces, C, bins)."""
        return RefinerState(next(self.parameters()).new_zeros(faces, self.config.width, bins))

    def forward(self, heat: Tensor, state: RefinerState) -> tuple[Tensor, RefinerState]:
        """Process one frame.

        Args:
            heat: E_t, (B, K, L), with peaks of about 1.
            state: V_{t-1}.

        Returns:
            E_t + E'_t, scaled, of the same shape, and V_t.
        """
        v = self.cnn3(heat) + self.config.decay * state.v
        return self.gain * (heat + self.cnn4(v)), RefinerState(v)


@torch.no_grad()
def _init_near_identity(conv: nn.Conv1d) -> None:
    """Initialise a convolution as the identity plus a tenth of its random weights."""
    random_weight = conv.weight.clone()
    nn.init.dirac_(conv.weight)
    conv.weight.add_(0.1 * random_weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
