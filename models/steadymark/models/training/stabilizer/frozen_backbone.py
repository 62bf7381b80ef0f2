"""The frozen detector whose heatmaps a stabilizer works on: its properties and its export."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from steadymark.models.face.schema import SCHEMA_OF_UNNAMED
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
    schema: str = SCHEMA_OF_UNNAMED


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
        """Write backbone and stabilizer as one ONNX file, with the state as input and output.

        Args:
            stabilizer: The trained stabilizer.
            path: The ONNX file to write.

        Returns:
            Entries of the model card.
        """
