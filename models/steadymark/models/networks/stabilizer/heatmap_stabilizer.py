"""Recurrent cells over the heatmaps of any backbone: what makes an image detector a video tracker.

The cell is a ConvLSTM (convlstm_jitter_pdc) or heatmap1d's temporal refinement (refine.py); the
heatmaps are 2D (K, H, W), or 1D (K, L) for x and for y, with a cell each. The backbone is frozen.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from steadymark.models.networks.pdc import bins_to_px, pdc_1d, pdc_2d
from steadymark.models.networks.stabilizer.convlstm import ConvLstm, ConvLstmConfig, ConvLstmState
from steadymark.models.networks.stabilizer.memory_warp import (
    apply_motion,
    inverse_motion,
    warp_heatmaps_1d,
    warp_heatmaps_2d,
)
from steadymark.models.networks.stabilizer.refiner import Refiner, RefinerConfig, RefinerState
from steadymark.models.networks.stabilizer.shape_motion import ShapeMotion, trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.networks.heatmap1d import Heatmap1d
    from steadymark.models.networks.heatmap2d import Heatmap2d
    from steadymark.models.networks.local_global import LocalGlobal

Heats = tuple[Tensor, ...]  # (B, K, L) for x and for y, or (B, K, H, W); peaks are about 1


class PreviousOutput(NamedTuple):
    """points: (B, K, 2) crop px, as they were given of the last frame. usual: see `trusted`."""

    points: Tensor
    usual: Tensor


class StabilizerOutput(NamedTuple):
    """heats: the stabilized ones. points, raw_points: (B, K, 2) crop px. share: (B, K), see points.

    The share is that of the new heatmaps, whatever memory makes of them. No gradient goes
    through points: they are for use, not for learning.
    """

    heats: Heats
    points: Tensor
    raw_points: Tensor
    share: Tensor


CellState = RefinerState | ConvLstmState
State = tuple[CellState | PreviousOutput, ...]  # one memory a cell, and what shape motion needs


@dataclass(frozen=True, slots=True)
class StabilizerConfig:
    """crop: F, pixels. size: of a heatmap, (L,) or (H, W).

    through: share of the newest heatmaps in the output, beside what memory makes of them: motion
    too small for memory to tell from noise then comes without delay. by_shape: whether memory goes
    along with what the shape does beside the face's rigid motion, see shape_motion.py.
    """

    cell: RefinerConfig | ConvLstmConfig
    crop: int
    size: tuple[int, ...]
    through: float = 0.06
    by_shape: bool = False

    def __post_init__(self) -> None:
        axes = self.cell.axes if isinstance(self.cell, ConvLstmConfig) else 1
        if axes != len(self.size):
            raise ValueError(f"a cell of {axes} axes cannot take heatmaps of {len(self.size)}")
        if self.by_shape and isinstance(self.cell, RefinerConfig):
            raise ValueError("memory that goes along with the shape is for a ConvLSTM")


class Stabilizer(nn.Module):
    """The cells, and how points are read off their heatmaps."""

    def __init__(self, config: StabilizerConfig) -> None:
        super().__init__()
        self.config = config
        count = 2 if len(config.size) == 1 else 1
        self.cells = nn.ModuleList(_cell(config.cell) for _ in range(count))
        self.shape = ShapeMotion(config.cell.landmarks) if config.by_shape else None

    def start(self, faces: int) -> State:
        """Memory of faces that have not been seen yet."""
        states = tuple(cell.start(faces, *self.config.size) for cell in self._cells())
        if self.shape is None:
            return states
        nothing = self.shape.basis.new_zeros(faces, self.config.cell.landmarks, 2)
        return *states, PreviousOutput(nothing, nothing[..., 0].clone())

    def _cells(self) -> Iterator[Refiner | ConvLstm]:
        for cell in self.cells:
            assert isinstance(cell, Refiner | ConvLstm)
            yield cell

    def forward(self, heats: Heats, moved: Tensor, unroll: int = 0) -> Heats:
        """Whole sequences, from empty memory: (B, T, K, ...) each → the stabilized ones.

        moved: (B, T, 2, 3), see `step`. unroll: give only so many of the last frames, and gradients
        through these alone; 0: all.
        """
        frames = heats[0].shape[1]
        silent = max(0, frames - unroll) if unroll else 0
        state = self.start(heats[0].shape[0])
        steady = []
        for t in range(frames):
            learns = torch.is_grad_enabled() and t >= silent
            with torch.set_grad_enabled(learns):
                frame, state = self.step(tuple(heat[:, t] for heat in heats), state, moved[:, t])
            if t >= silent:
                steady.append(frame.heats)
        return tuple(torch.stack(part, 1) for part in zip(*steady, strict=True))

    def step(self, heats: Heats, state: State, moved: Tensor) -> tuple[StabilizerOutput, State]:
        """A frame's heatmaps → what is made of them, and the memory for the next frame.

        moved: (B, 2, 3), from pixels of this frame's crop to those of the last one, along with the
        face: see `registration.face_motion`.
        """
        cells, shown = state[: len(self.cells)], state[-1]
        with torch.no_grad():
            raw, sharp = self.points(heats)
        if self.shape is None or not isinstance(shown, PreviousOutput):
            steady, memory = self._remembered(heats, self._carried(cells, raw, moved))
            with torch.no_grad():
                points, _ = self.points(steady)
            return StabilizerOutput(steady, points, raw, sharp), memory
        with torch.no_grad():
            trust, usual = trusted(sharp, shown.usual)
            kept = apply_motion(inverse_motion(moved), shown.points)
            shift = self.shape(raw, kept, trust)
        carried = self._carried(cells, raw, moved, shift)
        steady, memory = self._remembered(self._believed(heats, carried, trust), carried)
        with torch.no_grad():
            points, _ = self.points(steady)
            # heatmaps end with the crop, what is remembered of a place beyond does not
            followed = torch.where(shown.usual.unsqueeze(-1) > 0, kept + shift, raw)
            beyond = (followed - (self.config.crop - 1) / 2).abs() > self.config.crop / 2
            points = torch.where(beyond, followed, points)
        return StabilizerOutput(steady, points, raw, sharp), (
            *memory,
            PreviousOutput(points, usual),
        )

    def _remembered(self, heats: Heats, carried: State) -> tuple[Heats, State]:
        """One step of the cells."""
        done = [c(h, s) for c, h, s in zip(self._cells(), heats, carried, strict=True)]
        share = self.config.through
        steady = tuple(s + share * (h - s) for (s, _), h in zip(done, heats, strict=True))
        return steady, tuple(memory for _, memory in done)

    def _believed(self, heats: Heats, carried: State, trust: Tensor) -> Heats:
        """Heatmaps, where they are not trusted replaced by what memory holds. trust: (B, K)."""
        believed = []
        for cell, heat, memory in zip(self._cells(), heats, carried, strict=True):
            assert isinstance(cell, ConvLstm)
            assert isinstance(memory, ConvLstmState)
            held = cell.shown(memory)
            believed.append(held + trust.view(*trust.shape, *[1] * (heat.ndim - 2)) * (heat - held))
        return tuple(believed)

    def _carried(
        self, cells: State, points: Tensor, moved: Tensor, shift: Tensor | None = None
    ) -> State:
        """The memory of the cells where the face is now, `shift` as in `warp_heatmaps_1d`.

        points: of this frame, (B, K, 2) crop pixels.
        """
        crop, kind = self.config.crop, self._cell_kind()
        if len(self.config.size) == 2:
            return tuple(
                kind(*(warp_heatmaps_2d(part, moved, crop, shift) for part in c)) for c in cells
            )
        return tuple(
            kind(*(warp_heatmaps_1d(part, moved, points, axis, crop, shift) for part in cell))
            for axis, cell in enumerate(cells)
        )

    def points(self, heats: Heats) -> tuple[Tensor, Tensor]:
        """PDC → points (..., K, 2) in crop pixels, and how much mass lies near them, (..., K)."""
        size = torch.tensor(self.config.size[::-1] * (2 // len(self.config.size)))  # x, y
        bins, share = read_landmarks(heats)
        return bins_to_px(bins, self.config.crop, size.to(bins)), share

    def memory_names(self) -> list[str]:
        """Names of the tensors of `start`, in the order of `flat`."""
        names = "xy" if len(self.config.size) == 1 else ("xy",)
        fields = self._cell_kind()._fields
        shown = [] if self.shape is None else [f"state_{field}" for field in PreviousOutput._fields]
        return [f"state_{axis}_{field}" for axis in names for field in fields] + shown

    def unflat(self, memory: tuple[Tensor, ...]) -> State:
        """Tensors in a row → State."""
        kind = self._cell_kind()
        step, count = len(kind._fields), len(self.cells)
        cells = tuple(kind(*memory[i * step : (i + 1) * step]) for i in range(count))
        return cells if self.shape is None else (*cells, PreviousOutput(*memory[-2:]))

    def _cell_kind(self) -> type[CellState]:
        return RefinerState if isinstance(self.config.cell, RefinerConfig) else ConvLstmState


def read_landmarks(heats: Heats) -> tuple[Tensor, Tensor]:
    """Lines for x and for y, or a map → PDC in bins (..., K, 2), and shares of mass (..., K)."""
    if len(heats) == 1:
        return pdc_2d(heats[0], soft=True)
    bins, shares = pdc_1d(torch.stack(heats, -2), soft=True)  # (..., K, 2)
    return bins, (shares[..., 0] * shares[..., 1]).sqrt()


def flat(state: State) -> list[Tensor]:
    """State → tensors in a row."""
    return [tensor for memory in state for tensor in memory]


def _cell(config: RefinerConfig | ConvLstmConfig) -> Refiner | ConvLstm:
    return Refiner(config) if isinstance(config, RefinerConfig) else ConvLstm(config)


class HeatmapBackbone(nn.Module, ABC):
    """A frozen detector seen as its heatmaps, scaled so that a target of `sigma` peaks at 1."""

    crop: int
    size: tuple[int, ...]
    sigma: float

    @abstractmethod
    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        """image: (B, 3, F, F), about [-1, 1] → heatmaps, and the face score (B,) in [0, 1]."""


class HeatmapBackbone1d(HeatmapBackbone):
    """The marginals of heatmap1d. sigma: of its targets, in bins."""

    def __init__(self, network: Heatmap1d, *, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, sigma
        self.crop, self.size = network.config.crop, (network.config.bins,)

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        found = self.network(image)
        scale = math.sqrt(2 * math.pi) * self.sigma
        heats = (found.x.softmax(-1) * scale, found.y.softmax(-1) * scale)
        return heats, found.face.sigmoid()


class HeatmapBackbone2d(HeatmapBackbone):
    """The joint distributions of heatmap2d. sigma: of its targets, in bins."""

    def __init__(self, network: Heatmap2d, *, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, sigma
        self.crop, self.size = network.config.crop, (network.config.bins,) * 2

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        found = self.network(image)
        joint = found.joint.flatten(2).softmax(-1).view_as(found.joint)
        return (joint * (2 * math.pi * self.sigma**2),), found.face.sigmoid()


class LastStackHeatmapBackbone(HeatmapBackbone):
    """The last heatmaps of local_global, which its targets make peak at 1."""

    def __init__(self, network: LocalGlobal) -> None:
        super().__init__()
        self.network = network
        config = network.config
        self.crop, self.size, self.sigma = config.crop, (config.bins,) * 2, config.radius / 3

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        found = self.network(image)
        return (found.heatmaps[:, -1].sigmoid(),), found.face.sigmoid()


class StabilizedDecoded(nn.Module):
    """Backbone and stabilizer as exported: uint8 crops and memory in, points and memory out."""

    def __init__(self, backbone: HeatmapBackbone, stabilizer: Stabilizer) -> None:
        super().__init__()
        self.backbone, self.tail = backbone, StabilizedTail(stabilizer)

    def forward(
        self, crops: Tensor, moved: Tensor, memory: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """crops: (B, 3, F, F) uint8 BGR; moved: see Stabilizer.step; memory: see memory_names.

        Gives points and raw_points (B, K, 2) crop px, scores (B, K), face (B,), and the memory.
        """
        raw, face = self.backbone((crops.float() - 127.5) / 127.5)
        points, raw_points, share, *memory_after = self.tail(raw, moved, memory)
        return points, raw_points, share * face.unsqueeze(-1), face, *memory_after


class StabilizedTail(nn.Module):
    """What follows the backbone: stabilizer and PDC."""

    def __init__(self, stabilizer: Stabilizer) -> None:
        super().__init__()
        self.stabilizer = stabilizer

    def forward(self, raw: Heats, moved: Tensor, memory: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Heatmaps and memory → points, raw points, shares (B, K), and the memory."""
        found, state = self.stabilizer.step(raw, self.stabilizer.unflat(memory), moved)
        return found.points, found.raw_points, found.share, *flat(state)
