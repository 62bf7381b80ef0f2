"""All systems that `steadymark-train` can train, by name and preset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from steadymark.models.training.detector.face_net_system import FACE_NET
from steadymark.models.training.landmarks.landmark_registry import LANDMARK_SYSTEMS
from steadymark.models.training.pupils.pupil_system import PUPIL_SYSTEM
from steadymark.models.training.stabilizer import flow_cell_system, heatmap_cell_systems
from steadymark.models.training.system import System, dataclass_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALL: tuple[System[Any], ...] = (
    *LANDMARK_SYSTEMS,
    heatmap_cell_systems.TRACKER,
    heatmap_cell_systems.TRACKER_PAPER,
    heatmap_cell_systems.STABILIZER,
    heatmap_cell_systems.STABILIZER_PAPER,
    flow_cell_system.FLOW_CELL,
    FACE_NET,
    PUPIL_SYSTEM,
)
SYSTEMS: dict[str, dict[str, System[Any]]] = {
    name: {system.preset: system for system in _ALL if system.name == name}
    for name in dict.fromkeys(system.name for system in _ALL)
}


def find_system(name: str, preset: str) -> System[Any]:
    """Return the system of this name and preset.

    Raises:
        ValueError: The name or preset is unknown.
    """
    presets = SYSTEMS.get(name)
    if presets is None:
        raise ValueError(f"unknown system '{name}': choose one of {', '.join(SYSTEMS)}")
    if preset not in presets:
        raise ValueError(f"{name} has no preset '{preset}': choose one of {', '.join(presets)}")
    return presets[preset]


def system_of(recipe: dict[str, Any]) -> System[Any]:
    """Rebuild the system that a checkpoint's recipe describes.

    Raises:
        ValueError: The name or preset in the recipe is unknown.
    """
    found = find_system(str(recipe.get("system")), str(recipe.get("preset")))
    return dataclass_from_dict(type(found), recipe)


def altered(system: System[Any], settings: Iterable[str]) -> System[Any]:
    """Return the system with some recipe fields changed.

    Args:
        system: The system to change.
        settings: Assignments such as `rate=1e-3` or `network.gamma=0.2`.

    Raises:
        ValueError: There is no such field, or the value has another type.
    """
    recipe = json.loads(json.dumps(system.describe()))
    for setting in settings:
        path, equals, text = setting.partition("=")
        *outer, last = path.strip().split(".")
        inner = recipe
        for part in outer:
            inner = inner.get(part) if isinstance(inner, dict) else None
        if not equals or not isinstance(inner, dict) or last not in inner or path == "system":
            known = ", ".join(_paths(recipe))
            raise ValueError(f"--set {setting}: give FIELD=VALUE, FIELD being one of {known}")
        inner[last] = _read(text, inner[last], setting)
    return dataclass_from_dict(type(system), recipe)


def _paths(recipe: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, value in recipe.items():
        if isinstance(value, dict):
            found += _paths(value, f"{prefix}{name}.")
        elif name != "system":
            found.append(prefix + name)
    return found


def _read(text: str, old: Any, setting: str) -> Any:
    """Parse a value as JSON, or as plain text, and check that it has the type of the old value."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(old, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(old):
        shown = json.dumps(old)
        raise ValueError(f"--set {setting}: the value must be of the kind of {shown}")
    return value
