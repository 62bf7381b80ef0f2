"""Convert frames with a high dynamic range (PQ or HLG, BT.2020) to 8-bit BT.709 images.

Networks and screens expect BT.709. Without the conversion, such frames look grey.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image

Table = NDArray[np.float32]

_WHITE_NITS = 203.0  # luminance of graphics white in both systems (ITU-R BT.2408)
_PEAK_NITS = 1000.0  # of the display for which HLG is decoded (ITU-R BT.2100, table 5)
_KNEE = 0.7  # share of white below which luminance is kept; everything above is compressed
_GAMMA = 2.4  # of a BT.709 display (ITU-R BT.1886)
_STEPS = 4095  # of the table from linear light to 8 bits
_BT2020_TO_BT709 = np.array(
    [
        [1.6605, -0.5876, -0.0728],
        [-0.1246, 1.1329, -0.0083],
        [-0.0182, -0.1006, 1.1187],
    ],
    np.float32,
)  # ITU-R BT.2087


class HdrTransfer(IntEnum):
    """Transfer characteristics with a high dynamic range, as ITU-T H.273 numbers them."""

    PQ = 16
    HLG = 18


def tone_mapped(image: NDArray[np.uint16], transfer: HdrTransfer) -> Image:
    """Convert an image to the standard dynamic range.

    Args:
        image: (H, W, 3) uint16 RGB code values of the full range, with BT.2020 primaries.
        transfer: The transfer characteristics.

    Returns:
        (H, W, 3) uint8 BGR, with BT.709 primaries.
    """
    light = _linear(transfer)[image]
    if transfer is HdrTransfer.HLG:
        luminance = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= (luminance**0.2)[..., None] * (_PEAK_NITS / _WHITE_NITS)  # OOTF, gamma 1.2
    light = np.maximum(cv2.transform(light, _BT2020_TO_BT709), 0)
    brightest = light.max(-1, keepdims=True)
    above = np.maximum(brightest - _KNEE, 0)
    squeezed = np.minimum(brightest, _KNEE) + (1 - _KNEE) * above / (above + 1 - _KNEE)
    light *= squeezed / np.maximum(brightest, 1e-6)  # one factor for all channels keeps the hue
    steps = np.rint(np.minimum(light, 1) * _STEPS).astype(np.uint16)
    return np.ascontiguousarray(_coded()[steps][..., ::-1])


@cache
def _linear(transfer: HdrTransfer) -> Table:
    """Return linear light for each 16-bit code value; 1 is white (PQ) or the peak (HLG)."""
    code = np.arange(65536) / 65535
    if transfer is HdrTransfer.PQ:  # SMPTE ST 2084
        root = code ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return (10_000 / _WHITE_NITS * ratio ** (1 / 0.1593017578125)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073  # ARIB STD-B67
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return scene.astype(np.float32)


@cache
def _coded() -> Image:
    """Return the 8-bit code value for each step of linear light."""
    light = np.arange(_STEPS + 1) / _STEPS
    return np.rint(255 * light ** (1 / _GAMMA)).astype(np.uint8)
