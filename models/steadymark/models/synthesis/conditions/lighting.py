"""Changes of light over a video, as real lamps and cameras cause them, each with a fixed strength.

The light of a frame depends only on the kind, the seed and the frame index. Frames can therefore be
relit in any order, and the result is repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image

Gain = NDArray[np.float64]

MAINS_HZ = 100.0  # lamps on 50 Hz mains reach their maximum twice in a period
_STEP_S, _STEP = 0.4, 0.4  # gain steps: duration of a level, largest deviation from 1
_GAMMA_HZ, _GAMMA = 0.8, 0.5  # frequency and amplitude of the gamma swings
_FLASH_S, _FLASH = 0.9, (2.6, 1.5, 1.15)  # time between flashes, gain of the frames of a flash
_MAINS = 0.35  # amplitude of a lamp with little afterglow
# Bands per image height, depth, image heights per second.
_BANDS, _BAND_DEPTH, _BAND_HZ = 2.5, 0.45, 0.7
_READOUT_S = 0.025  # readout time of all rows of a rolling shutter
_RAMP_S, _RAMP = 1.6, (0.55, 1.6)
_FILM, _FILM_GAMMA = 0.13, 0.08  # standard deviations of gain and log gamma between frames


@dataclass(frozen=True, slots=True)
class Lighting:
    """Changes of light over a video.

    A kind such as `mains-240` treats the frames as if a camera with 240 frames per second had
    recorded them.

    Attributes:
        kind: A key of `KINDS`.
        fps: Frames per second.
        seed: Seed of the random choices.

    Raises:
        ValueError: `kind` is unknown.
    """

    kind: str
    fps: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown light '{self.kind}': choose one of {', '.join(KINDS)}")

    def relit(self, image: Image, index: int) -> Image:
        """Return the frame with index `index` in this light.

        Args:
            image: (H, W, 3) uint8.
            index: Index of the frame in the video.

        Returns:
            A new (H, W, 3) uint8 array.
        """
        rows = (np.arange(image.shape[0]) + 0.5) / image.shape[0]
        gain, gamma = KINDS[self.kind](index, self.fps, self.seed, rows)
        table = (np.linspace(0, 1, 256) ** gamma * 255).astype(np.float32)
        if len(gain) == 1:
            return np.asarray(
                cv2.LUT(image, round_to_uint8(table * gain.astype(np.float32))), np.uint8
            )
        light = np.asarray(cv2.LUT(image, table), np.float32)
        light *= gain.astype(np.float32).reshape(-1, 1, 1)
        return round_to_uint8(light)


def round_to_uint8(light: NDArray[np.float32]) -> Image:
    """Round float grey levels to uint8 and clip them to 0 to 255."""
    integers = np.rint(light)
    np.clip(integers, 0, 255, out=integers)
    return integers.astype(np.uint8)


def _uniform_gain(value: float) -> Gain:
    return np.array([value])


def _steady(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    return _uniform_gain(1.0), 1.0


def _gain_steps(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Lamps are switched: every 0.4 s the gain takes another level within ±40 %."""
    level = int(index / fps / _STEP_S)
    return _uniform_gain(1 + _STEP * np.random.default_rng((seed, level)).uniform(-1, 1)), 1.0


def _gamma_swings(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """The camera keeps correcting the contrast: gamma oscillates between 0.5 and 1.5."""
    return _uniform_gain(1.0), 1 + _GAMMA * float(
        np.sin(2 * np.pi * _GAMMA_HZ * index / fps + seed)
    )


def _flash(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """A photographer's flash fires every 0.9 s and fades within three frames."""
    frames_since = (index + 7 * seed + 3) % max(len(_FLASH) + 1, round(_FLASH_S * fps))
    return _uniform_gain(
        _FLASH[frames_since] if frames_since < len(_FLASH) and index > frames_since else 1.0
    ), 1.0


def _mains(rate: float) -> Callable[[int, float, int, Gain], tuple[Gain, float]]:
    def mains(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
        """A lamp on the mains is seen through short exposures of a global shutter."""
        # The mains frequency is never exactly 50 Hz.
        phase = 2 * np.pi * MAINS_HZ * 1.002 * index / rate
        return _uniform_gain(1 + _MAINS * float(np.cos(phase + seed))), 1.0

    return mains


def _moving_bands(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Soft dark bands move down the image."""
    phase = _BANDS * rows - _BAND_HZ * _BANDS * index / fps
    return 1 - _BAND_DEPTH * (0.5 + 0.5 * np.sin(2 * np.pi * phase + seed)), 1.0


def _rolling_bands(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """A lamp on the mains is seen by a rolling shutter, which reads each row at another time."""
    t_s = index / fps + rows * _READOUT_S
    return 1 + _MAINS * np.cos(2 * np.pi * MAINS_HZ * 1.002 * t_s + seed), 1.0


def _exposure_ramp(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Automatic exposure moves between gains of 0.55 and 1.6; highlights are clipped."""
    progress = abs((index / fps / _RAMP_S + 0.3 * seed) % 2 - 1)
    low, high = _RAMP
    return _uniform_gain(low * (high / low) ** progress), 1.0


def _film(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """The gain and gamma of every frame are independent, as in old film."""
    rng = np.random.default_rng((seed, index, 1))
    return _uniform_gain(max(0.4, 1 + _FILM * rng.standard_normal())), float(
        np.exp(_FILM_GAMMA * rng.standard_normal())
    )


KINDS: dict[str, Callable[[int, float, int, Gain], tuple[Gain, float]]] = {
    "steady": _steady,
    "gain-steps": _gain_steps,
    "gamma": _gamma_swings,
    "flash": _flash,
    **{f"mains-{rate}": _mains(rate) for rate in (24, 25, 30, 60, 240)},
    "moving-bands": _moving_bands,
    "rolling-bands": _rolling_bands,
    "exposure-ramp": _exposure_ramp,
    "film": _film,
}
