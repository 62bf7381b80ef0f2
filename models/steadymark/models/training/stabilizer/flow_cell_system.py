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
_MIN_SCORE = 1e-6  # least score, so that its logarithm is finite
_MIN_OPENING_MOTION = 0.7  # % of the face's size; an opening with a larger standard deviation moves
_MAX_ERROR = 10.0  # % of the face's size; larger errors are clipped
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
        cache_budget: CacheBudget | None = None,
    ) -> FlowTask:
        faces = open_faces(data, IBUG68, val)[:2]
        caches = [
            self._fill_caches(out / name, part, self.bank.counts(number), seed, cache_budget)
            for number, (name, part) in enumerate(zip(("train", "held"), faces, strict=True))
        ]
        descriptions = [name for name in sources_of(data, val) if name != "faces/none"]
        return FlowTask(self, caches[0], caches[1], seed=seed, descriptions=descriptions)

    def _fill_caches(
        self,
        folder: Path,
        faces: FaceImages,
        counts: dict[str, int],
        seed: int,
        cache_budget: CacheBudget | None,
    ) -> dict[str, Arrays]:
        """Fill the caches of all kinds of scenes; reported numbers count all kinds."""
        arrays_of_kinds: dict[str, Arrays] = {}
        total, finished_before = sum(counts.values()), 0
        for kind, count in counts.items():
            if count:
                report = _reporter(cache_budget, folder.name, finished_before, total)
                arrays_of_kinds[kind] = fill_flow_cache(
                    folder, faces, count, seed=seed, config=self.bank, kind=kind, report=report
                )
            finished_before += count
        return arrays_of_kinds

    def export(self, network: FlowCell, run: Path, path: Path) -> dict[str, Any]:
        facts = export_flow_cell(network, path)
        return {"kind": "stabilizer", "cell": "flow", "schema": IBUG68, **facts}


def _reporter(
    cache_budget: CacheBudget | None, name: str, before: int, total: int
) -> Callable[[int, int], None]:
    if cache_budget is None:
        return lambda _done, _count: None
    report = cache_budget.report
    return lambda done, _count: report(name, before + done, total)


class FlowTask:
    """A `Task` of scenes (N, T, ...) in % of the face's size.

    Args:
        system: The system.
        training: Training scenes by kind, lively ones first.
        held_back: Validation scenes by kind, lively ones first.
        seed: Seed of the order and of mirroring.
        told: Descriptions of the data for the model card.
    """

    figures: tuple[str, ...]

    def __init__(
        self,
        system: FlowCellSystem,
        training: Mapping[str, Arrays],
        held_back: Mapping[str, Arrays],
        *,
        seed: int,
        descriptions: list[str],
    ) -> None:
        self.system, self.seed = system, seed
        self.schema = load_schema(IBUG68)
        parts = [scaled(arrays) for arrays in training.values()]
        self.training = {name: torch.cat([part[name] for part in parts]) for name in _NAMES}
        self.held_back = {kind: scaled(arrays) for kind, arrays in held_back.items()}
        self.figures = ("score", *(f"{a}{b}" for a in ("", "raw_") for b in _MEASURES))
        self.figures += tuple(f"{kind}_{b}" for kind in list(held_back)[1:] for b in _CALM_MEASURES)
        self.sources: dict[str, Any] = {"data": descriptions, "scenes": list(system.bank.scenes)}

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
        scenes = dict(zip(_NAMES, batch, strict=True))
        system = self.system
        with torch.autocast(scenes["raw"].device.type, enabled=False):
            stabilized = stabilize_scenes(network, scenes, self._parts(scenes["raw"].device))
            target = target_landmarks(scenes)
            weight = system.hidden + (1 - system.hidden) * scenes["visible"]
            errors, baseline = (
                _errors(points, target, weight) for points in (stabilized, scenes["raw"])
            )
            # Relative to the raw landmarks' errors: a calm scene counts as much as a lively one.
            ratios = (errors / (baseline + baseline.new_tensor(_FLOORS)[:, None])).mean(1)
            weights = ratios.new_tensor((system.place, system.change, *2 * (system.opening,)))
            amplitude = sum(_amplitude_error(stabilized, target, p) for p in (MOUTH, LIDS))
        return (ratios * weights).sum() + system.amplitude * amplitude

    @torch.no_grad()
    def validate(self, network: FlowCell) -> dict[str, float]:
        """Return the measures of `StabilizerScore` on held-back scenes, stabilized and raw.

        The score is the geometric mean over the kinds of scenes.
        """
        pairs = {kind: self._scores(network, arrays) for kind, arrays in self.held_back.items()}
        scores = [max(steady.score(raw), _MIN_SCORE) for steady, raw in pairs.values()]
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

    def _scores(
        self, network: FlowCell, scenes: dict[str, Tensor]
    ) -> tuple[StabilizerScore, StabilizerScore]:
        """Return the scores of the stabilized and of the raw landmarks."""
        device = next(network.parameters()).device
        inputs = {name: scenes[name].to(device) for name in _NAMES}
        stabilized = stabilize_scenes(network, inputs, self._parts(device))
        truth, raw = (inputs[n].double().cpu().numpy() for n in ("truth", "raw"))
        points = stabilized.double().cpu().numpy()
        return stabilizer_score(points, truth, self.schema), stabilizer_score(
            raw, truth, self.schema
        )

    def _parts(self, device: torch.device) -> FaceParts:
        member, modes = face_parts(self.schema), face_modes(self.schema)
        return FaceParts(*(torch.from_numpy(part).to(device) for part in (member, modes)))


def _calm(steady: StabilizerScore, raw: StabilizerScore) -> tuple[float, float, float]:
    """Return the _CALM_MEASURES of scenes in which faces move little."""
    return steady.nrmse, steady.mav, raw.mav


def _errors(points: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return errors (4, B) of each scene in %: position, its change, mouth and eye openings."""
    error = points - target
    place = (_length(error).clamp(max=_MAX_ERROR) * weight).mean((1, 2))
    change = (_length(error[:, 1:] - error[:, :-1]) * weight[:, 1:]).mean((1, 2))
    opening = [(_opening(points, p) - _opening(target, p)).abs().mean(1) for p in (MOUTH, LIDS)]
    return torch.stack((place, change, *opening))


def _amplitude_error(points: Tensor, target: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    """Return the mean relative error in amplitude of those openings that move."""
    found, true = (_opening(p, pairs) for p in (points, target))  # (B, T)
    found, true = (o - o.mean(1, keepdim=True) for o in (found, true))
    power = true.square().sum(1)
    is_moving = power > _MIN_OPENING_MOTION**2 * true.shape[1]
    slope = (found * true).sum(1) / power.clamp_min(1e-6)
    return torch.where(is_moving, (1 - slope).abs(), 0.0).mean()


def scaled(arrays: Arrays) -> dict[str, Tensor]:
    """Convert frame pixels to % of the face's median size, with the origin near the face."""
    size = np.median(arrays["size"], 1).astype(np.float64)  # (N,)
    scale = (_PERCENT / size)[:, None, None, None]
    origin = arrays["raw"][:, 0].mean(1).astype(np.float64)  # (N, 2)
    converted = {name: arrays[name].astype(np.float64) for name in _NAMES}
    for name in ("raw", "truth"):
        converted[name] = (converted[name] - origin[:, None, None]) * scale
    converted["beside"] *= scale
    converted["unsure"] *= scale[..., 0]
    linear = converted["face"][..., :2]
    shift = converted["face"][..., 2] + np.einsum("ntij,nj->nti", linear, origin) - origin[:, None]
    converted["face"] = np.concatenate((linear, (shift * scale[..., 0])[..., None]), -1)
    return {name: torch.from_numpy(value).float() for name, value in converted.items()}


def mirrored(scenes: dict[str, Tensor], flips: Tensor, mirror: list[int]) -> dict[str, Tensor]:
    """Mirror the scenes that `flips` (B,) selects; `mirror` lists each landmark's partner."""
    sign = torch.tensor([-1.0, 1.0])
    mirrored_scenes = {}
    for name, value in scenes.items():
        flipped = value
        if name in ("raw", "truth", "beside"):
            flipped = value[:, :, mirror] * sign
        elif name in ("visible", "score", "unsure"):
            flipped = value[:, :, mirror]
        elif name == "face":
            flipped = value * sign[:, None] * torch.tensor([-1.0, 1.0, 1.0])
        elif name == "upright":
            flipped = value * torch.tensor([1.0, -1.0])
        mirrored_scenes[name] = torch.where(flips.view(-1, *[1] * (value.ndim - 1)), flipped, value)
    return mirrored_scenes


def stabilize_scenes(network: nn.Module, scenes: dict[str, Tensor], parts: FaceParts) -> Tensor:
    """Run the cell over whole scenes, and return the stabilized landmarks (B, T, K, 2)."""
    inner = network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network
    assert isinstance(inner, FlowCell)
    raw = scenes["raw"]
    kept = raw_before = raw[:, 0]
    state = inner.start(len(raw), raw.shape[2])
    size = raw.new_full((len(raw),), _PERCENT)
    points = [kept]
    for t in range(1, raw.shape[1]):
        measured = (
            scenes[name][:, t] for name in ("beside", "unsure", "score", "agreed", "upright")
        )
        face = scenes["face"][:, t]
        frame = FlowCellInput._make(
            (raw[:, t], _apply(face, kept), _apply(face, raw_before), *measured, size)
        )
        stabilized, kept, state = network(frame, state, parts)
        points.append(stabilized)
        raw_before = raw[:, t]
    return torch.stack(points, 1)


def _apply(face: Tensor, points: Tensor) -> Tensor:
    """Apply transforms (B, 2, 3) to points (B, K, 2)."""
    return points @ face[:, :, :2].transpose(1, 2) + face[:, None, :, 2]


def target_landmarks(scenes: dict[str, Tensor]) -> Tensor:
    """Return the target landmarks (B, T, K, 2): the truth plus the detector's mean difference.

    The mean is taken over the scene and relative to the upright face. A cell that remembers a few
    seconds cannot know this difference.
    """
    differences = _to_upright(scenes["raw"] - scenes["truth"], scenes["upright"])
    weight = scenes["visible"].unsqueeze(-1)
    mean = (differences * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True).clamp_min(1)
    inverse_roll = scenes["upright"] * scenes["upright"].new_tensor([1.0, -1.0])
    return scenes["truth"] + _to_upright(mean.expand_as(differences), inverse_roll)


def _to_upright(vectors: Tensor, roll: Tensor) -> Tensor:
    cos, sin = roll[:, :, None, 0], roll[:, :, None, 1]
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
    faces, schema = 3, load_schema(IBUG68)
    points = torch.rand(faces, schema.count, 2)
    inputs = (
        *(points + i for i in range(4)),
        points[..., 0] + 1,
        points[..., 1] + 1,
        torch.ones(faces),
        torch.rand(faces, 2),
        torch.full((faces,), 90.0),
    )
    parts = tuple(torch.from_numpy(p) for p in (face_parts(schema), face_modes(schema)))
    state = tuple(part.clone() for part in cell.start(faces, schema.count))
    n, k = torch.export.Dim("faces"), torch.export.Dim("landmarks")
    axes_nk, axis_n = {0: n, 1: k}, {0: n}
    export_onnx(
        _Exported(cell),
        (inputs, state, parts),
        path,
        inputs=[
            *FlowCellInput._fields,
            *(f"state_{name}" for name in FlowCellState._fields),
            *FaceParts._fields,
        ],
        outputs=["points", "kept", *(f"next_{name}" for name in FlowCellState._fields)],
        dynamic=((*[axes_nk] * 6, *[axis_n] * 3), (*[axes_nk] * 3, axis_n), ({0: k}, {0: k})),
    )
    one_face = tuple(part[:1] for part in inputs), tuple(part[:1] for part in state)
    return {
        "params": sum(p.numel() for p in cell.parameters()),
        "macs": count_macs(_Exported(cell), *one_face, parts),
    }


FLOW_CELL = FlowCellSystem()
