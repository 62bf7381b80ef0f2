"""Conversion of tracking settings to plain values for files and QSettings, and back with checks."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.stabilizers.stabilizer_registry import (
    STABILIZER_REGISTRY,
    ChosenStabilizer,
    StabilizerEntry,
    choose,
)
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.settings import TrackSettings, plain_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_THREADS = 1024


def as_plain(settings: TrackSettings) -> dict[str, Any]:
    """Return the settings as values that JSON supports."""
    return plain_settings(settings)


def from_plain(values: Mapping[str, Any]) -> TrackSettings:
    """Return settings from plain values. Unknown, missing or invalid values keep their defaults."""
    settings: Any = TrackSettings()
    for item in fields(TrackSettings):
        value = values.get(item.name)
        default = getattr(settings, item.name)
        if item.name == "tracker" and isinstance(value, dict):
            settings = replace(settings, tracker=_part(TrackerConfig, value))
        elif item.name == "filters":
            settings = replace(settings, filters=_filters(values))
        elif _fits(item.name, value, default):
            settings = replace(settings, **{item.name: value})
    made: TrackSettings = settings
    return made


def restored_settings(values: Mapping[str, Any]) -> TrackSettings:
    """Return settings as `from_plain`, but with the default for a stabilizer that is unknown.

    A stabilizer of a plug-in is unknown when the plug-in is no longer there.
    """
    settings = from_plain(values)
    known = settings.stabilizer in STABILIZER_REGISTRY.names()
    return settings if known else replace(settings, stabilizer=TrackSettings().stabilizer)


def _filters(values: Mapping[str, Any]) -> tuple[ChosenStabilizer, ...]:
    entries = (entry for entry in STABILIZER_REGISTRY.all() if entry.parameters)
    return tuple(
        _filter(entry, part) for entry in entries if isinstance(part := values.get(entry.key), dict)
    )


def _filter(entry: StabilizerEntry, values: Mapping[str, Any]) -> ChosenStabilizer:
    made = choose(entry.name)
    for parameter in entry.parameters:
        value = values.get(parameter.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            with suppress(SteadymarkError, OverflowError):
                made = made.changed(**{parameter.name: value})
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
