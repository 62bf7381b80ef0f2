"""A recurrent cell over landmarks, whose memory optical flow carries along with the face.

Flow tells how the face and each landmark moved, to hundredths of a pixel; the detector tells where
they are, with noise. What is remembered of each landmark is moved by flow and drawn towards the
detector's landmark; the cell learns by how much, from how both differ, in each landmark and in the
directions in which faces move (face_modes). It knows nothing of the detector: one cell serves all.
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
_FIRST_NOISE = 0.5  # % of the face's size
_NOISE_LEARN, _ERROR_LEARN = 0.06, 0.2  # of a frame
_MOST_NOISE = 20.0  # (%)² of a frame


@dataclass(frozen=True, slots=True)
class FlowCellConfig:
    """width: of hidden layers. hidden: numbers remembered of each landmark. parts: of a face."""

    width: int = 32
    hidden: int = 16
    parts: int = 5


class FlowCellState(NamedTuple):
    """What the cell remembers of n faces beside the landmarks.

    error: (n, K, 2), mean of what the detector lately differed by, % of the face's size, upright.
    noise: (n, K), variance of its landmarks beside the face's motion, (%)². hidden: (n, K, H).
    frames: (n,), seen so far.
    """

    error: Tensor
    noise: Tensor
    hidden: Tensor
    frames: Tensor


class FlowCellInput(NamedTuple):
    """A frame of n faces, in frame pixels.

    raw: (n, K, 2), the detector's landmarks. carried, carried_raw: (n, K, 2), stabilized and raw
    landmarks of the last frame, moved along with the face. beside: (n, K, 2), by how much flow saw
    each landmark move besides. unsure: (n, K), how far flow back misses. score: (n, K). agreed:
    (n,), 1 where raw landmarks confirm the face's motion. upright: (n, 2), cosine and sine of the
    face's roll. size_px: (n,), of the face.
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
    """What the cell must know of a landmark schema.

    member: (K, P), 1 where a landmark belongs to a part. modes: (K, 2, M), see
    `face_modes`.
    """

    member: Tensor
    modes: Tensor


class FlowCell(nn.Module):
    """Learned shares of flow and of the detector in each landmark."""

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
        first = (0.15, 0.4, 0.05, 0.1, 0.04)  # of flow, of its modes; of errors, of theirs; of raw
        with torch.no_grad():
            self.out.bias.copy_(torch.tensor([math.log(p / (1 - p)) for p in first]))

    def start(self, faces: int, landmarks: int) -> FlowCellState:
        """After the first frame of a face."""
        zeros = self.out.bias.new_zeros(faces, landmarks)
        return FlowCellState(
            zeros[..., None].repeat(1, 1, 2),
            zeros + _FIRST_NOISE,
            zeros[..., None].repeat(1, 1, self.config.hidden),
            zeros[:, 0] + 1,
        )

    def forward(
        self, seen: FlowCellInput, state: FlowCellState, parts: FaceParts
    ) -> tuple[Tensor, Tensor, FlowCellState]:
        """One frame.

        Returns:
            points: (n, K, 2) frame pixels, what is given out. kept: (n, K, 2), what is to be
            carried to the next frame. The state for it.
        """
        unit = (seen.size_px / _PERCENT)[:, None, None]
        axes = _axes(seen.upright)
        apart = torch.stack((seen.raw - seen.carried, seen.raw - seen.carried_raw, seen.beside), 1)
        differs, stepped, flow = (apart @ axes[:, None] / unit[:, None]).unbind(1)
        frames = (state.frames + 1)[:, None, None]
        flat = parts.modes.flatten(0, 1)  # (2K, M)
        together, both = _projected(torch.stack((flow, differs), 1), flat).unbind(1)
        told = (differs, flow, differs - flow, together, both - together, state.error, stepped)
        features = self._features(seen, state.noise, unit, torch.cat(told, -1), differs, frames)
        shares, hidden = self._shares(features, state.hidden, parts)
        of_flow, of_modes, of_error, of_errors, of_raw = shares.unsqueeze(-1).unbind(-2)
        of_error = torch.maximum(of_error, 1 / (frames + 1))  # young memory counts less
        moved = of_flow * flow + of_modes * together
        error = differs - moved
        kept = moved + of_error * error + of_errors * _projected(error[:, None], flat)[:, 0]
        given = kept + of_raw * (differs - kept)
        noise = stepped.square().sum(-1).div(4).clamp(max=_MOST_NOISE)
        after = FlowCellState(
            state.error + _ERROR_LEARN * (error - state.error),
            state.noise + _NOISE_LEARN * (noise - state.noise),
            hidden,
            state.frames + 1,
        )
        out = torch.stack((given, kept), 1) @ (unit * axes.transpose(1, 2))[:, None]
        points, carried = (seen.carried[:, None] + out).unbind(1)
        return points, carried, after

    def _features(
        self,
        seen: FlowCellInput,
        noise: Tensor,
        unit: Tensor,
        told: Tensor,
        differs: Tensor,
        frames: Tensor,
    ) -> Tensor:
        """(n, K, _FEATURES), each about 1. told: (n, K, 14), measured by the detector's noise."""
        sigma = noise.clamp_min(1e-4).sqrt().unsqueeze(-1)
        alike = torch.ones_like(sigma)
        return torch.cat(
            (
                _bounded(torch.cat((told / sigma, differs), -1)),
                0.7 * sigma.log(),
                torch.log1p(seen.unsure.unsqueeze(-1) / unit),
                (seen.score - 0.7).unsqueeze(-1),
                alike * seen.agreed[:, None, None],
                alike / frames,
            ),
            -1,
        )

    def _shares(self, features: Tensor, hidden: Tensor, parts: FaceParts) -> tuple[Tensor, Tensor]:
        """What is taken of each (n, K, _SHARES), in (0, 1), and the new hidden state."""
        member = parts.member
        mean = (member / member.sum(0).clamp_min(1)).transpose(0, 1)  # (P, K)
        hidden_of = hidden.flatten(0, 1)  # layers work on (n K, ...)
        given = torch.cat((features, member.expand(features.shape[0], -1, -1)), -1).flatten(0, 1)
        own = torch.relu(self.into(torch.cat((given, hidden_of), -1)))
        count = features.shape[1]
        context = torch.relu(self.near(own)).view(-1, count, self.config.width)
        part = member @ (mean @ context)
        whole = context.mean(1, keepdim=True).expand_as(context)
        around = torch.cat((part, whole), -1).flatten(0, 1)
        own = torch.relu(self.joined(torch.cat((own, around), -1)))
        kept = self.memory(own, hidden_of)
        shares = self.out(torch.cat((kept, own), -1)).sigmoid()
        return shares.view(-1, count, _SHARES), kept.view_as(hidden)


def _axes(upright: Tensor) -> Tensor:
    """(n, 2, 2), by which row vectors come into the axes of an upright face.

    upright: (n, 2), cosine and sine of its roll.
    """
    cos, sin = upright.unbind(-1)
    return torch.stack((cos, -sin, sin, cos), -1).view(-1, 2, 2)


def _projected(vectors: Tensor, flat: Tensor) -> Tensor:
    """(n, V, K, 2), what of them lies in the directions (2K, M) in which faces move."""
    return ((vectors.flatten(2) @ flat) @ flat.transpose(0, 1)).view_as(vectors)


def _bounded(values: Tensor) -> Tensor:
    return values / (1 + values.abs() / 3)
