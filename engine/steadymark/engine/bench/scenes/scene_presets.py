"""Presets of synthetic scenes: `living` faces, and the `rigid` faces of the first benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError
from steadymark.models.synthesis.conditions.video_compression import encode
from steadymark.models.synthesis.scenes import NOISE, Scene, SceneConfig, make_scene, rigid

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOISE", "PRESETS", "Scene", "SceneConfig", "encode", "make_scene", "preset", "rigid"]

PRESETS: dict[str, Callable[[int, int], SceneConfig]] = {
    "living": lambda frames, noise: SceneConfig(frames, noise),
    "rigid": lambda frames, noise: rigid(frames, noise),
}


def preset(name: str, frames: int, noise: int) -> SceneConfig:
    """Return the scene settings of a preset.

    Args:
        name: Name of the preset.
        frames: Frames per scene.
        noise: Noise level.

    Returns:
        The settings.

    Raises:
        UsageError: The preset is unknown.
    """
    if name not in PRESETS:
        raise UsageError(f"--scenes {name}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name](frames, noise)
