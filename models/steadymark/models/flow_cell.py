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


class FlowSeen(NamedTuple):
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
        self, seen: FlowSeen, state: FlowCellState, parts: FaceParts
    ) -> tuple[Tensor, Tensor, FlowCellState]:
        """One frame.

        Returns:
            points: (n, K, 2) frame pixels, what is given out. kept: (n, K, 2), what is to be
            carried to the next frame. The state for it.
        """
        unit = (seen.size_px / _PERCENT)[:, None, None]
        differs = _turned((seen.raw - seen.carried) / unit, seen.upright)
        stepped = _turned((seen.raw - seen.carried_raw) / unit, seen.upright)
        flow = _turned(seen.beside / unit, seen.upright)
        together = _projected(flow, parts.modes)
        frames = state.frames + 1
        features = self._features(seen, state, differs, stepped, flow, together, parts, frames)
        shares, hidden = self._shares(features, state.hidden, parts)
        of_flow, of_modes, of_error, of_errors, of_raw = shares.unbind(-1)
        least = (1 / (frames + 1))[:, None]
        of_error = torch.maximum(of_error, least)  # young memory is the mean of all frames
        moved = of_flow[..., None] * flow + of_modes[..., None] * together
        error = differs - moved
        pull = of_error[..., None] * error + of_errors[..., None] * _projected(error, parts.modes)
        kept = moved + pull
        given = kept + of_raw[..., None] * (differs - kept)
        noise = stepped.square().sum(-1).div(4).clamp(max=_MOST_NOISE)
        after = FlowCellState(
            state.error + _ERROR_LEARN * (error - state.error),
            state.noise + _NOISE_LEARN * (noise - state.noise),
            hidden,
            frames,
        )
        back = seen.upright * seen.upright.new_tensor([1.0, -1.0])
        points, carried = (seen.carried + unit * _turned(p, back) for p in (given, kept))
        return points, carried, after

    def _features(
        self,
        seen: FlowSeen,
        state: FlowCellState,
        differs: Tensor,
        stepped: Tensor,
        flow: Tensor,
        together: Tensor,
        parts: FaceParts,
        frames: Tensor,
    ) -> Tensor:
        """(n, K, _FEATURES), each about 1."""
        sigma = state.noise.clamp_min(1e-4).sqrt().unsqueeze(-1)
        both = _projected(differs, parts.modes) - together
        unit = (seen.size_px / _PERCENT)[:, None]
        alike = torch.ones_like(seen.unsure)
        told = (differs, flow, differs - flow, together, both, state.error, stepped)
        return torch.cat(
            (
                *(_bounded(part / sigma) for part in told),
                _bounded(differs),
                0.7 * sigma.log(),
                torch.log1p(seen.unsure / unit).unsqueeze(-1),
                (seen.score - 0.7).unsqueeze(-1),
                (alike * seen.agreed[:, None]).unsqueeze(-1),
                (alike / frames[:, None]).unsqueeze(-1),
            ),
            -1,
        )

    def _shares(self, features: Tensor, hidden: Tensor, parts: FaceParts) -> tuple[Tensor, Tensor]:
        """What is taken of each (n, K, _SHARES), in (0, 1), and the new hidden state."""
        member = parts.member
        mean = member / member.sum(0).clamp_min(1)  # (K, P)
        own = torch.cat((features, member.expand(features.shape[0], -1, -1), hidden), -1)
        own = torch.relu(self.into(own))
        context = torch.relu(self.near(own))  # (n, K, width)
        part = member @ (mean.transpose(0, 1) @ context)
        whole = context.mean(1, keepdim=True).expand_as(context)
        own = torch.relu(self.joined(torch.cat((own, part, whole), -1)))
        kept = self.memory(own.flatten(0, 1), hidden.flatten(0, 1)).view_as(hidden)
        return self.out(torch.cat((kept, own), -1)).sigmoid(), kept


def _turned(vectors: Tensor, upright: Tensor) -> Tensor:
    """(n, K, 2) in the axes of an upright face; upright: (n, 2), cosine and sine of its roll."""
    cos, sin = upright[:, None, 0], upright[:, None, 1]
    x, y = vectors[..., 0], vectors[..., 1]
    return torch.stack((cos * x + sin * y, cos * y - sin * x), -1)


def _projected(vectors: Tensor, modes: Tensor) -> Tensor:
    """(n, K, 2), what of them lies in the directions in which faces move."""
    flat = modes.flatten(0, 1)  # (2K, M)
    return ((vectors.flatten(1) @ flat) @ flat.transpose(0, 1)).view_as(vectors)


def _bounded(values: Tensor) -> Tensor:
    return values / (1 + values.abs() / 3)
