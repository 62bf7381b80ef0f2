"""Stabilize the heatmaps of a frozen backbone with recurrent cells.

A cell is a ConvLSTM (paper convlstm_jitter_pdc) or the temporal refinement of heatmap1d
(`refiner`). The heatmaps are 2D (K, H, W) with one cell, or 1D (K, L) along x and y with one cell
each.
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

Heats = tuple[Tensor, ...]  # (B, K, L) for x and y, or (B, K, H, W); peaks are about 1


class PreviousOutput(NamedTuple):
    """What shape motion needs to know of the previous frame.

    Attributes:
        points: (B, K, 2) stabilized landmarks, pixels of the previous crop.
        usual: (B, K) usual share of mass near the peak, see `trusted`.
    """

    points: Tensor
    usual: Tensor


class StabilizerOutput(NamedTuple):
    """The output for one frame.

    Attributes:
        heats: The stabilized heatmaps.
        points: (B, K, 2) stabilized landmarks, crop pixels, without gradient.
        raw_points: (B, K, 2) landmarks of the backbone's heatmaps, crop pixels, without gradient.
        share: (B, K) share of mass near the peaks of the backbone's heatmaps, see
            `Stabilizer.points`.
    """

    heats: Heats
    points: Tensor
    raw_points: Tensor
    share: Tensor


CellState = RefinerState | ConvLstmState
State = tuple[
    CellState | PreviousOutput, ...
]  # a state per cell, then PreviousOutput with shape motion


@dataclass(frozen=True, slots=True)
class StabilizerConfig:
    """Sizes of a stabilizer.

    Attributes:
        cell: Sizes of the cells.
        crop: Side F of the crop, pixels.
        size: Size of a heatmap, (L,) or (H, W).
        through: Share of the newest heatmaps that is mixed into the output, so that motion that is
            too small to be told from noise appears without delay.
        by_shape: Whether to warp the state by non-rigid motion, too, see `shape_motion`.

    Raises:
        ValueError: The cell does not suit the heatmaps or `by_shape`.
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
    """The cells, the warping of their state, and the reading of landmarks off their heatmaps."""

    def __init__(self, config: StabilizerConfig) -> None:
        super().__init__()
        self.config = config
        count = 2 if len(config.size) == 1 else 1
        self.cells = nn.ModuleList(_make_cell(config.cell) for _ in range(count))
        self.shape = ShapeMotion(config.cell.landmarks) if config.by_shape else None

    def start(self, faces: int) -> State:
        """Return the state of new faces."""
        states = tuple(cell.start(faces, *self.config.size) for cell in self._cells())
        if self.shape is None:
            return states
        zeros = self.shape.basis.new_zeros(faces, self.config.cell.landmarks, 2)
        return *states, PreviousOutput(zeros, zeros[..., 0].clone())

    def _cells(self) -> Iterator[Refiner | ConvLstm]:
        for cell in self.cells:
            assert isinstance(cell, Refiner | ConvLstm)
            yield cell

    def forward(self, heats: Heats, moved: Tensor, unroll: int = 0) -> Heats:
        """Stabilize whole sequences, starting with new faces.

        Args:
            heats: Heatmaps, (B, T, K, ...) each.
            moved: (B, T, 2, 3) motion, see `step`.
            unroll: Number of last frames to return and to compute gradients for; 0 for all.

        Returns:
            The stabilized heatmaps.
        """
        frames = heats[0].shape[1]
        first_returned = max(0, frames - unroll) if unroll else 0
        state = self.start(heats[0].shape[0])
        steady = []
        for t in range(frames):
            with_gradient = torch.is_grad_enabled() and t >= first_returned
            with torch.set_grad_enabled(with_gradient):
                frame, state = self.step(tuple(heat[:, t] for heat in heats), state, moved[:, t])
            if t >= first_returned:
                steady.append(frame.heats)
        return tuple(torch.stack(part, 1) for part in zip(*steady, strict=True))

    def step(self, heats: Heats, state: State, moved: Tensor) -> tuple[StabilizerOutput, State]:
        """Stabilize the heatmaps of one frame.

        Args:
            heats: The backbone's heatmaps.
            state: The state after the previous frame.
            moved: (B, 2, 3) rigid motion of the face, from pixels of this crop to pixels of the
                previous crop, see `face.face_motion.face_motion`.

        Returns:
            The output and the new state.
        """
        cell_states, previous = state[: len(self.cells)], state[-1]
        with torch.no_grad():
            raw, share = self.points(heats)
        if self.shape is None or not isinstance(previous, PreviousOutput):
            steady, next_cells = self._run_cells(heats, self._warp_state(cell_states, raw, moved))
            with torch.no_grad():
                points, _ = self.points(steady)
            return StabilizerOutput(steady, points, raw, share), next_cells
        with torch.no_grad():
            trust, usual = trusted(share, previous.usual)
            moved_points = apply_motion(inverse_motion(moved), previous.points)
            shift = self.shape(raw, moved_points, trust)
        warped = self._warp_state(cell_states, raw, moved, shift)
        steady, next_cells = self._run_cells(self._blend_by_trust(heats, warped, trust), warped)
        with torch.no_grad():
            points, _ = self.points(steady)
            # heatmaps cannot show a landmark outside the crop, so its tracked position is used
            tracked = torch.where(previous.usual.unsqueeze(-1) > 0, moved_points + shift, raw)
            is_outside = (tracked - (self.config.crop - 1) / 2).abs() > self.config.crop / 2
            points = torch.where(is_outside, tracked, points)
        return StabilizerOutput(steady, points, raw, share), (
            *next_cells,
            PreviousOutput(points, usual),
        )

    def _run_cells(self, heats: Heats, warped: State) -> tuple[Heats, State]:
        """Run one step of the cells."""
        outputs = [c(h, s) for c, h, s in zip(self._cells(), heats, warped, strict=True)]
        share = self.config.through
        steady = tuple(s + share * (h - s) for (s, _), h in zip(outputs, heats, strict=True))
        return steady, tuple(memory for _, memory in outputs)

    def _blend_by_trust(self, heats: Heats, warped: State, trust: Tensor) -> Heats:
        """Blend heatmaps with those of the state; trust (B, K) is the weight of the new ones."""
        blended = []
        for cell, heat, memory in zip(self._cells(), heats, warped, strict=True):
            assert isinstance(cell, ConvLstm)
            assert isinstance(memory, ConvLstmState)
            remembered = cell.shown(memory)
            blended.append(
                remembered + trust.view(*trust.shape, *[1] * (heat.ndim - 2)) * (heat - remembered)
            )
        return tuple(blended)

    def _warp_state(
        self, cells: State, points: Tensor, moved: Tensor, shift: Tensor | None = None
    ) -> State:
        """Warp the state of the cells to where the face is now; see `warp_heatmaps_1d`.

        points: (B, K, 2) landmarks of this frame, crop pixels.
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
        """Read landmarks off heatmaps by PDC.

        Args:
            heats: The heatmaps.

        Returns:
            Landmarks (..., K, 2) in crop pixels, and the share (..., K) of mass near them.
        """
        size = torch.tensor(self.config.size[::-1] * (2 // len(self.config.size)))  # x, y
        bins, share = read_landmarks(heats)
        return bins_to_px(bins, self.config.crop, size.to(bins)), share

    def state_names(self) -> list[str]:
        """Return the names of the state's tensors in the order of `flat`."""
        names = "xy" if len(self.config.size) == 1 else ("xy",)
        fields = self._cell_kind()._fields
        previous = (
            [] if self.shape is None else [f"state_{field}" for field in PreviousOutput._fields]
        )
        return [f"state_{axis}_{field}" for axis in names for field in fields] + previous

    def unflatten_state(self, memory: tuple[Tensor, ...]) -> State:
        """Rebuild the state from the tensors that `flat` returned."""
        kind = self._cell_kind()
        step, count = len(kind._fields), len(self.cells)
        cells = tuple(kind(*memory[i * step : (i + 1) * step]) for i in range(count))
        return cells if self.shape is None else (*cells, PreviousOutput(*memory[-2:]))

    def _cell_kind(self) -> type[CellState]:
        return RefinerState if isinstance(self.config.cell, RefinerConfig) else ConvLstmState


def read_landmarks(heats: Heats) -> tuple[Tensor, Tensor]:
    """Read landmarks off 1D heatmaps along x and y, or off 2D heatmaps, by PDC.

    Args:
        heats: The heatmaps.

    Returns:
        Landmarks (..., K, 2) in bins, and the share (..., K) of mass near them.
    """
    if len(heats) == 1:
        return pdc_2d(heats[0], soft=True)
    bins, shares = pdc_1d(torch.stack(heats, -3), soft=True)  # (..., 2, K)
    return bins.transpose(-1, -2), (shares[..., 0, :] * shares[..., 1, :]).sqrt()


def flat(state: State) -> list[Tensor]:
    """Return the tensors of a state as a flat list."""
    return [tensor for memory in state for tensor in memory]


def _make_cell(config: RefinerConfig | ConvLstmConfig) -> Refiner | ConvLstm:
    return Refiner(config) if isinstance(config, RefinerConfig) else ConvLstm(config)


class HeatmapBackbone(nn.Module, ABC):
    """A frozen detector that returns its heatmaps, scaled so that target heatmaps have peaks of 1.

    Attributes:
        crop: Side F of the input, pixels.
        size: Size of a heatmap, (L,) or (H, W).
        sigma: Standard deviation of the target heatmaps, bins.
    """

    crop: int
    size: tuple[int, ...]
    sigma: float

    @abstractmethod
    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        """Compute the heatmaps.

        Args:
            image: (B, 3, F, F), normalised to about [-1, 1].

        Returns:
            The heatmaps, and the face scores (B,) in [0, 1].
        """


class HeatmapBackbone1d(HeatmapBackbone):
    """The 1D heatmaps of heatmap1d."""

    def __init__(self, network: Heatmap1d, *, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, sigma
        self.crop, self.size = network.config.crop, (network.config.bins,)

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        """Compute the marginals, (B, K, L) of x and of y, and the face scores (B,)."""
        found = self.network(image)
        scale = math.sqrt(2 * math.pi) * self.sigma
        heats = (found.x.softmax(-1) * scale, found.y.softmax(-1) * scale)
        return heats, found.face.sigmoid()


class HeatmapBackbone2d(HeatmapBackbone):
    """The 2D heatmaps of heatmap2d."""

    def __init__(self, network: Heatmap2d, *, sigma: float) -> None:
        super().__init__()
        self.network, self.sigma = network, sigma
        self.crop, self.size = network.config.crop, (network.config.bins,) * 2

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        """Compute the heatmaps (B, K, H, W) and the face scores (B,)."""
        found = self.network(image)
        joint = found.joint.flatten(2).softmax(-1).view_as(found.joint)
        return (joint * (2 * math.pi * self.sigma**2),), found.face.sigmoid()


class LastStackHeatmapBackbone(HeatmapBackbone):
    """The heatmaps of local_global's last stack, whose targets already have peaks of 1."""

    def __init__(self, network: LocalGlobal) -> None:
        super().__init__()
        self.network = network
        config = network.config
        self.crop, self.size, self.sigma = config.crop, (config.bins,) * 2, config.radius / 3

    def forward(self, image: Tensor) -> tuple[Heats, Tensor]:
        """Compute the heatmaps (B, K, H, W) of the last stack and the face scores (B,)."""
        found = self.network(image)
        return (found.heatmaps[:, -1].sigmoid(),), found.face.sigmoid()


class StabilizedDecoded(nn.Module):
    """The exported network of backbone and stabilizer; the state is an input and an output."""

    def __init__(self, backbone: HeatmapBackbone, stabilizer: Stabilizer) -> None:
        super().__init__()
        self.backbone, self.tail = backbone, StabilizedTail(stabilizer)

    def forward(
        self, crops: Tensor, moved: Tensor, memory: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Process one frame.

        Args:
            crops: (B, 3, F, F) uint8 BGR.
            moved: (B, 2, 3), see `Stabilizer.step`.
            memory: Tensors of the state, see `Stabilizer.state_names`.

        Returns:
            Stabilized and raw points (B, K, 2) in crop pixels, scores (B, K), face scores (B,), and
            the tensors of the new state.
        """
        raw, face = self.backbone((crops.float() - 127.5) / 127.5)
        points, raw_points, share, *memory_after = self.tail(raw, moved, memory)
        return points, raw_points, share * face.unsqueeze(-1), face, *memory_after


class StabilizedTail(nn.Module):
    """The part of the exported network after the backbone: stabilizer and PDC."""

    def __init__(self, stabilizer: Stabilizer) -> None:
        super().__init__()
        self.stabilizer = stabilizer

    def forward(self, raw: Heats, moved: Tensor, memory: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return stabilized and raw points, shares of mass (B, K) and the new state's tensors."""
        found, state = self.stabilizer.step(raw, self.stabilizer.unflatten_state(memory), moved)
        return found.points, found.raw_points, found.share, *flat(state)
