"""Noise as real cameras leave it: grain of more than a pixel, alike in the colours, lasting.

The constants are medians over still parts of eight real clips, measured by
`python -m steadymark.engine.bench.camera_noise CLIP…`, which prints them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]

# correlation of a pixel's noise with that of its neighbours 1, 2, 3 and 4 pixels away
NEIGHBOURS = (0.58, 0.22, 0.15, 0.10)
COLOURS = 0.8  # correlation between the channels
LASTS = 0.93  # correlation with the frame before, of compressed video; 0 for a bare sensor
# standard deviation at these brightnesses, relative to that at 128
BRIGHTNESS = (16, 48, 80, 112, 144, 176, 208, 240)
BY_BRIGHTNESS = (1.25, 1.35, 1.2, 1.05, 0.95, 1.0, 0.95, 0.7)

# White noise seen through two Gaussians has about the correlations of NEIGHBOURS.
_FINE, _WIDE, _WIDE_SHARE = 0.59, 2.0, 0.2


class SensorNoise:
    """Noise of one video: `deviation` grey levels at medium brightness, lasting by `lasts`."""

    def __init__(self, deviation: float, lasts: float, rng: np.random.Generator) -> None:
        self.lasts, self._rng = lasts, rng
        self._field: Light | None = None
        levels = np.interp(np.arange(256), BRIGHTNESS, BY_BRIGHTNESS)
        self._deviation = (deviation * levels / np.interp(128, BRIGHTNESS, BY_BRIGHTNESS)).astype(
            np.float32
        )

    def over(self, light: Light) -> Light:
        """The next frame (H, W, 3) with noise, not rounded; a new array."""
        height, width = light.shape[:2]
        fresh = coloured(height, width, self._rng)
        if self._field is None:
            self._field = fresh
        else:
            kept, new = np.float32(self.lasts), np.float32(np.sqrt(1 - self.lasts**2))
            self._field = kept * self._field + new * fresh
        grey = light.mean(-1).clip(0, 255).astype(np.uint8)
        noisy: Light = light + self._deviation[grey][..., None] * self._field
        return noisy


def coloured(height: int, width: int, rng: np.random.Generator) -> Light:
    """(H, W, 3) noise of deviation 1, correlated as the constants say."""
    common = rng.standard_normal((height, width, 1), np.float32)
    own = rng.standard_normal((height, width, 3), np.float32)
    share = (COLOURS - _WIDE_SHARE) / (1 - _WIDE_SHARE)  # the wide part is the same in all
    white = np.sqrt(share, dtype=np.float32) * common
    white = white + np.sqrt(1 - share, dtype=np.float32) * own
    wide = rng.standard_normal((height, width), np.float32)
    fine, wide = _blurred(white, _FINE), _blurred(wide, _WIDE)
    mixed: Light = np.float32(np.sqrt(1 - _WIDE_SHARE)) * fine
    mixed += np.float32(np.sqrt(_WIDE_SHARE)) * wide[..., None]
    return mixed


def _blurred(white: Light, sigma: float) -> Light:
    """White noise through a Gaussian, at deviation 1 again."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-(np.arange(-reach, reach + 1, dtype=np.float32) ** 2) / (2 * sigma**2))
    kernel /= np.linalg.norm(kernel)
    blurred = cv2.sepFilter2D(white, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)
