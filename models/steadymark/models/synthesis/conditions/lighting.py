"""Changes of light over a video, as real lamps and cameras make them, with a fixed strength each.

Every frame's light follows from the kind, the seed and the frame's index alone, so a video can be
relit frame by frame, in any order, and twice with the same result.
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

MAINS_HZ = 100.0  # lamps on 50 Hz mains brighten twice a period
_STEP_S, _STEP = 0.4, 0.4  # gain steps: how long a level lasts, and how far it strays from 1
_GAMMA_HZ, _GAMMA = 0.8, 0.5
_FLASH_S, _FLASH = 0.9, (2.6, 1.5, 1.15)  # from flash to flash, and its gain frame by frame
_MAINS = 0.35  # amplitude of the light of a lamp with little afterglow
_BANDS, _BAND_DEPTH, _BAND_HZ = 2.5, 0.45, 0.7  # bands in the picture, depth, pictures a second
_READOUT_S = 0.025  # time in which a rolling shutter reads all rows
_RAMP_S, _RAMP = 1.6, (0.55, 1.6)
_FILM, _FILM_GAMMA = 0.13, 0.08  # standard deviations from frame to frame


@dataclass(frozen=True, slots=True)
class Lighting:
    """Light of one kind of `KINDS` over a video of `fps` frames a second.

    A kind such as `mains-240` takes the frames as if a camera of 240 frames a second had made them.
    """

    kind: str
    fps: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown light '{self.kind}': choose one of {', '.join(KINDS)}")

    def relit(self, image: Image, index: int) -> Image:
        """The frame of this index in this light: (H, W, 3) uint8, a new array."""
        rows = (np.arange(image.shape[0]) + 0.5) / image.shape[0]
        gain, gamma = KINDS[self.kind](index, self.fps, self.seed, rows)
        table = (np.linspace(0, 1, 256) ** gamma * 255).astype(np.float32)
        if len(gain) == 1:
            return np.asarray(cv2.LUT(image, rounded(table * gain.astype(np.float32))), np.uint8)
        light = np.asarray(cv2.LUT(image, table), np.float32)
        light *= gain.astype(np.float32).reshape(-1, 1, 1)
        return rounded(light)


def rounded(light: NDArray[np.float32]) -> Image:
    """Light as grey levels of a picture, 0 to 255."""
    near = np.rint(light)
    np.clip(near, 0, 255, out=near)
    return near.astype(np.uint8)


def _one(value: float) -> Gain:
    return np.array([value])


def _steady(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    return _one(1.0), 1.0


def _gain_steps(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Lamps that are switched: another level, up to ±40 %, every 0.4 s."""
    level = int(index / fps / _STEP_S)
    return _one(1 + _STEP * np.random.default_rng((seed, level)).uniform(-1, 1)), 1.0


def _gamma_swings(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Contrast that a camera keeps correcting: gamma swings between 0.5 and 1.5."""
    return _one(1.0), 1 + _GAMMA * float(np.sin(2 * np.pi * _GAMMA_HZ * index / fps + seed))


def _flash(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """A photographer's flash every 0.9 s, which takes three frames to fade."""
    since = (index + 7 * seed + 3) % max(len(_FLASH) + 1, round(_FLASH_S * fps))
    return _one(_FLASH[since] if since < len(_FLASH) and index > since else 1.0), 1.0


def _mains(rate: float) -> Callable[[int, float, int, Gain], tuple[Gain, float]]:
    def mains(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
        """A lamp on the mains, seen through short exposures of a global shutter."""
        turn = 2 * np.pi * MAINS_HZ * 1.002 * index / rate  # mains are never exactly 50 Hz
        return _one(1 + _MAINS * float(np.cos(turn + seed))), 1.0

    return mains


def _moving_bands(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Soft dark bands that wander down the picture."""
    phase = _BANDS * rows - _BAND_HZ * _BANDS * index / fps
    return 1 - _BAND_DEPTH * (0.5 + 0.5 * np.sin(2 * np.pi * phase + seed)), 1.0


def _rolling_bands(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """A lamp on the mains, seen through a rolling shutter: each row in another moment."""
    t_s = index / fps + rows * _READOUT_S
    return 1 + _MAINS * np.cos(2 * np.pi * MAINS_HZ * 1.002 * t_s + seed), 1.0


def _exposure_ramp(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Automatic exposure that goes up and down between 0.55 and 1.6, highlights cut off."""
    way = abs((index / fps / _RAMP_S + 0.3 * seed) % 2 - 1)
    low, high = _RAMP
    return _one(low * (high / low) ** way), 1.0


def _film(index: int, fps: float, seed: int, rows: Gain) -> tuple[Gain, float]:
    """Old film: gain and gamma of every frame by themselves."""
    rng = np.random.default_rng((seed, index, 1))
    return _one(max(0.4, 1 + _FILM * rng.standard_normal())), float(
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
