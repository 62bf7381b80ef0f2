"""ConvLSTM for 1D and 2D heatmaps (convlstm_jitter_pdc, eq. 1; the cell of Shi et al., 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from steadymark.models.runtime.heatmap_cell_ablation import (
    HEATMAP_SCALE,
    INIT_SCALE,
    INPUT_GATE_BIAS,
    OUTPUT_GATE_BIAS,
    OUTPUT_SCALE,
)

_GATES = 4  # input, forget, output, candidate


@dataclass(frozen=True, slots=True)
class ConvLstmConfig:
    """Sizes of a cell, which has one state channel per landmark.

    Attributes:
        landmarks: Number of landmarks, K.
        axes: Number of axes of the heatmaps, 1 or 2.
        kernel: Kernel size of the convolutions.
        rank: 0 for the paper's cell; else the number of channels through which the landmarks are
            mixed, see `SeparableGates`.
    """

    landmarks: int = 68
    axes: int = 1
    kernel: int = 9
    rank: int = 0


class ConvLstmState(NamedTuple):
    """The recurrent state: hidden state h and cell state c, (B, K, L) or (B, K, H, W) each."""

    h: Tensor
    c: Tensor


class Gates(NamedTuple):
    """The gates of one frame, (B, K, L) or (B, K, H, W) each, after their activation functions.

    Attributes:
        write: The input gate, in (0, 1).
        keep: The forget gate, in (0, 1).
        show: The output gate, in (0, 1).
        candidate: What may be written to the cell state, in (-1, 1).
    """

    write: Tensor
    keep: Tensor
    show: Tensor
    candidate: Tensor


class FullGates(nn.Module):
    """The paper's gates: one convolution from (o_t, h_{t-1}) to all four gates."""

    def __init__(self, config: ConvLstmConfig) -> None:
        super().__init__()
        k, middle = config.landmarks, config.kernel // 2
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        self.conv = kind(2 * k, _GATES * k, config.kernel, padding=middle)
        with torch.no_grad():
            self.conv.weight.mul_(INIT_SCALE)
            for landmark in range(k):
                self.conv.weight[3 * k + landmark, landmark][(middle,) * config.axes] += (
                    HEATMAP_SCALE
                )
            biases = torch.tensor([INPUT_GATE_BIAS, -INPUT_GATE_BIAS, OUTPUT_GATE_BIAS, 0.0])
            self.conv.bias.copy_(biases.repeat_interleave(k))  # type: ignore[union-attr]

    def forward(self, heat: Tensor, h: Tensor) -> Gates:
        """Compute the gates of heatmaps and hidden state (B, K, ...)."""
        write, keep, show, candidate = self.conv(torch.cat((heat, h), 1)).chunk(_GATES, 1)
        return Gates(write.sigmoid(), keep.sigmoid(), show.sigmoid(), candidate.tanh())


class SeparableGates(nn.Module):
    """Gates with separable convolutions (our change, for one CPU core).

    Each landmark is convolved separately, and 1×1 convolutions mix all landmarks. The forget gate
    is one minus the input gate, so the state remains a mean of heatmaps however long a video is.
    """

    def __init__(self, config: ConvLstmConfig) -> None:
        super().__init__()
        k, middle = config.landmarks, config.kernel // 2
        self.landmarks, gates = k, _GATES - 1
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        # each channel of (heat, h) has three consecutive outputs: for input, output and candidate
        self.each = kind(2 * k, 2 * gates * k, config.kernel, padding=middle, groups=2 * k)
        self.down = kind(2 * k, config.rank, 1)
        self.up = kind(config.rank, gates * k, 1)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.mul_(0.0 if name.endswith("bias") else INIT_SCALE)
            for landmark in range(k):
                self.each.weight[landmark * gates + 2, 0][(middle,) * config.axes] += HEATMAP_SCALE
            biases = torch.tensor([INPUT_GATE_BIAS, OUTPUT_GATE_BIAS, 0.0])
            self.up.bias.copy_(biases.repeat_interleave(k))  # type: ignore[union-attr]

    def forward(self, heat: Tensor, h: Tensor) -> Gates:
        """Compute the gates of heatmaps and hidden state (B, K, ...).

        Each gate has convolutions of its own, since ONNX Runtime has fast kernels for those with
        one output per channel, and adds the sum and the activation function within them.
        """
        assert self.each.bias is not None
        assert self.up.bias is not None
        kernel = self.each.weight.shape[1:]
        each = self.each.weight.view(2, self.landmarks, _GATES - 1, *kernel)  # of heat and of h
        each_bias = self.each.bias.view(2, self.landmarks, -1).sum(0)  # (K, 3)
        down_heat, down_h = self.down.weight.chunk(2, 1)
        mixed = torch.relu(
            self._convolve(heat, down_heat) + self._convolve(h, down_h, self.down.bias)
        )
        up_weights, up_biases = self.up.weight.chunk(3), self.up.bias.chunk(3)
        up_weights, up_biases = self.up.weight.chunk(_GATES - 1), self.up.bias.chunk(_GATES - 1)
        logits = [
            self._convolve(mixed, up_weights[gate], up_biases[gate] + each_bias[:, gate])
            + (self._each(heat, each[0, :, gate]) + self._each(h, each[1, :, gate]))
            for gate in range(_GATES - 1)
        ]
        write, show = logits[0].sigmoid(), logits[1].sigmoid()
        return Gates(write, 1 - write, show, logits[2].tanh())

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Mix the channels of x (B, C, ...) with a weight (D, C, ...) of kernel size 1."""
        convolve = functional.conv1d if x.ndim == 3 else functional.conv2d
        return convolve(x, weight, bias)

    def _each(self, x: Tensor, weight: Tensor) -> Tensor:
        """Convolve each channel of x (B, K, ...) with its own kernel, (K, 1, ...)."""
        convolve = functional.conv1d if x.ndim == 3 else functional.conv2d
        return convolve(x, weight, padding=weight.shape[-1] // 2, groups=self.landmarks)


class ConvLstm(nn.Module):
    """The cell of eq. 1: h_t, c_t, s_t = ConvLSTM(h_{t-1}, c_{t-1}, o_t).

    Before training it is nearly a running mean of frames: the candidate is the heatmap times a
    small factor, and the output layer divides by it. Training adds when to forget.
    """

    def __init__(self, config: ConvLstmConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ConvLstmConfig()
        self.gates = SeparableGates(config) if config.rank else FullGates(config)
        kind = nn.Conv1d if config.axes == 1 else nn.Conv2d
        self.out = kind(config.landmarks, config.landmarks, 1, groups=config.landmarks)
        nn.init.constant_(self.out.weight, OUTPUT_SCALE)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def start(self, faces: int, *size: int) -> ConvLstmState:
        """Return the state of new faces: zeros of the heatmaps' size.

        Args:
            faces: Number of faces.
            *size: Size of a heatmap, L or H and W.

        Returns:
            The state.
        """
        zeros = self.out.weight.new_zeros(faces, self.config.landmarks, *size)
        return ConvLstmState(zeros, zeros.clone())

    def shown(self, state: ConvLstmState) -> Tensor:
        """Return the heatmaps s_t that a state contains, with the shape of its h."""
        assert self.out.bias is not None
        shape = (-1, *[1] * self.config.axes)
        return state.h * self.out.weight.view(shape) + self.out.bias.view(shape)

    def forward(self, heat: Tensor, state: ConvLstmState) -> tuple[Tensor, ConvLstmState]:
        """Process one frame.

        Args:
            heat: o_t, (B, K, L) or (B, K, H, W), with peaks of about 1.
            state: The state of the previous frame.

        Returns:
            The stabilized heatmaps s_t, of the same shape, and the new state.
        """
        gates = self.gates(heat, state.h)
        c = gates.keep * state.c + gates.write * gates.candidate
        h = gates.show * c.tanh()
        next_state = ConvLstmState(h, c)
        return self.shown(next_state), next_state
