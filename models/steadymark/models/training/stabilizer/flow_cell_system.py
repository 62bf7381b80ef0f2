"""Training of the flow cell on synthetic scenes that real detectors have tracked."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from steadymark.models.face.deformation_modes import face_modes
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.networks.onnx_export import count_macs, export_onnx
from steadymark.models.networks.stabilizer.flow_cell import (
    FaceParts,
    FlowCell,
    FlowCellConfig,
    FlowCellInput,
    FlowCellState,
)
from steadymark.models.runtime.flow_stabilizer import face_parts
from steadymark.models.training.landmarks.landmark_task import open_faces, sources_of
from steadymark.models.training.stabilizer.flow_cache import FlowCacheConfig, fill_flow_cache
from steadymark.models.training.stabilizer.stabilizer_score import (
    LIDS,
    MOUTH,
    StabilizerScore,
    stabilizer_score,
)
from steadymark.models.training.system import System

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.stabilizer.flow_cache import Arrays
    from steadymark.models.training.system import Batch

_PERCENT = 100.0  # size of the face in the units of the training
_NAMES = ("raw", "truth", "visible", "score", "face", "beside", "unsure", "agreed", "upright")
_FLOORS = (0.3, 0.05, 0.3, 0.3)  # %; smaller errors of the four kinds are negligible
_LEAST = 1e-6  # least score, so that its logarithm is finite
_MOVES = 0.7  # % of the face's size; an opening with a larger standard deviation moves
_MOST = 10.0  # % of the face's size; larger errors are clipped
_CALM_MEASURES = ("nrmse", "mav", "raw_mav")
_MEASURES = tuple(f.name for f in fields(StabilizerScore))


@dataclass(frozen=True)
class FlowCellSystem(System[FlowCell]):
    """Training of the flow cell, see `flow_cell`.

    Errors are divided by the raw landmarks' errors.

    Attributes:
        place: Weight of the mean distance to the true landmarks, apart from the detector's mean
            difference over a scene.
        change: Weight of the change of this error between frames.
        opening: Weight of the error of the openings of mouth and of eyes.
        amplitude: Weight of the error in the amplitude of these openings.
        hidden: Weight of landmarks that something hides, relative to visible ones.
        cell: Configuration of the cell.
        bank: Contents of the cached scenes.
    """

    name: ClassVar[str] = "flow-cell"

    rate: float = 4e-3
    weight_decay: float = 1e-4
    batch: int = 20
    place: float = 1.5
    change: float = 8.0
    opening: float = 3.0
    amplitude: float = 6.0
    hidden: float = 0.3
    cell: FlowCellConfig = field(default_factory=FlowCellConfig)
    bank: FlowCacheConfig = field(default_factory=FlowCacheConfig)

    def build(self) -> FlowCell:
        return FlowCell(self.cell)

    def open(
        self,
        data: Path,
        out: Path,
        *,
        seed: int,
        val: Path | None = None,
        allowance: CacheBudget | None = None,
    ) -> FlowTask:
        faces = open_faces(data, val)[:2]
        banks = [
            self._bank(out / name, part, self.bank.counts(number), seed, allowance)
            for number, (name, part) in enumerate(zip(("train", "held"), faces, strict=True))
        ]
        told = [name for name in sources_of(data, val) if name != "faces/none"]
        return FlowTask(self, banks[0], banks[1], seed=seed, told=told)

    def _bank(
        self,
        folder: Path,
        faces: FaceImages,
        counts: dict[str, int],
        seed: int,
        allowance: CacheBudget | None,
    ) -> dict[str, Arrays]:
        """Fill the caches of all kinds of scenes; reported numbers count all kinds."""
        banks: dict[str, Arrays] = {}
        total, before = sum(counts.values()), 0
        for kind, count in counts.items():
            if count:
                report = _reporter(allowance, folder.name, before, total)
                banks[kind] = fill_flow_cache(
                    folder, faces, count, seed=seed, config=self.bank, kind=kind, report=report
                )
            before += count
        return banks

    def export(self, network: FlowCell, run: Path, path: Path) -> dict[str, Any]:
        facts = export_flow_cell(network, path)
        return {"kind": "stabilizer", "cell": "flow", **facts}


def _reporter(
    allowance: CacheBudget | None, name: str, before: int, total: int
) -> Callable[[int, int], None]:
    if allowance is None:
        return lambda _done, _count: None
    report = allowance.report
    return lambda done, _count: report(name, before + done, total)


class FlowTask:
    """A `Task` of scenes (N, T, ...) in % of the face's size.

    Args:
        system: The system.
        training: Training scenes by kind, lively ones first.
        held: Validation scenes by kind, lively ones first.
        seed: Seed of the order and of mirroring.
        told: Descriptions of the data for the model card.
    """

    figures: tuple[str, ...]

    def __init__(
        self,
        system: FlowCellSystem,
        training: Mapping[str, Arrays],
        held: Mapping[str, Arrays],
        *,
        seed: int,
        told: list[str],
    ) -> None:
        self.system, self.seed = system, seed
        self.schema = load_schema(IBUG68)
        parts = [scaled(bank) for bank in training.values()]
        self.training = {name: torch.cat([part[name] for part in parts]) for name in _NAMES}
        self.held = {kind: scaled(bank) for kind, bank in held.items()}
        self.figures = ("score", *(f"{a}{b}" for a in ("", "raw_") for b in _MEASURES))
        self.figures += tuple(f"{kind}_{b}" for kind in list(held)[1:] for b in _CALM_MEASURES)
        self.sources: dict[str, Any] = {"data": told, "scenes": list(system.bank.scenes)}

    def batch(self, number: int, size: int) -> Batch:
        """Return the arrays `_NAMES` of `size` scenes, about half of them mirrored."""
        count = len(self.training["raw"])
        chosen = []
        for i in range(number * size, (number + 1) * size):
            epoch, place = divmod(i, count)
            order = np.random.default_rng((self.seed, epoch, 3)).permutation(count)
            chosen.append(int(order[place]))
        parts = {name: self.training[name][chosen] for name in _NAMES}
        flips = np.random.default_rng((self.seed, number, 5)).random(size) < 0.5
        return tuple(mirrored(parts, torch.from_numpy(flips), list(self.schema.mirror)).values())

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the mean loss of a batch, in full precision, since positions exceed errors."""
        seen = dict(zip(_NAMES, batch, strict=True))
        system = self.system
        with torch.autocast(seen["raw"].device.type, enabled=False):
            found = unrolled(network, seen, self._parts(seen["raw"].device))
            aim = aimed_at(seen)
            weight = system.hidden + (1 - system.hidden) * seen["visible"]
            reached, before = (_errors(points, aim, weight) for points in (found, seen["raw"]))
            # Relative to the raw landmarks' errors: a calm scene counts as much as a lively one.
            shares = (reached / (before + before.new_tensor(_FLOORS)[:, None])).mean(1)
            weights = shares.new_tensor((system.place, system.change, *2 * (system.opening,)))
            amplitude = sum(_amplitude_error(found, aim, p) for p in (MOUTH, LIDS))
        return (shares * weights).sum() + system.amplitude * amplitude

    @torch.no_grad()
    def validate(self, network: FlowCell) -> dict[str, float]:
        """Return the measures of `StabilizerScore` on held-back scenes, stabilized and raw.

        The score is the geometric mean over the kinds of scenes.
        """
        pairs = {kind: self._reached(network, held) for kind, held in self.held.items()}
        scores = [max(steady.score(raw), _LEAST) for steady, raw in pairs.values()]
        steady, raw = next(iter(pairs.values()))
        return {
            "score": float(np.exp(np.log(scores).mean())),
            **asdict(steady),
            **{f"raw_{name}": value for name, value in asdict(raw).items()},
            **{
                f"{kind}_{name}": value
                for kind in list(pairs)[1:]
                for name, value in zip(_CALM_MEASURES, _calm(*pairs[kind]), strict=True)
            },
        }

    def _reached(
        self, network: FlowCell, held: dict[str, Tensor]
    ) -> tuple[StabilizerScore, StabilizerScore]:
        """Return the scores of the stabilized and of the raw landmarks."""
        device = next(network.parameters()).device
        seen = {name: held[name].to(device) for name in _NAMES}
        found = unrolled(network, seen, self._parts(device))
        truth, raw = (seen[n].double().cpu().numpy() for n in ("truth", "raw"))
        points = found.double().cpu().numpy()
        return stabilizer_score(points, truth, self.schema), stabilizer_score(
            raw, truth, self.schema
        )

    def _parts(self, device: torch.device) -> FaceParts:
        member, modes = face_parts(self.schema), face_modes(self.schema)
        return FaceParts(*(torch.from_numpy(part).to(device) for part in (member, modes)))


def _calm(steady: StabilizerScore, raw: StabilizerScore) -> tuple[float, float, float]:
    """Return the _CALM_MEASURES of scenes in which faces move little."""
    return steady.nrmse, steady.mav, raw.mav


def _errors(points: Tensor, aim: Tensor, weight: Tensor) -> Tensor:
    """Return errors (4, B) of each scene in %: position, its change, mouth and eye openings."""
    error = points - aim
    place = (_length(error).clamp(max=_MOST) * weight).mean((1, 2))
    change = (_length(error[:, 1:] - error[:, :-1]) * weight[:, 1:]).mean((1, 2))
    opening = [(_opening(points, p) - _opening(aim, p)).abs().mean(1) for p in (MOUTH, LIDS)]
    return torch.stack((place, change, *opening))


def _amplitude_error(points: Tensor, aim: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    """Return the mean relative error in amplitude of those openings that move."""
    found, true = (_opening(p, pairs) for p in (points, aim))  # (B, T)
    found, true = (o - o.mean(1, keepdim=True) for o in (found, true))
    power = true.square().sum(1)
    moves = power > _MOVES**2 * true.shape[1]
    slope = (found * true).sum(1) / power.clamp_min(1e-6)
    return torch.where(moves, (1 - slope).abs(), 0.0).mean()


def scaled(bank: Arrays) -> dict[str, Tensor]:
    """Convert frame pixels to % of the face's median size, with the origin near the face."""
    size = np.median(bank["size"], 1).astype(np.float64)  # (N,)
    scale = (_PERCENT / size)[:, None, None, None]
    origin = bank["raw"][:, 0].mean(1).astype(np.float64)  # (N, 2)
    out = {name: bank[name].astype(np.float64) for name in _NAMES}
    for name in ("raw", "truth"):
        out[name] = (out[name] - origin[:, None, None]) * scale
    out["beside"] *= scale
    out["unsure"] *= scale[..., 0]
    turn = out["face"][..., :2]
    shift = out["face"][..., 2] + np.einsum("ntij,nj->nti", turn, origin) - origin[:, None]
    out["face"] = np.concatenate((turn, (shift * scale[..., 0])[..., None]), -1)
    return {name: torch.from_numpy(value).float() for name, value in out.items()}


def mirrored(seen: dict[str, Tensor], flips: Tensor, mirror: list[int]) -> dict[str, Tensor]:
    """Mirror the scenes that `flips` (B,) selects; `mirror` lists each landmark's partner."""
    sign = torch.tensor([-1.0, 1.0])
    out = {}
    for name, value in seen.items():
        other = value
        if name in ("raw", "truth", "beside"):
            other = value[:, :, mirror] * sign
        elif name in ("visible", "score", "unsure"):
            other = value[:, :, mirror]
        elif name == "face":
            other = value * sign[:, None] * torch.tensor([-1.0, 1.0, 1.0])
        elif name == "upright":
            other = value * torch.tensor([1.0, -1.0])
        out[name] = torch.where(flips.view(-1, *[1] * (value.ndim - 1)), other, value)
    return out


def unrolled(network: nn.Module, seen: dict[str, Tensor], parts: FaceParts) -> Tensor:
    """Run the cell over whole scenes, and return the stabilized landmarks (B, T, K, 2)."""
    inner = network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network
    assert isinstance(inner, FlowCell)
    raw = seen["raw"]
    kept = before = raw[:, 0]
    state = inner.start(len(raw), raw.shape[2])
    size = raw.new_full((len(raw),), _PERCENT)
    points = [kept]
    for t in range(1, raw.shape[1]):
        told = (seen[name][:, t] for name in ("beside", "unsure", "score", "agreed", "upright"))
        face = seen["face"][:, t]
        frame = FlowCellInput._make(
            (raw[:, t], _moved(face, kept), _moved(face, before), *told, size)
        )
        found, kept, state = network(frame, state, parts)
        points.append(found)
        before = raw[:, t]
    return torch.stack(points, 1)


def _moved(face: Tensor, points: Tensor) -> Tensor:
    """Apply transforms (B, 2, 3) to points (B, K, 2)."""
    return points @ face[:, :, :2].transpose(1, 2) + face[:, None, :, 2]


def aimed_at(seen: dict[str, Tensor]) -> Tensor:
    """Return the target landmarks (B, T, K, 2): the truth plus the detector's mean difference.

    The mean is taken over the scene and relative to the upright face. A cell that remembers a few
    seconds cannot know this difference.
    """
    differs = _turned(seen["raw"] - seen["truth"], seen["upright"])
    weight = seen["visible"].unsqueeze(-1)
    mean = (differs * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp_min(1)
    back = seen["upright"] * seen["upright"].new_tensor([1.0, -1.0])
    return seen["truth"] + _turned(mean.expand_as(differs), back)


def _turned(vectors: Tensor, upright: Tensor) -> Tensor:
    cos, sin = upright[:, :, None, 0], upright[:, :, None, 1]
    x, y = vectors[..., 0], vectors[..., 1]
    return torch.stack((cos * x + sin * y, cos * y - sin * x), -1)


def _length(vectors: Tensor) -> Tensor:
    return (vectors.square().sum(-1) + 1e-4).sqrt()


def _opening(points: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    a, b = ([pair[i] for pair in pairs] for i in (0, 1))
    return _length(points[..., a, :] - points[..., b, :]).mean(-1)


class _Exported(nn.Module):
    """The cell with plain tuples as inputs and outputs."""

    def __init__(self, cell: FlowCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(
        self, seen: tuple[Tensor, ...], state: tuple[Tensor, ...], parts: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        points, kept, after = self.cell(
            FlowCellInput._make(seen), FlowCellState._make(state), FaceParts._make(parts)
        )
        return points, kept, *after


def export_flow_cell(cell: FlowCell, path: Path) -> dict[str, Any]:
    """Write the graph that `flow_stabilizer` runs, and return its size for the model card."""
    faces, known = 3, load_schema(IBUG68)
    points = torch.rand(faces, known.count, 2)
    seen = (
        *(points + i for i in range(4)),
        points[..., 0] + 1,
        points[..., 1] + 1,
        torch.ones(faces),
        torch.rand(faces, 2),
        torch.full((faces,), 90.0),
    )
    parts = tuple(torch.from_numpy(p) for p in (face_parts(known), face_modes(known)))
    state = tuple(part.clone() for part in cell.start(faces, known.count))
    n, k = torch.export.Dim("faces"), torch.export.Dim("landmarks")
    many, few = {0: n, 1: k}, {0: n}
    export_onnx(
        _Exported(cell),
        (seen, state, parts),
        path,
        inputs=[
            *FlowCellInput._fields,
            *(f"state_{name}" for name in FlowCellState._fields),
            *FaceParts._fields,
        ],
        outputs=["points", "kept", *(f"next_{name}" for name in FlowCellState._fields)],
        dynamic=((*[many] * 6, *[few] * 3), (*[many] * 3, few), ({0: k}, {0: k})),
    )
    one = tuple(part[:1] for part in seen), tuple(part[:1] for part in state)
    return {
        "params": sum(p.numel() for p in cell.parameters()),
        "macs": count_macs(_Exported(cell), *one, parts),
    }


FLOW_CELL = FlowCellSystem()
