"""Camera noise that is correlated between pixels, colour channels and frames, as in real clips.

The constants are medians over still blocks of eight real clips (webcams, phones and films; H.264
and other codecs). `python -m tools.data_statistics.measure_camera_noise CLIP…` measures them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]

# Correlation of a pixel's noise with the noise 1, 2, 3 and 4 pixels away.
NEIGHBOURS = (0.55, 0.23, 0.17, 0.09)
COLOURS = 0.82  # correlation between the colour channels
# Correlation with the previous frame. It is 0.92 and 0.89 in the two clips that hardly move,
# because encoders repeat blocks that change little. A sensor without an encoder has none.
FRAME_CORRELATION = 0.9
# Standard deviation at these brightnesses, relative to the mean of a clip.
BRIGHTNESS = (16, 48, 80, 112, 144, 176, 208, 240)
BY_BRIGHTNESS = (0.95, 1.30, 1.22, 0.99, 0.79, 0.88, 0.75, 0.67)

# White noise that is blurred by two Gaussians, with the difference between colours at half the
# resolution, has about the correlations of NEIGHBOURS.
_FINE, _WIDE, _WIDE_SHARE = 0.55, 0.9, 0.2  # the wide Gaussian works at half the resolution


class SensorNoise:
    """Noise of one video.

    Args:
        deviation: Standard deviation in grey levels, averaged over all brightnesses.
        frame_correlation: Correlation with the previous frame.
        rng: Generator of the noise.
    """

    def __init__(
        self, deviation: float, frame_correlation: float, rng: np.random.Generator
    ) -> None:
        self.frame_correlation, self._rng = frame_correlation, rng
        self._field: Light | None = None
        relative = np.interp(np.arange(256), BRIGHTNESS, BY_BRIGHTNESS)
        self._deviation = (deviation * relative).astype(np.float32)

    def add_to(self, light: Light) -> Light:
        """Return a new frame (H, W, 3) float32 with the next noise added; it is not rounded."""
        height, width = light.shape[:2]
        fresh = correlated_noise(height, width, self._rng)
        if self._field is None:
            self._field = fresh
        else:
            fresh *= np.float32(np.sqrt(1 - self.frame_correlation**2))
            self._field *= np.float32(self.frame_correlation)
            self._field += fresh
        grey = cv2.cvtColor(light, cv2.COLOR_BGR2GRAY).clip(0, 255).astype(np.uint8)
        noisy = to_three_channels(np.asarray(cv2.LUT(grey, self._deviation), np.float32))
        noisy *= self._field
        noisy += light
        return noisy


def correlated_noise(height: int, width: int, rng: np.random.Generator) -> Light:
    """Return noise (H, W, 3) of standard deviation 1 with the correlations of the constants.

    The difference between the colours is coarser, because encoders store colour at half the
    resolution.
    """
    half_size = (height + 1) // 2, (width + 1) // 2
    shared_fine = _blurred(rng.standard_normal((height, width), np.float32), _FINE)
    coarse = rng.standard_normal((*half_size, 4), np.float32)
    colour_difference = cv2.resize(
        coarse[..., :3], (2 * half_size[1], 2 * half_size[0]), interpolation=cv2.INTER_LINEAR
    )
    grain = _blurred(np.ascontiguousarray(coarse[..., 3]), _WIDE)
    wide = cv2.resize(grain, (2 * half_size[1], 2 * half_size[0]), interpolation=cv2.INTER_LINEAR)
    shared = np.float32(np.sqrt(COLOURS - _WIDE_SHARE)) * shared_fine
    shared += np.float32(np.sqrt(_WIDE_SHARE) / _enlarged(_WIDE)) * wide[:height, :width]
    mixed = np.float32(np.sqrt(1 - COLOURS) / _enlarged(0)) * colour_difference[:height, :width]
    mixed += to_three_channels(shared)
    return np.asarray(mixed, np.float32)


def to_three_channels(plane: Light) -> Light:
    """Repeat a plane (H, W) in three channels (H, W, 3).

    Arithmetic on this copy is faster than on a broadcast view.
    """
    return np.asarray(cv2.merge((plane, plane, plane)), np.float32)


def _kernel(sigma: float) -> Light:
    """Return a Gaussian kernel (n,) that keeps the standard deviation of white noise at 1."""
    radius = int(np.ceil(3 * sigma))
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * max(sigma, 1e-3) ** 2))
    scaled: Light = (kernel / np.linalg.norm(kernel)).astype(np.float32)
    return scaled


def _blurred(white: Light, sigma: float) -> Light:
    kernel = _kernel(sigma)
    blurred = cv2.sepFilter2D(white, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def _enlarged(sigma: float) -> float:
    """Return the standard deviation of blurred noise after it is enlarged by 2.

    Linear enlargement by 2 has the weights 3/4 and 1/4 on each axis.
    """
    kernel = _kernel(sigma)
    neighbours = float((kernel[1:] * kernel[:-1]).sum())
    return 0.625 + 0.375 * neighbours
