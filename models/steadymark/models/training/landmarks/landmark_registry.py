"""All systems that learn from single crops, as `steadymark-train` lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steadymark.models.training.landmarks import dan_system, heatmap1d_system, local_global_system
from steadymark.models.training.system import dataclass_from_dict

if TYPE_CHECKING:
    from steadymark.models.training.landmarks.landmark_system import LandmarkSystem

LANDMARK_SYSTEMS: tuple[LandmarkSystem[Any], ...] = (
    heatmap1d_system.LITE,
    heatmap1d_system.FAST,
    heatmap1d_system.BASE,
    heatmap1d_system.PAPER,
    heatmap1d_system.LITE_2D,
    dan_system.LITE,
    dan_system.PAPER,
    local_global_system.LITE,
    local_global_system.PAPER,
)


def landmark_system_of(recipe: dict[str, Any]) -> LandmarkSystem[Any]:
    """Rebuild the landmark system that a checkpoint's recipe describes.

    Args:
        recipe: The recipe, as `System.describe` returns it.

    Returns:
        The system.

    Raises:
        ValueError: No landmark system has this name and preset.
    """
    name, preset = str(recipe.get("system")), str(recipe.get("preset"))
    for system in LANDMARK_SYSTEMS:
        if (system.name, system.preset) == (name, preset):
            return dataclass_from_dict(type(system), recipe)
    raise ValueError(f"{name} with preset {preset} is no network of single pictures")
