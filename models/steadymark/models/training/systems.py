"""Every system that `steadymark-train` knows, by name and preset."""

from __future__ import annotations

from typing import Any

from steadymark.models.training import (
    dan_system,
    heatmap1d_system,
    local_global_system,
    stabilizer_system,
)
from steadymark.models.training.system import System, thaw

_ALL: tuple[System[Any], ...] = (
    heatmap1d_system.LITE,
    heatmap1d_system.PAPER,
    heatmap1d_system.LITE_2D,
    dan_system.LITE,
    dan_system.PAPER,
    local_global_system.LITE,
    local_global_system.PAPER,
    stabilizer_system.TRACKER,
    stabilizer_system.TRACKER_PAPER,
    stabilizer_system.STABILIZER,
    stabilizer_system.STABILIZER_PAPER,
)
SYSTEMS: dict[str, dict[str, System[Any]]] = {
    name: {system.preset: system for system in _ALL if system.name == name}
    for name in dict.fromkeys(system.name for system in _ALL)
}


def find_system(name: str, preset: str) -> System[Any]:
    """The system of this name and preset.

    Raises:
        ValueError: there is none.
    """
    presets = SYSTEMS.get(name)
    if presets is None:
        raise ValueError(f"unknown system '{name}': choose one of {', '.join(SYSTEMS)}")
    if preset not in presets:
        raise ValueError(f"{name} has no preset '{preset}': choose one of {', '.join(presets)}")
    return presets[preset]


def system_of(recipe: dict[str, Any]) -> System[Any]:
    """The system that a checkpoint's recipe describes.

    Raises:
        ValueError: there is none of that name.
    """
    found = find_system(str(recipe.get("system")), str(recipe.get("preset")))
    return thaw(type(found), recipe)
