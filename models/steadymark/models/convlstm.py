"""ConvLSTM over 1D and 2D heatmaps (convlstm_jitter_pdc, eq. 1; cell of Shi et al. 2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

_GATES = 4  # input, forget, output, candidate


@dataclass(frozen=True, slots=True)
class ConvLstmConfig:
    """A cell with one channel of memory a landmark. axes: 1 or 2, of the heatmaps.

    rank: 0 for full convolutions as in the paper; else each gate convolves every landmark by
    itself and mixes the landmarks at every place through so many channels, which costs little.
    """

    landmarks: int = 68
    axes: int = 1
    kernel: int = 9
    rank: int = 0


class LstmState(NamedTuple):
    """h and c: (B, K, L) or (B, K, H, W)."""

    h: Tensor
    c: Tensor


class FullGates(nn.Module):
    """One convolution from (o_t, h_{t-1}) to the four gates, as in the paper."""

    def __init__(self, config: ConvLstmConfig) -> None:
        super().__init__()
        k, middle = config.landmarks, config.kernel // 2
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        self.conv = kind(2 * k, _GATES * k, config.kernel, padding=middle)
        with torch.no_grad():
            self.conv.weight.mul_(0.03)
            here = (middle,) * config.axes
            for landmark in range(k):
                for gate, (of_heat, of_h) in enumerate(_FIRST):
                    weight = self.conv.weight[gate * k + landmark]
                    weight[landmark][here] += of_heat
                    weight[k + landmark][here] += of_h
            self.conv.bias.copy_(_biases(k))  # type: ignore[union-attr]

    def forward(self, heat: Tensor, h: Tensor) -> Tensor:
        gates: Tensor = self.conv(torch.cat((heat, h), 1))
        return gates


class SeparableGates(nn.Module):
    """Each landmark convolved by itself, all mixed at each place; ours, for one core."""

    def __init__(self, config: ConvLstmConfig) -> None:
        super().__init__()
        k, middle = config.landmarks, config.kernel // 2
        self.landmarks = k
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        # channel j of (heat, h) has four outputs in a row: its share in the four gates
        self.each = kind(2 * k, 2 * _GATES * k, config.kernel, padding=middle, groups=2 * k)
        self.down = kind(2 * k, config.rank, 1)
        self.up = kind(config.rank, _GATES * k, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.mul_(0.03)
            here = (middle,) * config.axes
            for landmark in range(k):
                for gate, (of_heat, of_h) in enumerate(_FIRST):
                    self.each.weight[landmark * _GATES + gate, 0][here] += of_heat
                    self.each.weight[(k + landmark) * _GATES + gate, 0][here] += of_h
            self.up.bias.copy_(_biases(k))  # type: ignore[union-attr]

    def forward(self, heat: Tensor, h: Tensor) -> Tensor:
        both = torch.cat((heat, h), 1)
        parts = self.each(both).unflatten(1, (2, self.landmarks, _GATES)).sum(1)  # (B, K, 4, ...)
        own = parts.transpose(1, 2).flatten(1, 2)  # (B, 4K, ...), grouped by gate
        gates: Tensor = own + self.up(torch.relu(self.down(both)))
        return gates


_HALF = 0.5
_OPEN = 3.0  # before the sigmoid
_NEW = 0.05  # share of the newest frame in memory
_LOGIT = math.log(_NEW / (1 - _NEW))
_OUT = (1 + math.exp(-_OPEN)) / _HALF  # from h back to a heatmap
_ODD = 8.0  # how much more comes in and goes where heatmap and memory differ
_FIRST = ((_ODD, -_ODD * _OUT), (_ODD, -_ODD * _OUT), (0.0, 0.0), (_HALF, 0.0))  # of heatmap and h


def _biases(landmarks: int) -> Tensor:
    """Of what is in memory 1 - _NEW stays, _NEW of the frame comes in, and the output is open."""
    return torch.tensor([_LOGIT, -_LOGIT, _OPEN, 0.0]).repeat_interleave(landmarks)


class ConvLstm(nn.Module):
    """h_t, c_t, s_t = ConvLSTM(h_{t-1}, c_{t-1}, o_t).

    It starts nearly as the mean of the last frames: the candidate is half the heatmap it is given,
    and the output undoes the halving. Where the two differ memory gives way sooner. Training
    teaches it when.
    """

    def __init__(self, config: ConvLstmConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ConvLstmConfig()
        self.gates = SeparableGates(config) if config.rank else FullGates(config)
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        self.out = kind(config.landmarks, config.landmarks, 1, groups=config.landmarks)
        nn.init.constant_(self.out.weight, _OUT)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def start(self, faces: int, *size: int) -> LstmState:
        """Memory of new faces: zeros of the heatmaps' size."""
        zeros = self.out.weight.new_zeros(faces, self.config.landmarks, *size)
        return LstmState(zeros, zeros.clone())

    def forward(self, heat: Tensor, state: LstmState) -> tuple[Tensor, LstmState]:
        """heat: o_t (B, K, L) or (B, K, H, W), peaks about 1 → s_t of the same shape, h and c."""
        i, f, o, g = self.gates(heat, state.h).chunk(_GATES, 1)
        c = f.sigmoid() * state.c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return self.out(h), LstmState(h, c)
