"""Milliseconds a face and frame on this machine, one thread, without video decoding."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.settings import TrackSettings, open_models
from steadymark.engine.tracking import look
from steadymark.models.cropping import Crop

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.cropping import Image


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians, in milliseconds; cpu counts this process' threads."""

    name: str
    wall_ms: float
    cpu_ms: float


def _scene() -> Image:
    """A 640×480 picture with structure at every scale, so that no stage is spared work."""
    rng = np.random.default_rng(0)
    image = np.zeros((480, 640, 3), np.float32)
    for cell in (4, 16, 80):
        noise = rng.uniform(0, 80, (480 // cell, 640 // cell, 3)).astype(np.float32)
        image += noise.repeat(cell, 0).repeat(cell, 1)
    return image.clip(0, 255).astype(np.uint8)


def _measure(name: str, step: Callable[[], object], rounds: int) -> Speed:
    for _ in range(10):
        step()
    wall, cpu = [], []
    for _ in range(rounds):
        before, before_cpu = time.perf_counter(), time.process_time()
        step()
        wall.append((time.perf_counter() - before) * 1e3)
        cpu.append((time.process_time() - before_cpu) * 1e3)
    return Speed(name, statistics.median(wall), statistics.median(cpu))


def measure_speed(settings: TrackSettings | None = None, *, rounds: int = 200) -> list[Speed]:
    """Crop to points of one face, and a detection in a 640×480 frame."""
    models = open_models(settings or TrackSettings(device="cpu", threads=1))
    image = _scene()
    crop = Crop(320.3, 240.6, 260.0, 7.0)
    return [
        _measure(
            f"{models.cards[0].name}: crop to points, one face, {models.device}",
            lambda: look(models.network, image, crop),
            rounds,
        ),
        _measure(
            "face detector: one 640x480 frame, cpu",
            lambda: models.detector.detect(image),
            rounds,
        ),
    ]
