"""Milliseconds a face and frame on this machine, one thread, without video decoding."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.looking import look
from steadymark.engine.settings import TrackSettings, open_models
from steadymark.engine.sources.video_file import VideoFile
from steadymark.models.cropping import Crop
from steadymark.models.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.cropping import Image


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians, in milliseconds; cpu counts this process' threads."""

    name: str
    wall_ms: float
    cpu_ms: float


def _without_face() -> Image:
    """A 640×480 picture with structure at every scale, so that no stage is spared work."""
    rng = np.random.default_rng(0)
    image = np.zeros((480, 640, 3), np.float32)
    for cell in (4, 16, 80):
        noise = rng.uniform(0, 80, (480 // cell, 640 // cell, 3)).astype(np.float32)
        image += noise.repeat(cell, 0).repeat(cell, 1)
    return image.clip(0, 255).astype(np.uint8)


def _with_face() -> Image:
    """The first frame of the demo clip, 640×480."""
    with contextlib.closing(VideoFile(assets_root() / "clips" / "demo.mp4")) as clip:
        return clip.frame_at(0).image


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
    """Crop to points of one face, alone and stabilized, and detections in 640×480 frames."""
    settings = settings or TrackSettings(device="cpu", threads=1)
    models = open_models(replace(settings, stabilizer="none"))
    steady = open_models(settings)
    face, nothing = _with_face(), _without_face()
    crop = Crop(320.3, 240.6, 260.0, 7.0)
    before = look(steady.network, face, crop)
    stages: list[tuple[str, Callable[[], object]]] = [
        (
            f"{models.cards[0].name}: crop to points, one face, {models.device}",
            lambda: look(models.network, face, crop),
        ),
        (
            f"{steady.cards[0].name}: following one face, {steady.device}",
            lambda: look(steady.network, face, crop, before),
        ),
        ("face detector: a 640x480 frame with a face", lambda: models.detector.detect(face)),
        ("face detector: one without", lambda: models.detector.detect(nothing)),
    ]
    return [_measure(name, step, rounds) for name, step in stages]
