"""Frozen detectors under a stabilizer: a checkpoint, an exported model or any heatmap ONNX file."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from steadymark.models.networks.heatmap1d import Heatmap1d
from steadymark.models.networks.heatmap2d import Heatmap2d
from steadymark.models.networks.local_global import LocalGlobal
from steadymark.models.networks.onnx_export import count_macs, export_onnx
from steadymark.models.networks.pdc import bins_to_px
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    HeatmapBackbone,
    HeatmapBackbone1d,
    HeatmapBackbone2d,
    LastStackHeatmapBackbone,
    StabilizedDecoded,
    Stabilizer,
    flat,
    read_landmarks,
)
from steadymark.models.networks.stabilizer.memory_warp import identity_motion
from steadymark.models.training.loop.checkpoint import load_checkpoint, to_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
    from steadymark.models.training.system import System

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class BackboneInfo:
    """What a stabilizer must know about its backbone.

    The fields from `heatmaps` to `std` apply to ONNX files, see `onnx_backbone`.

    Attributes:
        file: Path of the backbone.
        crop: Side F of the crop in pixels.
        margin: Side of the crop relative to the fitted size of the face.
        size: Size of a heatmap, (L,) or (H, W).
        sigma: Standard deviation of a heatmap's peak, in bins.
        heatmaps: Names of the heatmap outputs.
        scale: Factor that makes the peaks 1.
        sure: Mean share of mass near the peaks from which a crop certainly shows a face.
        rgb: Whether the input is RGB; otherwise it is BGR.
        mean: Mean that is subtracted from the input, 0 to 255.
        std: Value by which the input is divided, 0 to 255.
        schema: Schema of the landmarks.
    """

    file: str = ""
    crop: int = 128
    margin: float = 1.4
    size: tuple[int, ...] = (256,)
    sigma: float = 3.0
    heatmaps: tuple[str, ...] = ()
    scale: float = 1.0
    sure: float = 1.0
    rgb: bool = True
    mean: tuple[float, ...] = (127.5, 127.5, 127.5)
    std: tuple[float, ...] = (127.5, 127.5, 127.5)
    schema: str = "ibug68"


class Backbone(ABC):
    """A frozen detector, which fills the heatmap cache and is exported together with the cells.

    Attributes:
        info: Properties of the backbone.
        identity: Hash of the weights or of the file.
    """

    info: BackboneInfo
    identity: str

    @abstractmethod
    def __call__(self, crops: Image) -> Floats:
        """Return the heatmaps of crops (T, F, F, 3) uint8 BGR.

        They are (T, n, K, *size), where n is 2 for separate x and y heatmaps and otherwise 1. Peaks
        are about 1.
        """

    def points(self, crops: Image) -> Points:
        """Return the landmarks (T, K, 2) in crop pixels of crops (T, F, F, 3) uint8 BGR."""
        bins, _ = read_landmarks(torch.from_numpy(self(crops)).unbind(1))
        size = torch.tensor(self.info.size[::-1] * (2 // len(self.info.size)))  # x, y
        found: Points = bins_to_px(bins, self.info.crop, size).numpy().astype(np.float32)
        return found

    @abstractmethod
    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Complete `info` with properties that are measured on crops of faces.

        Args:
            faces: Returns crops (N, F, F, 3) uint8 BGR.
        """

    @abstractmethod
    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        """Write one ONNX file of backbone and stabilizer; the recurrent state goes in and out.

        Args:
            stabilizer: The trained stabilizer.
            path: The ONNX file to write.

        Returns:
            Entries for the model card.
        """


def open_backbone(info: BackboneInfo) -> Backbone:
    """Open the backbone file of `info`, and complete `info` from the file.

    Raises:
        ValueError: The file does not exist, or is neither a checkpoint of a system with heatmaps
            nor such an ONNX file.
        OSError: The file cannot be read.
        WeightsError: An ONNX file cannot be run.
    """
    path = Path(info.file)
    if not path.is_file():
        raise ValueError(f"no backbone at {path}: name a run's last.pt or an .onnx file")
    recipe = recipe_of(path) if path.suffix == ".onnx" else None
    if path.suffix != ".onnx" or recipe is not None:
        if info.schema != "ibug68":
            raise ValueError(f"{path} has the landmarks of ibug68, not of {info.schema}")
        known = _of_checkpoint(path) if recipe is None else _of_exported(path, recipe)
        return TorchBackbone(info, *known)
    from steadymark.models.training.stabilizer.onnx_backbone import OnnxBackbone

    return OnnxBackbone(info)


def recipe_of(exported: Path) -> dict[str, Any] | None:
    """Return the recipe in the card that `steadymark-train export` wrote for a model, or None."""
    try:
        card = json.loads(exported.with_suffix(".json").read_text(encoding="utf-8"))
        recipe = card["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return recipe if isinstance(recipe, dict) and "system" in recipe else None


def _of_checkpoint(path: Path) -> tuple[LandmarkSystem[Any], nn.Module]:
    from steadymark.models.training.registry import system_of

    try:
        kept = load_checkpoint(path)
        system = _landmark_system(system_of(kept["recipe"]), path)
        network = system.build()
        network.load_state_dict(kept["averaged"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint of steadymark-train ({error})") from error
    return system, network


def _of_exported(path: Path, recipe: dict[str, Any]) -> tuple[LandmarkSystem[Any], nn.Module]:
    from steadymark.models.training.loop.weights_from_onnx import take_weights
    from steadymark.models.training.registry import system_of

    system = _landmark_system(system_of(recipe), path)
    network = system.build()
    # any images will do, because frozen norms give the same output whatever statistics they take
    noise = np.random.default_rng(0).integers(0, 256, (16, 3, system.crop, system.crop), np.uint8)
    take_weights(path, system.decoded(network), torch.from_numpy(noise))
    return system, network


class TorchBackbone(Backbone):
    """A detector that `steadymark-train` trained."""

    def __init__(self, info: BackboneInfo, system: LandmarkSystem[Any], network: nn.Module) -> None:
        sigma = float(getattr(system, "sigma", 0.0))
        self.module = _heats(network, sigma, Path(info.file)).eval()
        module = self.module
        self.info = replace(
            info,
            crop=module.crop,
            size=module.size,
            sigma=module.sigma,
            margin=system.augment.margin,
        )
        weights = network.state_dict().values()
        some = np.concatenate([v.flatten()[:64].float().numpy() for v in weights])
        self.identity = hashlib.sha256(some.tobytes()).hexdigest()[:16]

    def __call__(self, crops: Image) -> Floats:
        with torch.no_grad():
            heats, _ = self.module(to_image(torch.from_numpy(crops)))
        found: Floats = torch.stack(heats, 1).float().numpy()
        return found

    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Do nothing, because a checkpoint contains all properties."""

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        whole = StabilizedDecoded(self.module, stabilizer).eval()
        names, size = stabilizer.memory_names(), self.info.crop
        crops = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        memory = tuple(flat(stabilizer.start(2)))
        faces = torch.export.Dim("n")
        export_onnx(
            whole,
            (crops, identity_motion(2), memory),
            path,
            inputs=["crops", "moved", *names],
            outputs=["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)],
            dynamic=({0: faces}, {0: faces}, tuple({0: faces} for _ in memory)),
        )
        return {
            "params": sum(p.numel() for p in whole.parameters()),
            "macs": count_macs(
                whole, crops[:1], identity_motion(1), tuple(part[:1] for part in memory)
            ),
        }


def _landmark_system(system: System[Any], path: Path) -> LandmarkSystem[Any]:
    from steadymark.models.training.landmarks.landmark_system import LandmarkSystem

    if not isinstance(system, LandmarkSystem):
        raise ValueError(f"{path} is of {system.name}, not a network of single pictures")
    return system


def _heats(network: nn.Module, sigma: float, path: Path) -> HeatmapBackbone:
    if isinstance(network, Heatmap1d):
        return HeatmapBackbone1d(network, sigma=sigma)
    if isinstance(network, Heatmap2d):
        return HeatmapBackbone2d(network, sigma=sigma)
    if isinstance(network, LocalGlobal):
        return LastStackHeatmapBackbone(network)
    raise ValueError(f"{path} is of a system without heatmaps: take heatmap1d or local_global")
