"""How a user's network is wrapped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CoordinateUnit(StrEnum):
    """Units of coordinates: input pixels, 0 … 1 over the input, or −1 … 1 over the input."""

    PIXELS = "pixels"
    UNIT = "unit"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class WrapperConfig:
    """How to prepare the input of a network and how to read its outputs.

    The input is (pixel × white / 255 − mean) / std, with one mean and std per channel in the
    network's order.

    Attributes:
        input: Name of the input.
        input_type: Type of the input, for example `tensor(float)`.
        crop: Side F of the input, pixels.
        outputs: Names of the outputs that contain landmarks.
        shapes: Their shapes, without the batch axis.
        output: Name of the kind of these outputs, see `OUTPUT_KINDS`.
        count: Number of landmarks, K.
        mean: See above.
        std: See above.
        white: The input's value for white before mean and std, 1 or 255.
        rgb: The channels are RGB, not BGR.
        channels_last: The input is (n, F, F, 3).
        scale: Unit of coordinates.
        planar: Coordinates are ordered x_1 … x_K, y_1 … y_K.
        softmax: Heatmaps are logits.
    """

    input: str
    input_type: str
    crop: int
    outputs: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    output: str
    count: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    white: float = 1.0
    rgb: bool = True
    channels_last: bool = False
    scale: CoordinateUnit = CoordinateUnit.PIXELS
    planar: bool = False
    softmax: bool = False
