"""A detector that `steadymark-train` trained, as the backbone of a stabilizer."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from steadymark.models.networks.heatmap1d import Heatmap1d
from steadymark.models.networks.heatmap2d import Heatmap2d
from steadymark.models.networks.local_global import LocalGlobal
from steadymark.models.networks.onnx_export import count_macs, export_onnx
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    HeatmapBackbone,
    HeatmapBackbone1d,
    HeatmapBackbone2d,
    LastStackHeatmapBackbone,
    StabilizedDecoded,
    Stabilizer,
    flat,
)
from steadymark.models.networks.stabilizer.memory_warp import identity_motion
from steadymark.models.training.loop.checkpoint import to_image
from steadymark.models.training.stabilizer.frozen_backbone import Backbone, BackboneInfo, Floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image
    from steadymark.models.training.landmarks.landmark_system import LandmarkSystem


class TorchBackbone(Backbone):
    """A detector trained by `steadymark-train`."""

    def __init__(self, info: BackboneInfo, system: LandmarkSystem[Any], network: nn.Module) -> None:
        sigma = float(getattr(system, "sigma", 0.0))
        self.module = _heatmap_module(network, sigma, Path(info.file)).eval()
        module = self.module
        self.info = replace(
            info,
            crop=module.crop,
            size=module.size,
            sigma=module.sigma,
            margin=system.augment.margin,
        )
        weights = network.state_dict().values()
        weight_sample = np.concatenate([v.flatten()[:64].float().numpy() for v in weights])
        self.identity = hashlib.sha256(weight_sample.tobytes()).hexdigest()[:16]

    def __call__(self, crops: Image) -> Floats:
        with torch.no_grad():
            heats, _ = self.module(to_image(torch.from_numpy(crops)))
        found: Floats = torch.stack(heats, 1).float().numpy()
        return found

    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Do nothing, since the checkpoint contains all properties."""

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        whole = StabilizedDecoded(self.module, stabilizer).eval()
        names, size = stabilizer.state_names(), self.info.crop
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


def _heatmap_module(network: nn.Module, sigma: float, path: Path) -> HeatmapBackbone:
    if isinstance(network, Heatmap1d):
        return HeatmapBackbone1d(network, sigma=sigma)
    if isinstance(network, Heatmap2d):
        return HeatmapBackbone2d(network, sigma=sigma)
    if isinstance(network, LocalGlobal):
        return LastStackHeatmapBackbone(network)
    raise ValueError(f"{path} is of a system without heatmaps: take heatmap1d or local_global")
