"""A recurrent cell that fuses the landmarks of a detector with optical flow.

Flow measures how the face and each landmark moved, to hundredths of a pixel. The detector measures
where they are, with noise. The cell predicts each landmark by flow and corrects it towards the
detector's landmark, as a Kalman filter does. It learns the weights from the difference of the two,
for each landmark and for the deformation modes of the face (`face_modes`). It uses nothing specific
to a detector, so one trained cell works with all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

_FEATURES = 21
_SHARES = 5
_PERCENT = 100.0
_FIRST_NOISE = 0.5  # initial variance, (% of the face's size)²
_NOISE_UPDATE, _ERROR_UPDATE = 0.06, 0.2  # weight of a new frame in the running means
_MAX_NOISE = 20.0  # largest variance that one frame contributes, (% of the face's size)²


@dataclass(frozen=True, slots=True)
class FlowCellConfig:
    """Sizes of the cell.

    Attributes:
        width: Width of the hidden layers.
        hidden: Size H of the recurrent state of each landmark.
        parts: Number P of facial parts, see `FaceParts`.
    """

    width: int = 32
    hidden: int = 16
    parts: int = 5


class FlowCellState(NamedTuple):
    """The recurrent state of n faces, without their landmarks.

    Attributes:
        error: (n, K, 2) running mean of the detector's difference from the prediction, in % of the
            face's size and in the axes of the upright face.
        noise: (n, K) variance of the detector's landmarks relative to the face's rigid motion, in
            (% of the face's size)².
        hidden: (n, K, H) hidden state of the GRU.
        frames: (n,) number of frames so far.
    """

    error: Tensor
    noise: Tensor
    hidden: Tensor
    frames: Tensor


class FlowCellInput(NamedTuple):
    """The measurements of n faces in one frame, in frame pixels.

    Attributes:
        raw: (n, K, 2) landmarks of the detector.
        carried: (n, K, 2) kept landmarks of the previous frame, moved by the face's rigid motion.
        carried_raw: (n, K, 2) raw landmarks of the previous frame, moved in the same way.
        beside: (n, K, 2) motion of each landmark by flow in addition to the rigid motion.
        unsure: (n, K) forward-backward error of flow.
        score: (n, K) scores of the landmarks.
        agreed: (n,) 1 if the raw landmarks confirm the rigid motion, else 0.
        upright: (n, 2) cosine and sine of the face's roll.
        size_px: (n,) size of the face.
    """

    raw: Tensor
    carried: Tensor
    carried_raw: Tensor
    beside: Tensor
    unsure: Tensor
    score: Tensor
    agreed: Tensor
    upright: Tensor
    size_px: Tensor


class FaceParts(NamedTuple):
    """What the cell needs to know of a landmark schema.

    Attributes:
        member: (K, P), 1 where a landmark belongs to a facial part, else 0.
        modes: (K, 2, M) deformation modes, see `face_modes`.
    """

    member: Tensor
    modes: Tensor


class FlowCell(nn.Module):
    """The cell: a small GRU per landmark predicts the weights of flow and detector."""

    def __init__(self, config: FlowCellConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FlowCellConfig()
        width, hidden = config.width, config.hidden
        self.into = nn.Linear(_FEATURES + config.parts + hidden, width)
        self.near = nn.Linear(width, width)
        self.joined = nn.Linear(3 * width, width)
        self.memory = nn.GRUCell(width, hidden)
        self.out = nn.Linear(hidden + width, _SHARES)
        nn.init.zeros_(self.out.weight)
        first = (0.15, 0.4, 0.05, 0.1, 0.04)  # flow, flow in modes, error, error in modes, raw
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([math.log(p / (1 - p)) for p in first]))

    def start(self, faces: int, landmarks: int) -> FlowCellState:
        """Return the state after the first frame of new faces.

        Args:
            faces: Number of faces, n.
            landmarks: Number of landmarks, K.

        Returns:
            The state.
        """
        zeros = self.out.bias.new_zeros(faces, landmarks)
        return FlowCellState(
            zeros[..., None].repeat(1, 1, 2),
            zeros + _FIRST_NOISE,
            zeros[..., None].repeat(1, 1, self.config.hidden),
            zeros[:, 0] + 1,
        )

    def forward(
        self, measured: FlowCellInput, state: FlowCellState, parts: FaceParts
    ) -> tuple[Tensor, Tensor, FlowCellState]:
        """Process one frame.

        Args:
            measured: The measurements of this frame.
            state: The state after the previous frame.
            parts: Parts and deformation modes of the landmark schema.

        Returns:
            The stabilized landmarks (n, K, 2) in frame pixels, the landmarks (n, K, 2) to carry to
            the next frame, and the new state.
        """
        unit = (measured.size_px / _PERCENT)[:, None, None]
        axes = _upright_axes(measured.upright)
        offsets = torch.stack(
            (measured.raw - measured.carried, measured.raw - measured.carried_raw, measured.beside),
            1,
        )
        innovation, raw_step, flow = (offsets @ axes[:, None] / unit[:, None]).unbind(1)
        frames = (state.frames + 1)[:, None, None]
        mode_matrix = parts.modes.flatten(0, 1)  # (2K, M)
        flow_in_modes, innovation_in_modes = _project_onto_modes(
            torch.stack((flow, innovation), 1), mode_matrix
        ).unbind(1)
        differences = (
            innovation,
            flow,
            innovation - flow,
            flow_in_modes,
            innovation_in_modes - flow_in_modes,
            state.error,
            raw_step,
        )
        features = self._features(
            measured, state.noise, unit, torch.cat(differences, -1), innovation, frames
        )
        shares, hidden = self._shares(features, state.hidden, parts)
        flow_share, flow_modes_share, error_share, error_modes_share, raw_share = shares.unsqueeze(
            -1
        ).unbind(-2)
        error_share = torch.maximum(
            error_share, 1 / (frames + 1)
        )  # a short history has less weight
        prediction = flow_share * flow + flow_modes_share * flow_in_modes
        residual = innovation - prediction
        kept = (
            prediction
            + error_share * residual
            + error_modes_share * _project_onto_modes(residual[:, None], mode_matrix)[:, 0]
        )
        stabilized = kept + raw_share * (innovation - kept)
        noise = raw_step.square().sum(-1).div(4).clamp(max=_MAX_NOISE)
        next_state = FlowCellState(
            state.error + _ERROR_UPDATE * (residual - state.error),
            state.noise + _NOISE_UPDATE * (noise - state.noise),
            hidden,
            state.frames + 1,
        )
        in_frame = torch.stack((stabilized, kept), 1) @ (unit * axes.transpose(1, 2))[:, None]
        points, carried = (measured.carried[:, None] + in_frame).unbind(1)
        return points, carried, next_state

    def _features(
        self,
        measured: FlowCellInput,
        noise: Tensor,
        unit: Tensor,
        differences: Tensor,
        innovation: Tensor,
        frames: Tensor,
    ) -> Tensor:
        """Compute the features (n, K, _FEATURES), each of the order of 1.

        differences: (n, K, 14) differences in %, which are divided by the detector's noise.
        """
        sigma = noise.clamp_min(1e-4).sqrt().unsqueeze(-1)
        ones = torch.ones_like(sigma)
        return torch.cat(
            (
                _bounded(torch.cat((differences / sigma, innovation), -1)),
                0.7 * sigma.log(),
                torch.log1p(measured.unsure.unsqueeze(-1) / unit),
                (measured.score - 0.7).unsqueeze(-1),
                ones * measured.agreed[:, None, None],
                ones / frames,
            ),
            -1,
        )

    def _shares(self, features: Tensor, hidden: Tensor, parts: FaceParts) -> tuple[Tensor, Tensor]:
        """Return the weights (n, K, _SHARES), in (0, 1), and the new hidden state."""
        member = parts.member
        part_mean = (member / member.sum(0).clamp_min(1)).transpose(0, 1)  # (P, K)
        hidden_of = hidden.flatten(0, 1)  # layers work on (n K, ...)
        inputs = torch.cat((features, member.expand(features.shape[0], -1, -1)), -1).flatten(0, 1)
        own_features = torch.relu(self.into(torch.cat((inputs, hidden_of), -1)))
        count = features.shape[1]
        context = torch.relu(self.near(own_features)).view(-1, count, self.config.width)
        part_context = member @ (part_mean @ context)
        face_context = context.mean(1, keepdim=True).expand_as(context)
        surroundings = torch.cat((part_context, face_context), -1).flatten(0, 1)
        own_features = torch.relu(self.joined(torch.cat((own_features, surroundings), -1)))
        next_hidden = self.memory(own_features, hidden_of)
        shares = self.out(torch.cat((next_hidden, own_features), -1)).sigmoid()
        return shares.view(-1, count, _SHARES), next_hidden.view_as(hidden)


def _upright_axes(upright: Tensor) -> Tensor:
    """Return matrices (n, 2, 2) that turn row vectors into the axes of the upright face.

    upright: (n, 2), cosine and sine of the face's roll.
    """
    cos, sin = upright.unbind(-1)
    return torch.stack((cos, -sin, sin, cos), -1).view(-1, 2, 2)


def _project_onto_modes(vectors: Tensor, mode_matrix: Tensor) -> Tensor:
    """Project vectors (n, V, K, 2) onto the deformation modes (2K, M)."""
    return ((vectors.flatten(2) @ mode_matrix) @ mode_matrix.transpose(0, 1)).view_as(vectors)


def _bounded(values: Tensor) -> Tensor:
    return values / (1 + values.abs() / 3)
