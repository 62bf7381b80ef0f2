"""Conversion of tracking settings to plain values for files and QSettings, and back with checks."""

from __future__ import annotations

import math
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.online_filters import OneEuro
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.settings import TrackSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_THREADS = 1024
_PARTS = {"tracker": TrackerConfig, "one_euro": OneEuro, "butterworth": Butterworth}


def as_plain(settings: TrackSettings) -> dict[str, Any]:
    """Return the settings as values that JSON supports."""
    return asdict(settings)


def from_plain(values: Mapping[str, Any]) -> TrackSettings:
    """Return settings from plain values. Unknown, missing or invalid values keep their defaults."""
    settings: Any = TrackSettings()
    for item in fields(TrackSettings):
        value = values.get(item.name)
        default = getattr(settings, item.name)
        if item.name in _PARTS and isinstance(value, dict):
            part = _part(_PARTS[item.name], value)
            settings = replace(settings, **{item.name: part})
        elif _fits(item.name, value, default):
            settings = replace(settings, **{item.name: value})
    made: TrackSettings = settings
    return made


def _fits(name: str, value: Any, default: Any) -> bool:
    if name == "detector_threshold":
        return value is None or (type(value) in (int, float) and 0 <= value <= 1)
    if name == "focal_px":
        return value is None or (type(value) in (int, float) and 1 <= value < math.inf)
    if name == "threads":
        return type(value) is int and 0 <= value <= _MOST_THREADS
    return type(value) is type(default)


def _part(kind: type[Any], values: Mapping[str, Any]) -> Any:
    made = kind()
    for item in fields(kind):
        value, default = values.get(item.name), getattr(made, item.name)
        try:
            if isinstance(default, Recentre):
                made = replace(made, **{item.name: Recentre(str(value))})
            elif isinstance(value, int | float) and not isinstance(value, bool):
                made = replace(made, **{item.name: type(default)(value)})
        except (SteadymarkError, ValueError, OverflowError):
            continue
    return made
