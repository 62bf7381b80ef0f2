"""What a trained detector under a stabilizer gives: facts, heatmaps, landmarks, an ONNX file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from steadymark.models.networks.pdc import bins_to_px
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    Stabilizer,
    read_landmarks,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class BackboneInfo:
    """What a stabilizer must know of its backbone.

    file: where it lies. crop: F, pixels; margin: side of the crop / fitted size of the face. size:
    of a heatmap, (L,) or (H, W). sigma: of a heatmap's peak, in bins. schema: of its landmarks.
    The rest is for ONNX files, see onnx_backbone: names of its heatmap outputs, scale that makes
    peaks 1, sure: the mean share of mass near the peaks from which a crop surely shows a face, and
    how a picture becomes its input: rgb or bgr, minus mean, over std.
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
    """A frozen detector: what fills the bank of heatmaps, and what is exported with the cells."""

    info: BackboneInfo
    identity: str

    @abstractmethod
    def __call__(self, crops: Image) -> Floats:
        """(T, F, F, 3) uint8 BGR → (T, n, K, *size), n = 2 for x and y or 1; peaks about 1."""

    def points(self, crops: Image) -> Points:
        """(T, F, F, 3) uint8 BGR → its landmarks (T, K, 2), crop pixels."""
        bins, _ = read_landmarks(torch.from_numpy(self(crops)).unbind(1))
        size = torch.tensor(self.info.size[::-1] * (2 // len(self.info.size)))  # x, y
        found: Points = bins_to_px(bins, self.info.crop, size).numpy().astype(np.float32)
        return found

    @abstractmethod
    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Complete `info` by what the backbone makes of faces' crops (N, F, F, 3)."""

    @abstractmethod
    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        """Write one ONNX file of both, memory in and out; gives facts for its model card."""
